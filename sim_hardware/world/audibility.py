# SPDX-License-Identifier: MIT
"""Ground layer: which pass is audible at which node, from separate signal and noise.

A pass is audible at a node when, within 5 s of its closest approach, at least 2 of 6 consecutive
half-second cells hold a quarter second whose signal power in 8..60 Hz is 3 dB over the ambient:
the mean power of the noise alone (weather and nuisances included, knocks not) over the last 10 s.
So a miss of the detector can be separated from a pass without signal.
"""

import math
from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from sim_hardware.site import NodeSpec
from sim_hardware.world.actors import Pass, Track
from sim_hardware.world.geophone import FS_HZ
from sim_hardware.world.soil import FARTHEST_M

FArray = NDArray[np.float64]
_BAND = signal.butter(2, [8, 60], "band", fs=FS_HZ, output="sos")
_RATIO = 2.0  # 3 dB
_AMBIENT_S = 10
_QUARTERS = 4
CELLS_PER_S = 2
_WINDOW = 6
_ENOUGH = 2
NEAR_S = 5.0


class _Signal:
    """The signal of one pass at one node: its future samples and its past cells."""

    def __init__(self, start_s: float, length: int) -> None:
        self.start_s = start_s
        self.ahead = np.zeros(length)
        self.state = np.zeros((_BAND.shape[0], 2))
        self.cells: list[bool] = []


class NodeAudibility:
    """The audibility at one node. Call `add` before the `second` that it belongs to."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._second = 0
        self._noise_state = np.zeros((_BAND.shape[0], 2))
        self._powers: deque[float] = deque(maxlen=_AMBIENT_S)
        self._signals: dict[str, _Signal] = {}

    def add(self, name: str, start: int, samples: FArray) -> None:
        """Signal of a pass in nm/s, from sample `start` of this second on."""
        one = self._signals.get(name)
        if one is None:
            one = self._signals[name] = _Signal(float(self._second), self._length)
        one.ahead[start : start + samples.size] += samples

    def second(self, noise: FArray) -> None:
        """Complete this second: `noise` is its FS_HZ samples without signals, in nm/s."""
        band, self._noise_state = signal.sosfilt(_BAND, noise, zi=self._noise_state)
        self._powers.append(float(np.mean(band**2)))
        loud = _RATIO * sum(self._powers) / len(self._powers)
        for one in self._signals.values():
            if not one.ahead.any():
                one.cells += [False] * CELLS_PER_S
                continue
            band, one.state = signal.sosfilt(_BAND, one.ahead[:FS_HZ], zi=one.state)
            is_loud = np.mean(band.reshape(_QUARTERS, -1) ** 2, axis=1) > loud
            one.cells += [bool(cell) for cell in is_loud.reshape(CELLS_PER_S, -1).any(axis=1)]
            one.ahead[:-FS_HZ] = one.ahead[FS_HZ:]
            one.ahead[-FS_HZ:] = 0
        self._second += 1

    def forget(self, name: str) -> None:
        """End a pass: no more samples are added to it."""
        if name in self._signals:
            self._signals[name].ahead = np.zeros(FS_HZ)

    def cells(self, name: str) -> tuple[float, list[bool]]:
        """Start of the first half-second cell of a pass, and which cells were loud so far."""
        one = self._signals.get(name)
        return (0.0, []) if one is None else (one.start_s, one.cells)

    def audible_s(self, name: str, from_s: float, to_s: float) -> float | None:
        """First time in from_s..to_s at which the pass was audible, or None."""
        one = self._signals.get(name)
        if one is None:
            return None
        first = max(0, math.floor((from_s - one.start_s) * CELLS_PER_S))
        last = math.ceil((to_s - one.start_s) * CELLS_PER_S)
        loud = [i for i, cell in enumerate(one.cells[:last]) if cell and i >= first]
        for earlier, later in zip(loud, loud[_ENOUGH - 1 :], strict=False):
            if later - earlier < _WINDOW:
                return one.start_s + (later + 1) / CELLS_PER_S
        return None


class Audibility:
    """The audibility of all passes in one run; pass a new one to `World.blocks`."""

    def __init__(self) -> None:
        self.nodes: dict[str, NodeAudibility] = {}

    def node(self, name: str, length: int) -> NodeAudibility:
        """Add a node; `length`: samples that a signal may lie ahead."""
        self.nodes[name] = NodeAudibility(length)
        return self.nodes[name]

    def passes(
        self, passes: Iterable[Pass], nodes: Iterable[NodeSpec], end_s: float
    ) -> list[dict[str, object]]:
        """Truth by pass and node up to `end_s`, without pairs beyond FARTHEST_M.

        `audible_from_s`, where it exists, is the first audible time of the pass; it may be long
        before the closest approach.
        """
        found: list[dict[str, object]] = []
        places = list(nodes)
        for one in passes:
            for node in places:
                t_cpa_s, distance_m = closest(one.track, node.x_m, node.y_m, end_s)
                if distance_m > FARTHEST_M or t_cpa_s >= end_s:
                    continue
                near = (t_cpa_s - NEAR_S, t_cpa_s + NEAR_S)
                if one.spec.class_name == "digging":  # does not move
                    near = (one.track.start_s - NEAR_S, one.track.end_s + NEAR_S)
                at_node = self.nodes[node.id]
                entry: dict[str, object] = {
                    "actor": one.id,
                    "class": one.spec.class_name,
                    "node": node.id,
                    "t_cpa_s": round(t_cpa_s, 2),
                    "distance_m": round(distance_m, 2),
                    "audible": at_node.audible_s(one.id, *near) is not None,
                }
                from_s = at_node.audible_s(one.id, 0.0, end_s)
                if from_s is not None:
                    entry["audible_from_s"] = from_s
                found.append(entry)
        return found


def closest(track: Track, x_m: float, y_m: float, end_s: float) -> tuple[float, float]:
    """(time, distance) of the closest approach of a track before `end_s` to a point."""
    best = (track.start_s, math.inf)
    point = np.array([x_m, y_m])
    for i in range(track.t_s.size - 1):
        t0, t1 = float(track.t_s[i]), float(min(track.t_s[i + 1], end_s))
        a, b = track.at(np.array([t0, t1]))
        way = b - a
        length = float(way @ way)
        share = min(1.0, max(0.0, float((point - a) @ way) / length)) if length else 0.0
        distance_m = float(np.hypot(*(a + share * way - point)))
        if distance_m < best[1] and t1 >= t0:
            best = (t0 + share * (t1 - t0), distance_m)
    return best
