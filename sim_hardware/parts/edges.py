# SPDX-License-Identifier: MIT
# Room "board", simulated: a part with one digital output that toggles at given times (PIR, switch).

import simclock


class EdgeList:
    # Starts low; every time in edges_us toggles it. `on_edge(level)` is called at each edge to come.

    def __init__(self, edges_us):
        self.on_edge = None
        self._edges_us = edges_us
        self._passed = 0
        self._event = None

    def level(self):
        return self._advance(simclock.now())

    def _advance(self, t_us):
        edges_us = self._edges_us
        while self._passed < len(edges_us) and edges_us[self._passed] <= t_us:
            self._passed += 1
        return self._passed & 1

    def watch(self, on_edge):
        # From now on every edge is told at its own time. None ends it.
        self.on_edge = on_edge
        if self._event is not None:
            simclock.cancel(self._event)
            self._event = None
        self._advance(simclock.now())
        if on_edge is not None and self._passed < len(self._edges_us):
            self._event = simclock.at(self._edges_us[self._passed], self._fire)

    def _fire(self, t_us):
        level = self._advance(t_us)
        if self.on_edge is not None:
            self.on_edge(level)
        if self._passed < len(self._edges_us):
            return self._edges_us[self._passed]
        return None
