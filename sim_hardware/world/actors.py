# SPDX-License-Identifier: MIT
"""Ground room: one pass of one actor: where it is when, and what it does to the ground."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim_hardware.world import gait
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
    """One actor once along its path. `steps` is None for a vehicle, which hums instead."""

    id: str
    spec: ActorSpec
    track: Track
    members: tuple[tuple[gait.Steps, Track], ...]
    is_warm: bool = True


def _track(spec: ActorSpec, start_s: float, reverse: bool) -> Track:
    xy = np.array(spec.path[::-1] if reverse else spec.path, dtype=np.float64)
    if spec.class_name == "digging":
        return Track(np.array([start_s, start_s + spec.stay_s]), np.vstack([xy[0], xy[0]]))
    legs = np.hypot(*np.diff(xy, axis=0).T)
    return Track(start_s + np.concatenate([[0.0], np.cumsum(legs)]) / spec.speed_m_s, xy)


def _person(spec: ActorSpec, track: Track, rng: np.random.Generator) -> gait.Steps:
    cadence_hz = spec.cadence_hz or float(np.clip(rng.normal(1.85, 0.12), 1.4, 2.6))
    return gait.walk(rng, track.end_s - track.start_s, cadence_hz, spec.heel or None)


def _animal(spec: ActorSpec, track: Track, rng: np.random.Generator) -> gait.Steps:
    low, high = (0.8, 1.1) if spec.gait == "walk" else (1.3, 1.6)
    stride_hz = spec.cadence_hz or float(rng.uniform(low, high))
    return gait.quadruped(rng, track.end_s - track.start_s, stride_hz, spec.mass_kg, spec.gait)


def _digger(spec: ActorSpec, track: Track, rng: np.random.Generator) -> gait.Steps:
    return gait.dig(rng, spec.stay_s, spec.cadence_hz or float(rng.uniform(0.3, 1.2)))


_FEET: dict[str, Callable[[ActorSpec, Track, np.random.Generator], gait.Steps]] = {
    "person": _person,
    "group": _person,
    "animal": _animal,
    "digging": _digger,
}


def make_pass(spec: ActorSpec, number: int, rng: np.random.Generator) -> Pass:
    """The pass `number` (from 0) of an actor; a group walks 1..3 m behind each other."""
    start_s = spec.start_s + number * spec.every_s
    reverse = spec.alternate and number % 2 == 1
    track = _track(spec, start_s, reverse)
    name = f"{spec.id}-{number + 1}" if spec.every_s else spec.id
    members = []
    if spec.class_name in _FEET:
        late_s = 0.0
        for _ in range(spec.count):
            own = Track(track.t_s + late_s, track.xy_m)
            members.append((_FEET[spec.class_name](spec, own, rng), own))
            late_s += rng.uniform(1, 3) / spec.speed_m_s
    return Pass(name, spec, track, tuple(members))


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
