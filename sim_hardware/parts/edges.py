# SPDX-License-Identifier: MIT
# Board layer, simulated: a part with one digital output that toggles at given times (PIR, switch).

import simclock

_FOLLOW_US = 500_000  # how often a growing list is read


class EdgeList:
    # Starts low; every time in edges_us toggles it. An interrupt fires at the time of each edge.

    def __init__(self, edges_us):
        self._edges_us = list(edges_us)
        self._level = 0
        self._on_edge = None
        self._event = None
        self._path = None
        self._offset = 0

    def follow(self, path):
        # Adds edges that are appended to the file from now on (int64 microseconds).
        self._path = path
        simclock.at(simclock.now(), self._grow)

    def level(self):
        self._advance(simclock.now())
        return self._level

    def when(self, level, from_us, to_us):
        # When the output first has that level in this time, or None. Edges of a list that grows are
        # those known by now.
        self._advance(from_us)
        if self._level == level:
            return from_us
        if self._edges_us and self._edges_us[0] < to_us:
            return self._edges_us[0]
        return None

    def watch(self, on_edge):
        # on_edge(level, t_us) at every edge to come; None ends it.
        self._advance(simclock.now())
        self._on_edge = on_edge
        self._schedule()

    def _advance(self, t_us):
        while self._edges_us and self._edges_us[0] <= t_us:
            self._edges_us.pop(0)
            self._level ^= 1

    def _schedule(self):
        if self._event is not None:
            simclock.cancel(self._event)
            self._event = None
        if self._on_edge is not None and self._edges_us:
            self._event = simclock.at(self._edges_us[0], self._fire)

    def _fire(self, t_us):
        self._advance(t_us)
        self._event = None
        self._on_edge(self._level, t_us)
        self._schedule()

    def _grow(self, t_us):
        with open(self._path, "rb") as file:
            file.seek(self._offset)
            data = file.read(4096)
        whole = len(data) // 8 * 8
        self._offset += whole
        for i in range(0, whole, 8):
            self._edges_us.append(int.from_bytes(data[i : i + 8], "little"))
        if whole and self._event is None:
            self._schedule()
        return t_us + _FOLLOW_US
