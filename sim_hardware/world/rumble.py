# SPDX-License-Identifier: MIT
"""Ground layer: continuous sources: a distant road, trees in the wind.

The level of a road halves with each doubling of the distance. The roots of a tree move as its trunk
sways at 0.15..0.6 Hz (Moore & Maguire, Trees 18, 195), with the square of the wind. The rhythm is
that of slow digging.
"""

import math

import numpy as np
from scipy import signal

from sim_hardware.world.ambient import AT_ONCE_S
from sim_hardware.world.geophone import FS_HZ
from sim_hardware.world.nuisance import FArray, NuisanceSpec, Place, SeveralAtOnce

_HOUR_S = 3600.0
_SAMPLES = AT_ONCE_S * FS_HZ
_TIMES = np.arange(_SAMPLES) / FS_HZ
_HALVES = np.arange(2 * AT_ONCE_S + 1) / 2


class _Noise:
    """White noise in a band behind the node's geophone, rms about 1."""

    def __init__(self, rng: np.random.Generator, place: Place, order: int, band: FArray) -> None:
        self._rng = rng
        shape = signal.butter(order, band, "band", fs=FS_HZ, output="sos")
        self._sos = np.vstack([shape, place.geophone.sections()])
        self._state = np.zeros((self._sos.shape[0], 2))
        f_hz = np.linspace(0, FS_HZ / 2, 2000)
        gain = np.abs(signal.sosfreqz(self._sos, f_hz, fs=FS_HZ)[1])
        self._unit = 1 / math.sqrt(float(np.mean(gain**2)))

    def seconds(self) -> FArray:
        white = self._rng.standard_normal(_SAMPLES) * self._unit
        out, self._state = signal.sosfilt(self._sos, white, zi=self._state)
        return np.asarray(out)


class Road(SeveralAtOnce):
    """`per_h` vehicles at random times along `path`; the noise of each node is independent."""

    def __init__(self, spec: NuisanceSpec, place: Place) -> None:
        super().__init__()
        self._spec = spec
        self._place = place
        own = place.own_rng(spec)
        self._noise = _Noise(own, place, 2, np.array([6, own.uniform(20, 28)]))
        self._level = (spec.level_nm_s or 6000.0) * 10 ** (own.normal(0, 2) / 20)
        self._speed_m_s = spec.speed_m_s or 20.0
        self._xy = np.array(spec.path, dtype=np.float64)
        self._along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(self._xy, axis=0).T))])
        self._hours: dict[int, FArray] = {}

    def _traffic(self, hour: int) -> FArray:
        """(n, 3): time at the path's start, direction, factor on the level."""
        if hour not in self._hours:
            rng = self._place.site_rng(self._spec, hour + 10)
            count = int(rng.poisson(self._spec.per_h or 60.0)) if hour >= 0 else 0
            times_s = _HOUR_S * (hour + np.sort(rng.random(count)))
            ways, factors = rng.integers(0, 2, count), rng.lognormal(0, 0.6, count)
            self._hours[hour] = np.column_stack([times_s, ways, factors])
            self._hours.pop(hour - 3, None)
        return self._hours[hour]

    def _levels(self, t_s: FArray) -> FArray:
        """Amplitude at each time, of all vehicles together, over that of one at 10 m."""
        hour, last = int(t_s[0] // _HOUR_S), int(t_s[-1] // _HOUR_S)
        cars = np.vstack([self._traffic(h) for h in range(hour - 1, last + 1)])
        length_m = float(self._along[-1])
        near = (cars[:, 0] < t_s[-1]) & (cars[:, 0] + length_m / self._speed_m_s > t_s[0])
        cars = cars[near]
        gone_m = (t_s[None, :] - cars[:, :1]) * self._speed_m_s
        here = (gone_m > 0) & (gone_m < length_m)
        way_m = np.where(cars[:, 1:2] > 0, gone_m, length_m - gone_m)
        x = np.interp(way_m, self._along, self._xy[:, 0]) - self._place.x_m
        y = np.interp(way_m, self._along, self._xy[:, 1]) - self._place.y_m
        r_m = np.maximum(np.hypot(x, y), 3.0)
        levels = here * cars[:, 2:3] * (10 / r_m) * np.exp(-0.003 * (r_m - 10))
        return np.asarray(np.sqrt(np.sum(levels**2, axis=0)))

    def _make(self, first: int) -> FArray:
        levels = self._levels(first - self._spec.start_s + _HALVES)
        return self._level * np.interp(_TIMES, _HALVES, levels) * self._noise.seconds()


class Tree(SeveralAtOnce):
    """One tree; its level is that at 10 m in 10 m/s of wind."""

    def __init__(self, spec: NuisanceSpec, place: Place) -> None:
        super().__init__()
        self._place = place
        shared, own = place.site_rng(spec), place.own_rng(spec)
        self._sway_hz = spec.hz or float(shared.uniform(0.15, 0.6))
        self._phase = float(shared.uniform(0, 2 * math.pi))
        r_m = max(place.distance_m(spec.x_m, spec.y_m), 1.0)
        fall = (r_m / 10) ** -0.8 * math.exp(-0.015 * (r_m - 10))
        self._level = (spec.level_nm_s or 600.0) * fall * 10 ** (own.normal(0, 3) / 20)
        self._noise = _Noise(own, place, 1, np.array([8, own.uniform(25, 45)]))

    def _make(self, first: int) -> FArray:
        numbers = range(first, first + AT_ONCE_S)
        winds = [self._place.weather.at(float(number)).wind_m_s / 10 for number in numbers]
        gusts = np.array([np.mean(self._place.gusts.second(number)) for number in numbers])
        force = np.repeat(np.square(winds) * np.exp(0.5 * gusts - 0.12), FS_HZ)
        t_s = first + _TIMES
        wobble = 0.8 * np.sin(2 * math.pi * t_s / 31 + self._phase)
        sway = np.abs(np.sin(math.pi * self._sway_hz * t_s + wobble + self._phase)) ** 3
        return np.asarray(self._level * force * (0.2 + 1.6 * sway) * self._noise.seconds())
