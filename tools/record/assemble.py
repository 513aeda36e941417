# SPDX-License-Identifier: MIT
"""Record: records of a stream become one signal without gaps; lost samples are counted and marked.

A lost sample has the value of the one before it, so that time stays right, and its place is in
`lost`. Times of a node are milliseconds of its uptime; a take counts samples. The two are joined by
the records, since a converter's own clock may differ from the node's by 2 %.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tools.record.stream import Edge, Facts, Samples

SAMPLES_MAX = 250 * 14_400
_GAP_MAX = 250 * 600  # samples: a longer gap is another start of the node
_EDGES_MAX = 100_000
_NUMBERS = 1 << 16


class StreamError(Exception):
    """The stream cannot continue: the node started again, or it sends invalid records."""


@dataclass(frozen=True)
class Lost:
    """Samples that were not measured or not received: `count` of them from sample `first` on.
    `where`: "cable" (not received, exact), or "node" (not measured, somewhere in the stretch)."""

    first: int
    count: int
    where: str
    stretch: int


@dataclass
class Signal:
    """All samples and PIR edges so far."""

    lost: list[Lost] = field(default_factory=list)
    clipped: int = 0
    edges_lost: int = 0
    repeated: int = 0
    size: int = 0
    _parts: list[NDArray[np.int32]] = field(default_factory=list)
    _first: int = 0  # number of the node's for sample 0
    _times: list[tuple[int, int]] = field(default_factory=list)  # (sample, uptime in ms)
    _edges: list[tuple[int, int]] = field(default_factory=list)  # (uptime in ms, level)
    _missed: int = 0
    _clipped: int = 0
    _edge_number: int | None = None
    _dropped: int | None = None
    _level: int | None = None
    _begin_ms: int = 0

    def add(self, given: Samples) -> None:
        """Append the samples of one record. Raises StreamError."""
        if not self._parts:
            self._first = given.first
            self._missed, self._clipped = given.missed, given.clipped
            self._begin_ms = given.t_ms
        at = given.first - self._first
        if at + given.counts.size <= self.size and at >= 0:
            self.repeated += 1
            return
        if not self.size <= at <= self.size + _GAP_MAX:
            raise StreamError("the numbers of the samples jump: the node started again")
        if at > self.size:
            self._fill(at - self.size)
        missed = given.missed - self._missed
        if missed > 0:
            self.lost.append(Lost(at, missed, "node", given.counts.size))
        self.clipped += max(0, given.clipped - self._clipped)
        self._missed, self._clipped = given.missed, given.clipped
        self._times.append((at, given.t_ms))
        self._parts.append(given.counts)
        self.size = at + given.counts.size
        if self.size > SAMPLES_MAX:
            raise StreamError("more samples than four hours have")
        self._see_level(given)

    def add_edge(self, edge: Edge) -> None:
        """Append one edge of the PIR; edges that are missing before it are counted."""
        if self._edge_number is not None:
            self.edges_lost += (edge.number - self._edge_number - 1) % _NUMBERS
        if self._dropped is not None:
            self.edges_lost += max(0, edge.dropped - self._dropped)
        self._edge_number, self._dropped = edge.number, edge.dropped
        self._start_level(1 - edge.level)
        if len(self._edges) < _EDGES_MAX:
            self._edges.append((edge.t_ms, edge.level))
        else:
            self.edges_lost += 1
        self._level = edge.level

    @property
    def lost_samples(self) -> int:
        """How many samples were not measured or not received."""
        return sum(one.count for one in self.lost)

    def measured_fs_hz(self) -> float:
        """Samples per second of the node's clock."""
        (a, a_ms), (b, b_ms) = self._times[0], self._times[-1]
        return 1000 * (b - a) / (b_ms - a_ms) if b_ms > a_ms else 0.0

    def counts(self) -> NDArray[np.int32]:
        """int32 (n,)."""
        return np.concatenate(self._parts) if self._parts else np.zeros(0, np.int32)

    def sample_at(self, t_ms: float) -> float:
        """The sample at an uptime, in fractions of one; outside of the signal its ends."""
        samples = [sample for sample, _ in self._times] or [0]
        times = [time for _, time in self._times] or [0]
        rate = self.measured_fs_hz() / 1000
        after = max(0.0, t_ms - times[-1]) * rate
        return min(float(np.interp(t_ms, times, samples)) + after, float(self.size))

    def pir_edges_s(self, fs_hz: float) -> list[float]:
        """Times of changes of the PIR's output, from low at the start, in seconds of the take."""
        found: list[float] = []
        if self._edges and self._edges[0][1]:
            found.append(0.0)
        for (_, before), (t_ms, level) in pairwise(sorted(self._edges, key=lambda one: one[0])):
            if level != before:
                found.append(self.sample_at(t_ms) / fs_hz)
        return sorted(found)

    def _fill(self, count: int) -> None:
        last = self._parts[-1][-1] if self._parts else 0
        self.lost.append(Lost(self.size, count, "cable", count))
        self._parts.append(np.full(count, last, np.int32))
        self.size += count

    def _start_level(self, level: int) -> None:
        if self._level is None:
            self._level = level
            self._edges.append((self._begin_ms, level))

    def _see_level(self, given: Samples) -> None:
        """A level that no edge explains: the edge's record or its interrupt was lost."""
        if given.pir_level is None:
            return
        self._start_level(given.pir_level)
        if given.pir_level == self._level:
            return
        self.edges_lost += 1
        self._level = given.pir_level
        self._edges.append((given.t_ms, given.pir_level))


def scale(facts: Facts) -> float:
    """Counts per m/s."""
    return 1e9 * 256 / facts.nm_s_per_count_x256
