# SPDX-License-Identifier: MIT
"""Ground layer: the continuous noise: ambient, wind, rain.

The filters keep their state between seconds, so the data do not depend on the block length. Several
seconds are filtered at once for speed only. Levels are rms in 8..60 Hz at the geophone output.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from sim_hardware.world.geophone import FS_HZ, Geophone
from sim_hardware.world.weather import Weather

__all__ = ["Ambient", "Gusts", "Weather"]

AT_ONCE_S = 8
KNOTS = 4  # levels are interpolated linearly between quarters of a second
_KNOT = FS_HZ // KNOTS
_BAND = signal.butter(2, [8, 60], "band", fs=FS_HZ, output="sos")
FArray = NDArray[np.float64]


def _band_rms(sos: FArray) -> float:
    """8..60 Hz rms of unit white noise through `sos`."""
    f = np.linspace(1, FS_HZ / 2 - 1, 2000)
    gain = np.abs(signal.sosfreqz(sos, f, fs=FS_HZ)[1]) * np.abs(
        signal.sosfreqz(_BAND, f, fs=FS_HZ)[1]
    )
    return float(np.sqrt(np.mean(gain**2)))


class _Drift:
    """Ornstein-Uhlenbeck process sampled at knots: zero mean, unit deviation."""

    def __init__(self, rng: np.random.Generator, tau_s: float) -> None:
        self._rng = rng
        self._keep = math.exp(-1 / (KNOTS * tau_s))
        self._value = float(rng.standard_normal())

    def second(self) -> FArray:
        """KNOTS + 1 values: the last one of the second before, then this one's."""
        noise = self._rng.standard_normal(KNOTS) * math.sqrt(1 - self._keep**2)
        out = [self._value]
        for kick in noise:
            self._value = self._value * self._keep + float(kick)
            out.append(self._value)
        return np.array(out)


_GRID = np.arange(FS_HZ) / _KNOT


def _lines(knots: Sequence[FArray]) -> FArray:
    """Linear interpolation between the knots of each second, one value per sample."""
    return np.concatenate([np.interp(_GRID, np.arange(KNOTS + 1), one) for one in knots])


class _Coloured:
    def __init__(self, sos: FArray) -> None:
        self._sos = sos
        self._state = np.zeros((sos.shape[0], 2))
        self._unit = 1 / _band_rms(sos)

    def filter(self, white: Sequence[FArray]) -> FArray:
        """The next seconds: white noise of rms 1 becomes coloured with rms 1 in 8..60 Hz."""
        data = np.concatenate(white) * self._unit
        out, self._state = signal.sosfilt(self._sos, data, zi=self._state)
        return np.asarray(out)


class Gusts:
    """Wind over the whole site: shared by its nodes. Time constant 100 / U seconds."""

    def __init__(self, rng: np.random.Generator, wind_m_s: float) -> None:
        self._drift = _Drift(rng, 100 / max(wind_m_s, 0.5))
        self._made: dict[int, FArray] = {}
        self._next = 0

    def second(self, number: int) -> FArray:
        """KNOTS + 1 values of second `number`, of unit deviation; the newest ones are kept."""
        while self._next <= number:
            self._made[self._next] = self._drift.second()
            self._made.pop(self._next - 4 * AT_ONCE_S, None)
            self._next += 1
        return self._made[number]


@dataclass(frozen=True)
class _Second:
    """The random draws of one second, in this order."""

    weather: Weather
    level: FArray
    still: FArray
    hiss: FArray
    own_gust: FArray
    flutter: FArray
    wind: FArray
    leaves: FArray
    rain: FArray | None


