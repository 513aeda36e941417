# SPDX-License-Identifier: MIT
"""Ground layer: forces of cars, trucks and tracked vehicles under their axles.

A half car (body with bounce and pitch, two axles) runs over a road profile, the rear axle one
wheelbase later. The load that the tyres add to the weight acts on the ground, with the engine's
firing and, where there are tracks, the blows of their shoes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim_hardware.errors import SimError
from sim_hardware.second.parameters import draw, value
from sim_hardware.second.road import axle_share, profile
from sim_hardware.second.strike import FORCE_FS_HZ, Strike, moving
from sim_hardware.second.track import Track

Array = NDArray[np.float64]
CArray = NDArray[np.complex128]
KINDS = ("car", "truck", "tracked")
_FADE_S = 3.0


@dataclass(frozen=True)
class Vehicle:
    """A half car with all wheels of an axle as one. Masses of the whole vehicle."""

    kind: str
    sprung_kg: float
    axle_kg: float
    tyre_n_m: float
    body_hz: float
    damping: float
    wheelbase_m: float
    track_m: float
    firing_hz: float
    engine_n: float

    @property
    def spring_n_m(self) -> float:
        """Stiffness of one axle's suspension, from the body's frequency on two axles."""
        return (2 * np.pi * self.body_hz) ** 2 * self.sprung_kg / 2

    def hop_hz(self) -> float:
        """Natural frequency of an axle between tyre and suspension."""
        stiffness = self.tyre_n_m + self.spring_n_m
        return float(np.sqrt(stiffness / self.axle_kg) / (2 * np.pi))

    def loads(self, f_hz: Array) -> CArray:
        """Tyre load per road height (n, axle, road under axle) in N/m at (n,) frequencies."""
        omega = 2 * np.pi * f_hz
        half_kg, arm_m = self.sprung_kg / 2, self.wheelbase_m / 2
        damper = 2 * self.damping * 2 * np.pi * self.body_hz * half_kg
        hop = 2 * np.pi * self.hop_hz()
        tyre = self.tyre_n_m + 1j * omega * 2 * value("tyre.damping") * hop * self.axle_kg
        strut = self.spring_n_m + 1j * omega * damper
        inertia = self.sprung_kg * arm_m**2 * value("vehicle.dynamic_index")
        # Unknowns: body, pitch, front axle, rear axle.
        matrix = np.zeros((f_hz.size, 4, 4), np.complex128)
        matrix[:, 0, 0] = -(omega**2) * self.sprung_kg + 2 * strut
        matrix[:, 1, 1] = -(omega**2) * inertia + 2 * strut * arm_m**2
        for axle, arm in ((2, arm_m), (3, -arm_m)):
            matrix[:, axle, axle] = -(omega**2) * self.axle_kg + strut + tyre
            matrix[:, 0, axle] = matrix[:, axle, 0] = -strut
            matrix[:, 1, axle] = matrix[:, axle, 1] = -strut * arm
        drive = np.zeros((f_hz.size, 4, 2), np.complex128)
        drive[:, 2, 0] = drive[:, 3, 1] = tyre
        axles = np.linalg.solve(matrix, drive)[:, 2:, :]
        return np.asarray(tyre[:, None, None] * (axles - np.eye(2)), np.complex128)


def vehicle(kind: str, rng: np.random.Generator) -> Vehicle:
    """A vehicle drawn from the ranges of parameters.toml, driving (not at idle)."""
    if kind not in KINDS:
        raise SimError(f"vehicle {kind} is unknown; known: {', '.join(KINDS)}")
    return Vehicle(
        kind,
        draw(rng, f"{kind}.sprung_kg"),
        draw(rng, f"{kind}.axle_kg"),
        draw(rng, f"{kind}.tyre_n_m"),
        draw(rng, f"{kind}.body_hz"),
        draw(rng, f"{kind}.damping"),
        draw(rng, f"{kind}.wheelbase_m"),
        draw(rng, f"{kind}.track_m"),
        draw(rng, f"{kind}.drive_hz"),
        draw(rng, f"{kind}.engine_n"),
    )


def axle_forces(
    one: Vehicle, road: str, speed_m_s: float, duration_s: float, rng: np.random.Generator
) -> Array:
    """Dynamic load of front and rear axle (2, n) in newton at FORCE_FS_HZ, at a steady speed."""
    samples = max(round(duration_s * FORCE_FS_HZ), FORCE_FS_HZ)
    step_m = speed_m_s / FORCE_FS_HZ
    ahead = round(one.wheelbase_m / step_m)
    # A profile that closes on itself: no step where it ends.
    rear = profile(road, samples + ahead, step_m, rng)
    front = np.roll(rear, -ahead)
    f_hz = np.asarray(np.fft.rfftfreq(rear.size, 1 / FORCE_FS_HZ), np.float64)
    patch = np.sinc(f_hz / speed_m_s * value("tyre.contact_m"))
    patch = patch * axle_share(f_hz / speed_m_s, one.track_m)
    roads = np.stack([np.fft.rfft(front), np.fft.rfft(rear)], axis=1) * patch[:, None]
    loads = (one.loads(f_hz) @ roads[:, :, None])[:, :, 0]
    return np.asarray(np.fft.irfft(loads, rear.size, axis=0)[:samples].T, np.float64)


def engine_force(
    firing_hz: float, force_n: float, duration_s: float, rng: np.random.Generator
) -> Array:
    """Force of the engine (n,) in newton: firing, half order and second harmonic, slow wander."""
    samples = max(round(duration_s * FORCE_FS_HZ), FORCE_FS_HZ)
    slow = np.interp(
        np.arange(samples) / FORCE_FS_HZ,
        np.arange(int(duration_s) + 3),
        np.cumsum(rng.normal(size=int(duration_s) + 3)),
    )
    rate = firing_hz * (1 + value("engine.wander") * np.clip(slow, -5, 5))
    turn = 2 * np.pi * np.cumsum(rate) / FORCE_FS_HZ
    parts = ((0.5, value("engine.half_share")), (1.0, 1.0), (2.0, value("engine.second_share")))
    out = np.zeros(samples)
    for order, share in parts:
        out += share * np.sin(order * turn + rng.uniform(0, 2 * np.pi))
    return force_n * out


def _shoes(speed_m_s: float, samples: int, rng: np.random.Generator) -> Array:
    # Each shoe strikes once: a train of short blows with different forces.
    rate = speed_m_s / draw(rng, "tracked.pitch_m")
    out = np.zeros(samples + 40)
    blow = np.sin(np.pi * (np.arange(20) + 0.5) / 20) ** 2
    force = draw(rng, "tracked.slap_n")
    at_s = 0.0
    while (at := round(at_s * FORCE_FS_HZ)) < samples:
        out[at : at + 20] += force * (1 + 0.3 * rng.normal()) * blow
        at_s += (1 + 0.02 * rng.normal()) / rate
    return np.asarray(out[:samples] - out[:samples].mean(), np.float64)


def _fade(samples: int) -> Array:
    # Fades in and out over some seconds instead of at once.
    t_s = np.minimum(np.arange(samples), np.arange(samples)[::-1]) / FORCE_FS_HZ
    return np.asarray(np.sin(np.pi / 2 * np.minimum(1.0, t_s / _FADE_S)) ** 2, np.float64)


def drive(one: Vehicle, road: str, track: Track, rng: np.random.Generator) -> list[Strike]:
    """The blocks of force of a vehicle on a straight track, front and rear axle."""
    (t0, x0, y0), (t1, x1, y1) = track.corners[0], track.corners[-1]
    speed_m_s = float(np.hypot(x1 - x0, y1 - y0)) / (t1 - t0)
    if not 0.5 <= speed_m_s <= 40.0:
        raise SimError(f"a vehicle's speed must be 0.5..40 m/s, not {speed_m_s:g}")
    axles = axle_forces(one, road, speed_m_s, t1 - t0, rng)
    engine = engine_force(one.firing_hz, one.engine_n, t1 - t0, rng)
    axles[0, : engine.size] += engine[: axles.shape[1]]
    if one.kind == "tracked":
        axles[0] += _shoes(speed_m_s, axles.shape[1], rng)
        axles[1] += _shoes(speed_m_s, axles.shape[1], rng)
    axles *= _fade(axles.shape[1])
    strikes = moving(axles[0], t0, track)
    return strikes + moving(axles[1], t0, track, behind_m=one.wheelbase_m)
