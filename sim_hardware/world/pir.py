# SPDX-License-Identifier: MIT
"""Ground layer: a PIR with a dual element behind a Fresnel lens, as output edges.

The lens casts pairs of zones, one pair every 10 degrees; each crossing of a zone border by a warm
body gives a pulse and the output stays high for the hold time. Walking straight at the sensor
crosses no border and is not detected.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sim_hardware.world.warmth import PirNuisances, PirWeather, reach

Bodies = dict[str, tuple[NDArray[np.float64], float]]
FIELD_DEG = 100.0
ZONE_DEG = 5.0
HOLD_S = 1.2
STEP_S = 0.05
_SEEN = 0.8  # share of border crossings that exceed the threshold at middle range


@dataclass
class Pir:
    """`azimuth_deg` clockwise from north; edges toggle, starting low."""

    x_m: float
    y_m: float
    azimuth_deg: float
    range_m: float
    rng: np.random.Generator
    false_per_h: float = 0.0
    seed: list[int] = field(default_factory=list)
    weather: PirWeather = field(default_factory=PirWeather)
    nuisances: PirNuisances | None = None
    _zones: dict[str, int] = field(default_factory=dict)
    _reach: dict[str, float] = field(default_factory=dict)
    _high_until_s: float = -1.0
    _is_high: bool = False

    def _zone(self, x_m: float, y_m: float, range_m: float) -> int | None:
        dx, dy = x_m - self.x_m, y_m - self.y_m
        if math.hypot(dx, dy) > range_m:
            return None
        off = math.degrees(math.atan2(dx, dy)) - self.azimuth_deg
        off = (off + 180) % 360 - 180
        if abs(off) > FIELD_DEG / 2:
            return None
        return int((off + FIELD_DEG / 2) // ZONE_DEG)

    def _range_m(self, name: str, seen: float) -> float:
        """Range for this body; `seen` is its size relative to a standing person."""
        if name not in self._reach:
            self._reach[name] = seen * reach(self.weather.air_c, name, self.seed)
        return self.range_m * self._reach[name]

    def forget(self, name: str) -> None:
        """Delete the state of a pass that is over."""
        for key in [key for key in self._reach if key.split("/")[0] == name]:
            del self._reach[key]

    def second(self, start_s: float, bodies: Bodies, wind_m_s: float = 0.0) -> list[float]:
        """Edge times in this second. `bodies`: of each warm body (n, 2) positions every STEP_S
        and its range relative to a standing person."""
        edges: list[float] = []
        hits = self.nuisances.second(start_s, wind_m_s) if self.nuisances else []
        for name, (path, seen) in bodies.items():
            range_m = self._range_m(name, seen)
            if name not in self._zones and _is_out(path, self.x_m, self.y_m, range_m):
                continue
            for i, (x_m, y_m) in enumerate(path):
                zone = self._zone(float(x_m), float(y_m), range_m)
                before = self._zones.pop(name, None)
                if zone is not None:
                    self._zones[name] = zone
                if zone is None or before is None or zone == before:
                    continue
                share = math.hypot(x_m - self.x_m, y_m - self.y_m) / range_m
                if self.rng.random() < _SEEN * (1.5 - share):
                    hits.append(start_s + i * STEP_S)
        for _ in range(int(self.rng.poisson(self.false_per_h / 3600))):
            hits.append(start_s + float(self.rng.integers(0, 20)) * STEP_S)
        if not hits and not self._is_high:
            return edges
        for i in range(int(round(1 / STEP_S))):
            now_s = start_s + i * STEP_S
            if any(abs(hit - now_s) < STEP_S / 2 for hit in hits):
                self._high_until_s = now_s + HOLD_S
                if not self._is_high:
                    self._is_high = True
                    edges.append(now_s)
            elif self._is_high and now_s >= self._high_until_s:
                self._is_high = False
                edges.append(now_s)
        return edges


def _is_out(path: NDArray[np.float64], x_m: float, y_m: float, range_m: float) -> bool:
    dx, dy = np.abs(path[:, 0] - x_m), np.abs(path[:, 1] - y_m)
    return bool(np.maximum(dx, dy).min() > range_m)