class Ambient:
    """One node's noise, one second after another."""

    def __init__(
        self, rng: np.random.Generator, weather: Weather, geophone: Geophone, gusts: Gusts
    ) -> None:
        self._weather = weather
        self._gusts = gusts
        post = geophone.sections()
        corner = rng.uniform(8, 30)
        still = signal.butter(1, corner, fs=FS_HZ, output="sos")
        # flat to about 10 Hz, then falling; foliage and fences add a part around 20..60 Hz
        wind = signal.butter(2, rng.uniform(8, 20), fs=FS_HZ, output="sos")
        leaves = signal.butter(1, [20, rng.uniform(40, 70)], "band", fs=FS_HZ, output="sos")
        self._still = _Coloured(np.vstack([still, post]))
        self._hiss = _Coloured(post)
        self._wind = _Coloured(np.vstack([wind, post]))
        self._leaves = _Coloured(np.vstack([leaves, post]))
        self._hiss_share = rng.uniform(0.2, 0.6)
        self._leaf_share = rng.uniform(0.1, 0.6)
        self._level_drift = _Drift(rng, 60.0)
        self._own_gust = _Drift(rng, 40 / max(weather.wind_m_s, 0.5))
        self._flutter = _Drift(rng, 1.5)
        self._rng = rng
        self._post = post
        self._rain_state = np.zeros((post.shape[0], 2))
        self._drawn = 0
        self._ready: list[FArray] = []

    def second(self) -> FArray:
        """The next FS_HZ samples in nm/s."""
        if not self._ready:
            first = self._drawn
            self._drawn += AT_ONCE_S
            batch = self._filter([self._draw(n) for n in range(first, self._drawn)], first)
            self._ready = np.split(batch, AT_ONCE_S)[::-1]
        return self._ready.pop()

    def _draw(self, number: int) -> _Second:
        weather = self._weather.at(float(number))
        white = self._rng.standard_normal
        return _Second(
            weather=weather,
            level=self._level_drift.second(),
            still=white(FS_HZ),
            hiss=white(FS_HZ),
            own_gust=self._own_gust.second(),
            flutter=self._flutter.second(),
            wind=white(FS_HZ),
            leaves=white(FS_HZ),
            rain=self._drops(weather.rain_mm_h) if weather.rain_mm_h > 0 else None,
        )

    def _filter(self, drawn: list[_Second], first: int) -> FArray:
        weather = self._weather
        levels = np.repeat([one.weather.level_nm_s for one in drawn], FS_HZ)
        level = levels * 10 ** (_lines([one.level for one in drawn]) * weather.drift_db / 20)
        share = self._hiss_share
        still = self._still.filter([one.still for one in drawn])
        noise = level * (
            math.sqrt(1 - share**2) * still + share * self._hiss.filter([o.hiss for o in drawn])
        )
        # about 2.5 dB per m/s with vegetation; gusts log-normal, deviation 0.5..0.9 of the mean
        gusts = [self._gusts.second(first + i) for i in range(len(drawn))]
        swing = 0.55 * _lines(gusts) + 0.35 * _lines([one.own_gust for one in drawn])
        swing += 0.25 * _lines([one.flutter for one in drawn])
        breeze = np.repeat([_breeze_nm_s(one.weather) for one in drawn], FS_HZ)
        breeze = breeze * np.exp(swing - 0.25)
        share = self._leaf_share
        wind = self._wind.filter([one.wind for one in drawn])
        noise += breeze * (
            math.sqrt(1 - share**2) * wind + share * self._leaves.filter([o.leaves for o in drawn])
        )
        if any(one.rain is not None for one in drawn):
            still_air = np.zeros(FS_HZ)
            drops = [still_air if one.rain is None else one.rain for one in drawn]
            rain, self._rain_state = signal.sosfilt(
                self._post, np.concatenate(drops), zi=self._rain_state
            )
            noise += rain
        return np.asarray(noise)

    def _drops(self, rain_mm_h: float) -> FArray:
        drops = np.zeros(FS_HZ)
        count = int(self._rng.poisson(3.0 * rain_mm_h))
        at = self._rng.integers(0, FS_HZ, count)
        np.add.at(
            drops,
            at,
            self._rng.lognormal(math.log(900), 0.9, count) * self._rng.choice([-1, 1], count),
        )
        return drops


def _breeze_nm_s(weather: Weather) -> float:
    if weather.wind_m_s <= 0:
        return 0.0
    return float(12 * 10 ** (weather.wind_db_per_m_s * weather.wind_m_s / 20))
