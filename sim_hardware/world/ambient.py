# SPDX-License-Identifier: MIT
"""Ground room: the noise that is always there: ambient, wind, rain.

Made in whole seconds with filters that carry their state, so the data do not depend on how the
stream is cut. Levels are rms in 8..60 Hz at the geophone output.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from sim_hardware.world.geophone import FS_HZ, Geophone

KNOTS = 4  # level changes are straight lines between quarters of a second
_KNOT = FS_HZ // KNOTS
_BAND = signal.butter(2, [8, 60], "band", fs=FS_HZ, output="sos")
FArray = NDArray[np.float64]


@dataclass(frozen=True)
class Weather:
    """`level_nm_s` without wind; `drift_db` its slow change; wind and rain as named."""

    level_nm_s: float = 100.0
    drift_db: float = 1.5
    wind_m_s: float = 2.0
    rain_mm_h: float = 0.0


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


def _lines(knots: FArray) -> FArray:
    x = np.arange(FS_HZ) / _KNOT
    return np.asarray(np.interp(x, np.arange(KNOTS + 1), knots))


class _Coloured:
    def __init__(self, rng: np.random.Generator, sos: FArray) -> None:
        self._rng = rng
        self._sos = sos
        self._state = np.zeros((sos.shape[0], 2))
        self._unit = 1 / _band_rms(sos)

    def second(self) -> FArray:
        out, self._state = signal.sosfilt(
            self._sos, self._rng.standard_normal(FS_HZ) * self._unit, zi=self._state
        )
        return np.asarray(out)


class Gusts:
    """Wind over the whole site: shared by its nodes. Time constant 100 / U seconds."""

    def __init__(self, rng: np.random.Generator, wind_m_s: float) -> None:
        self._drift = _Drift(rng, 100 / max(wind_m_s, 0.5))

    def second(self) -> FArray:
        return self._drift.second()


class Ambient:
    """One node's noise, one second after another."""

    def __init__(self, rng: np.random.Generator, weather: Weather, geophone: Geophone) -> None:
        self._weather = weather
        post = geophone.sections()
        corner = rng.uniform(8, 30)
        still = signal.butter(1, corner, fs=FS_HZ, output="sos")
        # flat to about 10 Hz, then falling; foliage and fences add a part around 20..60 Hz
        wind = signal.butter(2, rng.uniform(8, 20), fs=FS_HZ, output="sos")
        leaves = signal.butter(1, [20, rng.uniform(40, 70)], "band", fs=FS_HZ, output="sos")
        self._still = _Coloured(rng, np.vstack([still, post]))
        self._hiss = _Coloured(rng, post)
        self._wind = _Coloured(rng, np.vstack([wind, post]))
        self._leaves = _Coloured(rng, np.vstack([leaves, post]))
        self._hiss_share = rng.uniform(0.2, 0.6)
        self._leaf_share = rng.uniform(0.1, 0.6)
        self._level_drift = _Drift(rng, 60.0)
        self._own_gust = _Drift(rng, 40 / max(weather.wind_m_s, 0.5))
        self._flutter = _Drift(rng, 1.5)
        self._rng = rng
        self._post = post
        self._rain_state = np.zeros((post.shape[0], 2))

    def second(self, gust: FArray) -> FArray:
        """FS_HZ samples in nm/s; `gust` as Gusts.second gives it."""
        weather = self._weather
        level = weather.level_nm_s * 10 ** (
            _lines(self._level_drift.second()) * weather.drift_db / 20
        )
        share = self._hiss_share
        noise = level * (
            math.sqrt(1 - share**2) * self._still.second() + share * self._hiss.second()
        )
        # about 2.5 dB per m/s with vegetation; gusts log-normal, deviation 0.5..0.9 of the mean
        swing = 0.55 * _lines(gust) + 0.35 * _lines(self._own_gust.second())
        swing += 0.25 * _lines(self._flutter.second())
        breeze = 12 * 10 ** (2.5 * weather.wind_m_s / 20) * np.exp(swing - 0.25)
        if weather.wind_m_s <= 0:
            breeze *= 0
        share = self._leaf_share
        noise += breeze * (
            math.sqrt(1 - share**2) * self._wind.second() + share * self._leaves.second()
        )
        if weather.rain_mm_h > 0:
            noise += self._rain()
        return np.asarray(noise)

    def _rain(self) -> FArray:
        drops = np.zeros(FS_HZ)
        count = int(self._rng.poisson(3.0 * self._weather.rain_mm_h))
        at = self._rng.integers(0, FS_HZ, count)
        np.add.at(
            drops,
            at,
            self._rng.lognormal(math.log(900), 0.9, count) * self._rng.choice([-1, 1], count),
        )
        out, self._rain_state = signal.sosfilt(self._post, drops, zi=self._rain_state)
        return np.asarray(out)
