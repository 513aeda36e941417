# SPDX-License-Identifier: MIT
"""Ground layer: weather and time of day of a whole site, as a function of time."""

import math
from dataclasses import dataclass, replace

DAY_S = 86400.0
BUSIEST_H = 14.0


@dataclass(frozen=True)
class Change:
    """The weather at one time; values between two times are interpolated linearly."""

    t_s: float
    wind_m_s: float
    rain_mm_h: float


@dataclass(frozen=True)
class Weather:
    """`level_nm_s` without wind; `drift_db` its slow change; wind and rain as named.

    `wind_db_per_m_s`: 0.4..1.4 on bare ground, up to 5 among trees. `day_night_db`: how much louder
    the ambient is at BUSIEST_H than twelve hours later (about 11 near roads, Peterson 1993 and
    urban noise studies); second 0 is `start_h` o'clock. `changes` override wind and rain.
    """

    level_nm_s: float = 100.0
    drift_db: float = 1.5
    wind_m_s: float = 2.0
    rain_mm_h: float = 0.0
    wind_db_per_m_s: float = 2.5
    day_night_db: float = 0.0
    start_h: float = 0.0
    changes: tuple[Change, ...] = ()

    def at(self, t_s: float) -> "Weather":
        """The weather at that time; itself when it does not change."""
        if not self.changes and not self.day_night_db:
            return self
        hour = self.start_h + t_s / 3600
        swing_db = 0.5 * self.day_night_db * math.cos(2 * math.pi * (hour - BUSIEST_H) / 24)
        wind_m_s, rain_mm_h = self._wind_and_rain(t_s)
        level_nm_s = self.level_nm_s * 10 ** (swing_db / 20)
        return replace(self, level_nm_s=level_nm_s, wind_m_s=wind_m_s, rain_mm_h=rain_mm_h)

    def _wind_and_rain(self, t_s: float) -> tuple[float, float]:
        before = Change(0.0, self.wind_m_s, self.rain_mm_h)
        for change in self.changes:
            if change.t_s > t_s:
                share = (t_s - before.t_s) / (change.t_s - before.t_s)
                return (
                    before.wind_m_s + share * (change.wind_m_s - before.wind_m_s),
                    before.rain_mm_h + share * (change.rain_mm_h - before.rain_mm_h),
                )
            before = change
        return before.wind_m_s, before.rain_mm_h

    def conditions(self, duration_s: float) -> list[dict[str, object]]:
        """Entries of truth.json: the intervals between changes with their mean levels."""
        ends = [0.0, *(c.t_s for c in self.changes if 0 < c.t_s < duration_s), duration_s]
        found: list[dict[str, object]] = []
        for kind in ("wind_m_s", "rain_mm_h"):
            for t0_s, t1_s in zip(ends[:-1], ends[1:], strict=True):
                both = [self.at(t0_s), self.at(t1_s - 1e-6)]
                level = sum(float(getattr(weather, kind)) for weather in both) / 2
                if not self.changes:
                    level = float(getattr(self, kind))
                found.append({"t0_s": t0_s, "t1_s": t1_s, "kind": kind, "level": level})
        level = self.level_nm_s
        found.append({"t0_s": 0.0, "t1_s": duration_s, "kind": "ambient_nm_s", "level": level})
        return found
