# SPDX-License-Identifier: MIT
# driver of the tamper loop: a contact that is closed while the case is shut.

from time import ticks_diff, ticks_ms

from micropython import const

# Longer than contact bounce. Shorter than the shortest opening that must be reported, 400 ms (EN
# 50131-1), by more than the delay of an interrupt behind a flash erase.
_STEADY_MS = const(250)
# Without a poll for this time such an opening may be missed; normally a poll comes every 200 ms.
_HIDING_MS = const(350)


class Contact:
    # level() reads 1 while the loop is open; the pull-up also gives 1 if the wire is cut. `on_edge`
    # handles the pin's interrupt on both edges: an opening that ends before poll() is also
    # reported.
    #   is_open     at the last poll(), or open long enough since the poll before
    #   openings    count of openings of that length

    def __init__(self, level):
        self.is_open = False
        self.openings = 0
        self._level = level
        self._was_open = False
        self._opened = self._closed = self._polled = ticks_ms()
        self._latched = False
        self.on_edge = self._edge

    # Runs in the interrupt: no allocation.
    def _edge(self, _pin):
        now = ticks_ms()
        if self._level():
            if not self._was_open:
                self._was_open = True
                self._opened = now
            return
        if self._was_open:
            if ticks_diff(now, self._opened) >= _STEADY_MS:
                self._latched = True
        elif ticks_diff(now, self._polled) >= _HIDING_MS:
            # An edge, but closed before and after: scheduled handlers came late, behind a task that
            # was busy for long enough to hide an opening.
            self._latched = True
        self._was_open = False
        self._closed = now

    def poll(self):
        now = ticks_ms()
        level = bool(self._level())
        if level != self._was_open:
            self._edge(None)  # an interrupt still pending, or a pin without one
        self._polled = now
        if self._latched or (level and ticks_diff(now, self._opened) >= _STEADY_MS):
            self._latched = False
            if not self.is_open:
                self.is_open = True
                self.openings += 1
        elif self.is_open and not level and ticks_diff(now, self._closed) >= _STEADY_MS:
            self.is_open = False
