# SPDX-License-Identifier: MIT
"""Ground layer: one pass of one actor: its positions and its forces on the ground."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim_hardware.world import gait
from sim_hardware.world.kinds import KINDS, Kind
from sim_hardware.world.scenario import ActorSpec

FArray = NDArray[np.float64]


@dataclass(frozen=True)
class Track:
    """Corner times (s, absolute) and corner positions (n, 2) in metres."""

    t_s: FArray
    xy_m: FArray

    @property
    def start_s(self) -> float:
        return float(self.t_s[0])

    @property
    def end_s(self) -> float:
        return float(self.t_s[-1])

    def at(self, t_s: FArray) -> FArray:
        """Positions (n, 2) at times within the track, its ends outside it."""
        x = np.interp(t_s, self.t_s, self.xy_m[:, 0])
        return np.column_stack([x, np.interp(t_s, self.t_s, self.xy_m[:, 1])])


@dataclass(frozen=True)
class Pass:
    """One pass of an actor along its path: steps of `members`, or the tracks of `vehicles`.

    `bodies`: tracks that a PIR may detect; `seen`: its range for them relative to a person.
    """

    id: str
    spec: ActorSpec
    track: Track
    members: tuple[tuple[gait.Steps, Track], ...] = ()
    vehicles: tuple[Track, ...] = ()
    bodies: tuple[Track, ...] = ()
    seen: float = 1.0

    @property
    def end_s(self) -> float:
        """End of the last track."""
        return max(track.end_s for track in (self.track, *self.bodies))


def _track(spec: ActorSpec, start_s: float, reverse: bool) -> Track:
    xy = np.array(spec.path[::-1] if reverse else spec.path, dtype=np.float64)
    if spec.class_name == "digging":
        return Track(np.array([start_s, start_s + spec.stay_s]), np.vstack([xy[0], xy[0]]))
    legs = np.hypot(*np.diff(xy, axis=0).T)
    return Track(start_s + np.concatenate([[0.0], np.cumsum(legs)]) / spec.speed_m_s, xy)


def _plain_feet(spec: ActorSpec, track: Track, rng: np.random.Generator) -> gait.Steps:
    """Feet of an actor without a kind."""
    duration_s = track.end_s - track.start_s
    if spec.class_name == "animal":
        low, high = (0.8, 1.1) if spec.gait == "walk" else (1.3, 1.6)
        stride_hz = spec.cadence_hz or float(rng.uniform(low, high))
        mass_kg = spec.mass_kg or 60.0
        return gait.quadruped(rng, duration_s, stride_hz, mass_kg, spec.gait or "walk")
    if spec.class_name == "digging":
        return gait.dig(rng, spec.stay_s, spec.cadence_hz or float(rng.uniform(0.3, 1.2)))
    cadence_hz = spec.cadence_hz or float(np.clip(rng.normal(1.85, 0.12), 1.4, 2.6))
    return gait.walk(rng, duration_s, cadence_hz, spec.heel or None)


def _feet(
    spec: ActorSpec, kind: Kind | None, track: Track, rng: np.random.Generator
) -> tuple[gait.Steps, ...]:
    if kind is None:
        return (_plain_feet(spec, track, rng),)
    duration_s = track.end_s - track.start_s
    rate_hz = spec.cadence_hz or float(rng.uniform(*kind.rate_hz))
    if kind.class_name == "digging":
        return gait.dig_with(rng, duration_s, rate_hz, kind)
    if kind.class_name != "animal":
        return (gait.paced(rng, duration_s, rate_hz, kind, spec.heel),)
    manner = spec.gait or kind.gait
    if not spec.cadence_hz and manner != kind.gait:
        rate_hz *= _QUICKER[manner] / _QUICKER[kind.gait]
    mass_kg = spec.mass_kg or kind.mass_kg * float(np.clip(rng.normal(1, 0.12), 0.7, 1.3))
    steps = gait.quadruped(
        rng, duration_s, rate_hz, mass_kg, manner, jitter=kind.jitter, width_s=kind.width_s
    )
    return (steps,)


_QUICKER = {"walk": 1.0, "trot": 1.5, "canter": 1.7}  # strides per second


def _aside(track: Track, rng: np.random.Generator, spread_m: float, late_s: float) -> Track:
    """The same track, later and to one side."""
    if not spread_m:
        return Track(track.t_s + late_s, track.xy_m)
    way = track.xy_m[-1] - track.xy_m[0]
    across = np.array([way[1], -way[0]]) / max(float(np.hypot(*way)), 1e-9)
    return Track(track.t_s + late_s, track.xy_m + across * rng.normal(0, spread_m))


def make_pass(spec: ActorSpec, number: int, rng: np.random.Generator) -> Pass:
    """Pass `number` (from 0) of an actor; members of a group follow each other at 1..3 m."""
    kind = KINDS.get(spec.kind)
    start_s = spec.start_s + number * spec.every_s
    track = _track(spec, start_s, spec.alternate and number % 2 == 1)
    name = f"{spec.id}-{number + 1}" if spec.every_s else spec.id
    seen = kind.seen if kind else 1.0
    if spec.class_name == "vehicle":
        vehicles = [track]
        for _ in range(1, spec.count):  # a convoy keeps 3..6 s apart
            vehicles.append(Track(vehicles[-1].t_s + rng.uniform(3, 6), track.xy_m))
        return Pass(name, spec, track, vehicles=tuple(vehicles), bodies=tuple(vehicles), seen=seen)
    members, bodies = [], []
    late_s = 0.0
    spread_m = spec.spread_m or (kind.spread_m if kind else 0.0)
    for _ in range(spec.count):
        own = _aside(track, rng, spread_m, late_s) if spec.count > 1 else track
        members += [(steps, own) for steps in _feet(spec, kind, own, rng)]
        bodies.append(own)
        late_s += rng.uniform(1, 3) / spec.speed_m_s
    return Pass(name, spec, track, tuple(members), bodies=tuple(bodies), seen=seen)


def crossings(track: Track, line: FArray) -> list[tuple[float, float, float, float]]:
    """Where a track crosses the polyline through the nodes: (t_s, x_m, y_m, direction_deg)."""
    found = []
    for (a, b), (ta, tb) in zip(
        zip(track.xy_m[:-1], track.xy_m[1:], strict=True),
        zip(track.t_s[:-1], track.t_s[1:], strict=True),
        strict=True,
    ):
        for c, d in zip(line[:-1], line[1:], strict=True):
            u, v = b - a, d - c
            det = float(u[0] * v[1] - u[1] * v[0])
            if abs(det) < 1e-12:
                continue
            w = c - a
            s = float(w[0] * v[1] - w[1] * v[0]) / det
            r = float(w[0] * u[1] - w[1] * u[0]) / det
            if 0 <= s < 1 and 0 <= r < 1:
                x_m, y_m = a + s * u
                heading = math.degrees(math.atan2(u[0], u[1])) % 360
                found.append((float(ta + s * (tb - ta)), float(x_m), float(y_m), heading))
    return found
