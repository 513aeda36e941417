# SPDX-License-Identifier: MIT
"""Ground layer: nuisances, which are sources without an actor: their description and interface."""

import math
from dataclasses import dataclass
from typing import Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from sim_hardware.world.ambient import AT_ONCE_S, Gusts
from sim_hardware.world.geophone import FS_HZ, Geophone
from sim_hardware.world.weather import Weather

FArray = NDArray[np.float64]
SECOND = np.arange(FS_HZ) / FS_HZ


@dataclass(frozen=True)
class NuisanceSpec:
    """One source. 0 means: typical of the kind, or drawn. Times in seconds, places in metres.

    `level_nm_s` is an rms at the geophone: at 10 m of a pump, a tree (in 10 m/s of wind) and each
    vehicle on a road; at 500 m of a helicopter; the loudest second anywhere for a distant
    event (thunder, blast, quake).
    """

    id: str
    kind: str
    x_m: float = 0.0
    y_m: float = 0.0
    path: tuple[tuple[float, float], ...] = ()
    start_s: float = 0.0
    every_s: float = 0.0  # on average; 0: once
    level_nm_s: float = 0.0
    speed_m_s: float = 0.0
    height_m: float = 0.0
    hz: float = 0.0
    on_s: float = 0.0
    off_s: float = 0.0
    per_h: float = 0.0


@dataclass(frozen=True)
class Place:
    """One node: its position, geophone and seeds, the weather and the wind."""

    x_m: float
    y_m: float
    geophone: Geophone
    site_seed: int
    node_seed: tuple[int, ...]
    weather: Weather
    gusts: Gusts

    def site_rng(self, spec: NuisanceSpec, *more: int) -> np.random.Generator:
        """A generator with the same draws at all nodes."""
        return np.random.default_rng([self.site_seed, crc32(spec.id.encode()), 21, *more])

    def own_rng(self, spec: NuisanceSpec, *more: int) -> np.random.Generator:
        """A generator of this node only."""
        return np.random.default_rng([*self.node_seed, crc32(spec.id.encode()), 22, *more])

    def distance_m(self, x_m: float, y_m: float) -> float:
        """Horizontal distance from the node."""
        return math.hypot(x_m - self.x_m, y_m - self.y_m)

    def gain(self, hz: float) -> float:
        """Gain of the geophone for a tone."""
        return float(np.abs(self.geophone.response(np.array([hz])))[0])


class Source(Protocol):
    """One nuisance at one node."""

    def second(self, number: int) -> FArray | None:
        """FS_HZ samples in nm/s of second `number`, called in order; None for silence."""


class SeveralAtOnce:
    """A source that computes AT_ONCE_S seconds in one call, from second 0 on."""

    def __init__(self) -> None:
        self._ready: list[FArray] = []

    def _make(self, first: int) -> FArray:
        """AT_ONCE_S seconds from second `first` on."""
        raise NotImplementedError

    def second(self, number: int) -> FArray | None:
        """As Source."""
        if not self._ready:
            self._ready = np.split(self._make(number), AT_ONCE_S)[::-1]
        return self._ready.pop()


def condition(spec: NuisanceSpec, t0_s: float, t1_s: float, level: float) -> dict[str, object]:
    """A line of truth.json's conditions."""
    return {
        "t0_s": round(t0_s, 3),
        "t1_s": round(t1_s, 3),
        "kind": spec.kind,
        "level": round(level, 3),
        "id": spec.id,
    }
