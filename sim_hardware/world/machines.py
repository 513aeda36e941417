# SPDX-License-Identifier: MIT
"""Ground room: machines at work: a helicopter overhead, a pump next door, a road far off.

A helicopter is the comb of its blade passing frequency (12..22 Hz) with Doppler shift; a pump a
line (75 Hz behind a 25 Hz shaft) that runs 5 minutes and rests 17..34; a road a low rumble that
halves with each doubling of the distance.
"""

import math

import numpy as np
from scipy import signal

from sim_hardware.world.arrivals import SOUND_M_S
from sim_hardware.world.geophone import FS_HZ
from sim_hardware.world.nuisance import SECOND, FArray, NuisanceSpec, Place

_HOUR_S = 3600.0


class Helicopter:
    """Flies along `path` at `height_m`; each node hears it from its own distance."""

    _HARMONICS = 8

    def __init__(self, spec: NuisanceSpec, place: Place) -> None:
        self._place = place
        rng = place.site_rng(spec)
        self._hz = spec.hz or float(rng.uniform(12, 22))
        self._height_m = spec.height_m or 150.0
        xy = np.array(spec.path, dtype=np.float64)
        legs = np.hypot(*np.diff(xy, axis=0).T)
        speed_m_s = spec.speed_m_s or 50.0
        self._t_s = spec.start_s + np.concatenate([[0.0], np.cumsum(legs)]) / speed_m_s
        self._xy = xy
        orders = np.arange(1, self._HARMONICS + 1)
        self._phases = rng.uniform(0, 2 * math.pi, orders.size)
        weights = orders**-0.8 * 10 ** (rng.normal(0, 2, orders.size) / 20)
        ground = np.array([place.gain(float(order * self._hz)) for order in orders])
        coupling = 10 ** (place.own_rng(spec).normal(0, 2, orders.size) / 20)
        unit = math.sqrt(2 / float(np.sum((weights * ground) ** 2)))
        self._weights = (spec.level_nm_s or 800.0) * unit * weights * ground * coupling

    def _slant_m(self, t_s: FArray) -> FArray:
        x = np.interp(t_s, self._t_s, self._xy[:, 0]) - self._place.x_m
        y = np.interp(t_s, self._t_s, self._xy[:, 1]) - self._place.y_m
        return np.asarray(np.sqrt(x**2 + y**2 + self._height_m**2))

    def second(self, number: int) -> FArray | None:
        """As Source."""
        t_s = number + SECOND
        if t_s[-1] < self._t_s[0] or t_s[0] > self._t_s[-1] + 30:
            return None
        sent_s = t_s
        for _ in range(4):  # the sound heard now left when the machine was elsewhere
            sent_s = t_s - self._slant_m(sent_s) / SOUND_M_S
        flies = (sent_s > self._t_s[0]) & (sent_s < self._t_s[-1])
        level = np.where(flies, 500 / self._slant_m(sent_s), 0)
        # it comes from behind the horizon and goes there
        edge_s = np.minimum(sent_s - self._t_s[0], self._t_s[-1] - sent_s)
        level *= np.clip(edge_s / 5, 0, 1) * (1 + 0.2 * np.sin(0.7 * t_s))
        total = np.zeros(FS_HZ)
        turns = 2 * math.pi * self._hz * sent_s
        for order, (weight, phase) in enumerate(zip(self._weights, self._phases, strict=True), 1):
            total += weight * np.sin(order * turns + phase)
        return np.asarray(level * total)


class Pump:
    """A motor in a fixed place, on and off."""

    def __init__(self, spec: NuisanceSpec, place: Place) -> None:
        self._spec = spec
        self._rng = place.site_rng(spec)
        self._hz = spec.hz or 75.0
        r_m = max(place.distance_m(spec.x_m, spec.y_m), 1.0)
        fall = (r_m / 10) ** -0.7 * math.exp(-0.008 * (r_m - 10))
        level = (spec.level_nm_s or 1500.0) * fall * 10 ** (place.own_rng(spec).normal(0, 3) / 20)
        tones = np.array([self._hz, self._hz / 3, 2 * self._hz / 3])
        weights = np.array([1.0, 0.25, 0.1])
        self._phases = place.own_rng(spec, 1).uniform(0, 2 * math.pi, 3)
        self._tones = tones
        self._weights = level * math.sqrt(2) * weights / math.hypot(*weights)
        self._on_s = spec.start_s
        self._off_s = self._on_s + self._run_s()

    def _run_s(self) -> float:
        return self._spec.on_s or float(self._rng.uniform(240, 360))

    def _rest_s(self) -> float:
        return self._spec.off_s or float(self._rng.uniform(17 * 60, 34 * 60))

    def second(self, number: int) -> FArray | None:
        """As Source."""
        while self._off_s + 2 < number:
            self._on_s = self._off_s + self._rest_s()
            self._off_s = self._on_s + self._run_s()
        if number + 1 <= self._on_s:
            return None
        t_s = number + SECOND
        level = np.clip((t_s - self._on_s) / 1.5, 0, 1) * np.clip((self._off_s - t_s) / 1.0, 0, 1)
        # slip wanders a little: a phase of slow sines keeps every second reproducible
        slip = 0.6 * np.sin(2 * math.pi * t_s / 23) + 0.3 * np.sin(2 * math.pi * t_s / 7)
        total = np.zeros(FS_HZ)
        for hz, weight, phase in zip(self._tones, self._weights, self._phases, strict=True):
            total += weight * np.sin(2 * math.pi * hz * t_s + slip * hz / self._hz + phase)
        return np.asarray(level * total)


