# SPDX-License-Identifier: MIT
"""Ground layer: distant events at every node: thunder, blasts, earthquakes.

Thunder couples through the air, 4..12 Hz for about 12 s (log-normal), and crosses the site at 340
m/s; infrasound couples about 2 um/s per Pa (1..13). Body and surface waves of blasts and quakes
cross it within aperture over km/s: all nodes at once.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import signal

from sim_hardware.world.geophone import FS_HZ
from sim_hardware.world.nuisance import FArray, NuisanceSpec, Place, condition

SOUND_M_S = 340.0
_COMMON = 0.85  # share of amplitude that is equal at all nodes of a site


@dataclass(frozen=True)
class Event:
    """One arrival: start time, speed of its front, and envelope."""

    leaves_s: float
    front_m_s: float
    envelope: FArray
    band_hz: tuple[float, float]
    level_nm_s: float

    @property
    def length_s(self) -> float:
        """Duration at one place."""
        return self.envelope.size / FS_HZ


def _time(length_s: float) -> FArray:
    return np.arange(int(length_s * FS_HZ)) / FS_HZ


def _thunder(rng: np.random.Generator) -> tuple[float, FArray, tuple[float, float], float]:
    length_s = float(np.clip(rng.lognormal(math.log(12), 0.4), 5, 30))
    t = _time(length_s)
    envelope = 0.3 * np.sin(np.pi * t / length_s)
    for _ in range(int(rng.integers(2, 6))):
        after = t - rng.uniform(0, 0.7) * length_s
        clap = (1 - np.exp(-after / rng.uniform(0.04, 0.15))) * np.exp(
            -after / rng.uniform(0.5, 2.0)
        )
        envelope = envelope + np.where(after > 0, clap, 0) * rng.uniform(0.4, 1)
    return SOUND_M_S, envelope, (rng.uniform(4, 6), rng.uniform(10, 14)), 2000.0


def _blast(rng: np.random.Generator) -> tuple[float, FArray, tuple[float, float], float]:
    # a ramp of 0.2..2 s, 2..15 Hz, a coda of 5..30 s
    ramp_s, coda_s = rng.uniform(0.2, 2), rng.uniform(1.7, 8)
    t = _time(ramp_s + 3.5 * coda_s)
    envelope = np.minimum(t / ramp_s, 1) * np.exp(-np.maximum(t - ramp_s, 0) / coda_s)
    return rng.uniform(2000, 4000), envelope, (2.5, rng.uniform(10, 15)), 3000.0


def _quake(rng: np.random.Generator) -> tuple[float, FArray, tuple[float, float], float]:
    # P, then S three times as strong after distance / 8 km per second, then coda
    gap_s, coda_s = rng.uniform(2, 12), rng.uniform(6, 20)
    t = _time(gap_s + 3.5 * coda_s)
    after = t - gap_s
    envelope = 0.33 * np.minimum(t / 0.15, 1) * np.exp(-t / (0.7 * gap_s + 2))
    s_wave = np.minimum(after / 0.5, 1) * np.exp(-after / coda_s)
    return rng.uniform(4000, 8000), envelope + np.where(after > 0, s_wave, 0), (1.5, 9.0), 2500.0


_KINDS = {"thunder": _thunder, "blast": _blast, "quake": _quake}
ARRIVALS = tuple(_KINDS)


def event(spec: NuisanceSpec, number: int, rng: np.random.Generator) -> Event:
    """Event `number` (from 0) of a spec; they come every `every_s` on average, evenly scattered."""
    late_s = rng.uniform(0, 1) * spec.every_s if number else 0.0
    front_m_s, envelope, band_hz, level_nm_s = _KINDS[spec.kind](rng)
    level_nm_s = (spec.level_nm_s or level_nm_s) * 10 ** (rng.normal(0, 4) / 20)
    if spec.level_nm_s and not spec.every_s:
        level_nm_s = spec.level_nm_s
    leaves_s = spec.start_s + number * spec.every_s + late_s
    return Event(leaves_s, front_m_s, envelope, band_hz, level_nm_s)


class Arrivals:
    """All events of one spec at one node."""

    def __init__(self, spec: NuisanceSpec, place: Place) -> None:
        self._spec = spec
        self._place = place
        self._number = 0
        self._due: tuple[Event, float] | None = None
        self._running: list[tuple[int, FArray]] = []  # first sample, samples
        self._post = place.geophone.sections()

    def _next(self) -> tuple[Event, float] | None:
        spec, place = self._spec, self._place
        if self._due is None and (spec.every_s or not self._number):
            one = event(spec, self._number, place.site_rng(spec, self._number))
            delay_s = place.distance_m(spec.x_m, spec.y_m) / one.front_m_s
            self._due = one, one.leaves_s + delay_s
        return self._due

    def _make(self, one: Event) -> FArray:
        size = one.envelope.size
        shared = self._place.site_rng(self._spec, self._number, 1).standard_normal(size)
        own = self._place.own_rng(self._spec, self._number)
        mixed = _COMMON * shared + math.sqrt(1 - _COMMON**2) * own.standard_normal(size)
        band = signal.butter(2, one.band_hz, "band", fs=FS_HZ, output="sos")
        shaped = signal.sosfilt(self._post, signal.sosfilt(band, mixed) * one.envelope)
        power = np.convolve(shaped**2, np.ones(FS_HZ) / FS_HZ, "valid")
        loudest = math.sqrt(float(power.max()))
        return np.asarray(shaped * one.level_nm_s / loudest * 10 ** (own.normal(0, 1.5) / 20))

    def second(self, number: int) -> FArray | None:
        """As Source."""
        while (due := self._next()) is not None and due[1] < number + 1:
            one, arrives_s = due
            self._running.append((int(round(arrives_s * FS_HZ)), self._make(one)))
            self._number += 1
            self._due = None
        if not self._running:
            return None
        out = np.zeros(FS_HZ)
        begin = number * FS_HZ
        for first, samples in self._running:
            low, high = max(first, begin), min(first + samples.size, begin + FS_HZ)
            if low < high:
                out[low - begin : high - begin] += samples[low - first : high - first]
        self._running = [
            (first, samples) for first, samples in self._running if first + samples.size > begin
        ]
        return out


def arrival_conditions(
    spec: NuisanceSpec, place: Place, duration_s: float
) -> list[dict[str, object]]:
    """Truth: when each event arrived at `place` (the middle of the site)."""
    found: list[dict[str, object]] = []
    number = 0
    while True:
        one = event(spec, number, place.site_rng(spec, number))
        t0_s = one.leaves_s + place.distance_m(spec.x_m, spec.y_m) / one.front_m_s
        if spec.start_s + number * spec.every_s >= duration_s:
            return found
        if t0_s < duration_s:
            found.append(
                condition(spec, t0_s, min(t0_s + one.length_s, duration_s), one.level_nm_s)
            )
        number += 1
        if not spec.every_s:
            return found
