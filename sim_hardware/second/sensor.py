# SPDX-License-Identifier: MIT
"""Ground layer: the instruments of a node: geophone and passive infrared sensor.

The geophone is an SM-24 with a shunt: second-order high-pass at 10 Hz. The PIR switches when a
warm body crosses the borders of its zones within reach, holds, and sometimes trips without cause.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim_hardware.second.ground import GROUND_FS_HZ
from sim_hardware.second.parameters import draw, value
from sim_hardware.second.track import Track
from sim_hardware.site import NodeSpec

Array = NDArray[np.float64]
_SIGHT_S = 0.05


@dataclass(frozen=True)
class Geophone:
    """One coil: natural frequency, damping, gain relative to nominal, noise in m/s per root Hz."""

    natural_hz: float
    damping: float
    gain: float
    noise_m_s: float

    def response(self, f_hz: Array) -> NDArray[np.complex128]:
        """Complex gain (n,) at (n,) frequencies, `gain` far above the natural frequency."""
        s, w0 = 2j * np.pi * f_hz, 2 * np.pi * self.natural_hz
        high = s**2 / (s**2 + 2 * self.damping * w0 * s + w0**2)
        return np.asarray(self.gain * high, np.complex128)

    def sense(self, velocity_m_s: Array, rng: np.random.Generator) -> Array:
        """Output of the coil for ground velocity (n,), in m/s referred to nominal gain."""
        samples = velocity_m_s.size
        padded = samples + 2 * GROUND_FS_HZ
        f_hz = np.asarray(np.fft.rfftfreq(padded, 1 / GROUND_FS_HZ), np.float64)
        spectrum = np.asarray(np.fft.rfft(velocity_m_s, padded), np.complex128)
        passed = np.fft.irfft(spectrum * self.response(f_hz), padded)
        own = self.noise_m_s * (GROUND_FS_HZ / 2) ** 0.5 * rng.normal(size=samples)
        return np.asarray(passed[:samples] + own, np.float64)


def geophone(rng: np.random.Generator) -> Geophone:
    """A coil within the tolerances of its data sheet."""

    def within(name: str) -> float:
        return 1 + value(f"geophone.{name}_tolerance") * float(rng.uniform(-1, 1))

    return Geophone(
        value("geophone.natural_hz") * within("natural"),
        value("geophone.damping") * within("damping"),
        within("gain"),
        draw(rng, "geophone.noise_nm_s_rthz") * 1e-9,
    )


def pir_trips(
    node: NodeSpec, track: Track, small: bool, contrast: float, rng: np.random.Generator
) -> list[float]:
    """Times at which a warm body on a track crosses a zone border within reach of a node's PIR.

    `contrast` is the day's reach over the nominal one.
    """
    reach_m = node.pir_range_m * contrast * (value("pir.small_share") if small else 1.0)
    t_s = np.arange(track.start_s, track.end_s, _SIGHT_S)
    if reach_m <= 0 or t_s.size < 2:
        return []
    x_m, y_m = track.at(t_s)
    east, north = x_m - node.x_m, y_m - node.y_m
    bearing = np.degrees(np.arctan2(east, north)) - node.pir_azimuth_deg
    angle = (bearing + 180) % 360 - 180
    seen = (np.abs(angle) < value("pir.lens_deg")) & (np.hypot(east, north) < reach_m)
    zone = np.floor(angle / value("pir.zone_deg"))
    rate = np.abs(np.diff(angle)) / _SIGHT_S
    crossed = (np.diff(zone) != 0) & seen[1:] & seen[:-1] & (rate > value("pir.least_deg_s"))
    kept = crossed & (rng.uniform(size=crossed.size) > value("pir.miss"))
    return [float(time) for time in t_s[1:][kept]]


def pir_output(trips: list[float], duration_s: float, rng: np.random.Generator) -> Array:
    """Edges (n,) in seconds of a PIR output that starts low; each trip holds it, false ones too."""
    hold_s = value("pir.hold_s")
    false = rng.poisson(draw(rng, "pir.false_per_hour") * duration_s / 3600)
    times = sorted([*trips, *(float(t) for t in rng.uniform(0, duration_s, size=false))])
    edges: list[float] = []
    for time in times:
        if edges and time <= edges[-1]:
            edges[-1] = time + hold_s
        else:
            edges += [time, time + hold_s]
    return np.array([edge for edge in edges if 0 <= edge < duration_s], np.float64)