class Road:
    """Vehicles at random along `path`, `per_h` of them; the nodes hear them unlike one another."""

    def __init__(self, spec: NuisanceSpec, place: Place) -> None:
        self._spec = spec
        self._place = place
        own = place.own_rng(spec)
        self._rng = own
        band = signal.butter(2, [6, own.uniform(20, 28)], "band", fs=FS_HZ, output="sos")
        self._sos = np.vstack([band, place.geophone.sections()])
        self._state = np.zeros((self._sos.shape[0], 2))
        self._coupling = 10 ** (own.normal(0, 2) / 20)
        self._speed_m_s = spec.speed_m_s or 20.0
        self._xy = np.array(spec.path, dtype=np.float64)
        self._along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(self._xy, axis=0).T))])
        self._hours: dict[int, FArray] = {}

    def _traffic(self, hour: int) -> FArray:
        """(n, 3): time at the path's start, direction, factor on the level."""
        if hour not in self._hours:
            rng = self._place.site_rng(self._spec, hour + 10)
            count = int(rng.poisson(self._spec.per_h or 60.0)) if hour >= 0 else 0
            self._hours[hour] = np.column_stack([
                _HOUR_S * (hour + np.sort(rng.random(count))),
                rng.integers(0, 2, count),
                rng.lognormal(0, 0.6, count),
            ])  # fmt: skip
            self._hours.pop(hour - 3, None)
        return self._hours[hour]

    def _level(self, t_s: float) -> float:
        hour = int(t_s // _HOUR_S)
        length_m = self._along[-1]
        cars = np.vstack([self._traffic(hour - 1), self._traffic(hour)])
        gone_m = (t_s - cars[:, 0]) * self._speed_m_s
        here = (gone_m > 0) & (gone_m < length_m)
        if not here.any():
            return 0.0
        way_m = np.where(cars[here, 1] > 0, gone_m[here], length_m - gone_m[here])
        x = np.interp(way_m, self._along, self._xy[:, 0]) - self._place.x_m
        y = np.interp(way_m, self._along, self._xy[:, 1]) - self._place.y_m
        r_m = np.maximum(np.hypot(x, y), 3.0)
        levels = cars[here, 2] * (10 / r_m) * np.exp(-0.003 * (r_m - 10))
        return float(np.sqrt(np.sum(levels**2)))

    def second(self, number: int) -> FArray | None:
        """As Source."""
        white = self._rng.standard_normal(FS_HZ) * 2.8  # rms about 1 behind this band
        rumble, self._state = signal.sosfilt(self._sos, white, zi=self._state)
        levels = [self._level(number - self._spec.start_s + i) for i in (0.0, 0.5, 1.0)]
        if not any(levels):
            return None
        level = np.interp(SECOND, [0, 0.5, 1], levels)
        return np.asarray((self._spec.level_nm_s or 6000.0) * self._coupling * level * rumble)


class Tree:
    """Roots that rock as the trunk sways at 0.15..0.6 Hz (Moore & Maguire, Trees 18, 195).

    Grows with the square of the wind; the sway's rhythm is that of somebody digging slowly.
    """

    def __init__(self, spec: NuisanceSpec, place: Place) -> None:
        self._place = place
        shared, own = place.site_rng(spec), place.own_rng(spec)
        self._sway_hz = spec.hz or float(shared.uniform(0.15, 0.6))
        self._phase = float(shared.uniform(0, 2 * math.pi))
        r_m = max(place.distance_m(spec.x_m, spec.y_m), 1.0)
        fall = (r_m / 10) ** -0.8 * math.exp(-0.015 * (r_m - 10))
        self._level = (spec.level_nm_s or 600.0) * fall * 10 ** (own.normal(0, 3) / 20)
        self._rng = own
        band = signal.butter(1, [8, own.uniform(25, 45)], "band", fs=FS_HZ, output="sos")
        self._sos = np.vstack([band, place.geophone.sections()])
        self._state = np.zeros((self._sos.shape[0], 2))

    def second(self, number: int) -> FArray | None:
        """As Source."""
        white = self._rng.standard_normal(FS_HZ) * 2.5
        creak, self._state = signal.sosfilt(self._sos, white, zi=self._state)
        wind_m_s = self._place.weather.at(float(number)).wind_m_s
        gust = math.exp(0.5 * float(np.mean(self._place.gusts.second(number))) - 0.12)
        t_s = number + SECOND
        wobble = 0.8 * np.sin(2 * math.pi * t_s / 31 + self._phase)
        sway = np.abs(np.sin(math.pi * self._sway_hz * t_s + wobble + self._phase)) ** 3
        return np.asarray(self._level * (wind_m_s / 10) ** 2 * gust * (0.2 + 1.6 * sway) * creak)
