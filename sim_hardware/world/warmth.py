# SPDX-License-Identifier: MIT
"""Ground layer: the effect of temperature on a PIR, and its triggers without a person."""

from dataclasses import dataclass
from zlib import crc32

import numpy as np

SKIN_C = 34.0
# The received power goes with the contrast over the square of the distance, less what the lens
# loses off its focus: a range of 12 m with 10 K of contrast is 5..6 m with 3 K.
_POWER = 0.6
_FULL_K = 10.0
_MAX_RANGE = 1.2
_TICKS = 20  # hits fall on the time steps of the sensor


@dataclass(frozen=True)
class PirWeather:
    """`air_c` None: always full contrast. The rest are hourly rates.

    `sun_per_h`: ramps as clouds uncover the sun; `plants_per_h`: heated leaves moving, at 10 m/s of
    wind; `small_animals_per_h`: within 3 m; `insects_per_h`: on the lens.
    """

    air_c: float | None = None
    sun_per_h: float = 0.0
    plants_per_h: float = 0.0
    small_animals_per_h: float = 0.0
    insects_per_h: float = 0.0


def reach(air_c: float | None, name: str, seed: list[int]) -> float:
    """Range for one body over the range with 10 K of contrast.

    Clothing leaves 0.4..0.7 of the skin's contrast to the air, drawn once for each body.
    """
    if air_c is None:
        return 1.0
    rng = np.random.default_rng([*seed, 9, crc32(name.encode())])
    contrast_k = abs(SKIN_C - air_c) * rng.uniform(0.4, 0.7)
    return float(min(_MAX_RANGE, (contrast_k / _FULL_K) ** _POWER))


class PirNuisances:
    """Times at which one sensor triggers without a person."""

    def __init__(self, rng: np.random.Generator, weather: PirWeather) -> None:
        self._rng = rng
        self._weather = weather
        self._due_s: list[float] = []

    def second(self, start_s: float, wind_m_s: float) -> list[float]:
        """Hits in the second from `start_s`, as times."""
        weather, rng = self._weather, self._rng
        plants_per_h = weather.plants_per_h * (wind_m_s / 10) ** 2
        for per_h, count, length_s in (
            (weather.sun_per_h, (1, 4), 10.0),
            (plants_per_h, (1, 3), 3.0),
            (weather.small_animals_per_h, (2, 6), 5.0),
            (weather.insects_per_h, (1, 3), 1.0),
        ):
            for _ in range(int(rng.poisson(per_h / 3600))):
                ticks = rng.integers(0, int(length_s * _TICKS), int(rng.integers(*count)))
                self._due_s += [start_s + int(tick) / _TICKS for tick in ticks]
        hits = [t_s for t_s in self._due_s if t_s < start_s + 1]
        self._due_s = [t_s for t_s in self._due_s if t_s >= start_s + 1]
        return hits
