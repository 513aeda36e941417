# SPDX-License-Identifier: MIT
# driver of the tamper loop: a contact that is closed while the case is shut.

from time import ticks_diff, ticks_ms

from micropython import const

# Outlasts contact bounce, and is less than the shortest opening that has to be reported, 400 ms
# (EN 50131-1), by more than an interrupt can be late behind a flash erase.
_STEADY_MS = const(250)
# So long without a poll may hide such an opening; in time it comes every 200 ms.
_HIDING_MS = const(350)


class Contact:
    # level() reads 1 when the loop is open, as a pull-up makes it also when the wire is cut.
    # `on_edge` is the handler for the pin's interrupt on both edges: an opening that is over when
    # poll() comes is reported all the same.
    #   is_open     at the last poll(), or open long enough since the poll before
    #   openings    how often it was opened for so long

    def __init__(self, level):
        self.is_open = False
        self.openings = 0
        self._level = level
        self._was_open = False
        self._opened = self._closed = self._polled = ticks_ms()
        self._latched = False
        self.on_edge = self._edge

    # In the interrupt: no allocation.
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
            self._edge(None)  # an interrupt still to come, or a pin without one
        self._polled = now
        if self._latched or (level and ticks_diff(now, self._opened) >= _STEADY_MS):
            self._latched = False
            if not self.is_open:
                self.is_open = True
                self.openings += 1
        elif self.is_open and not level and ticks_diff(now, self._closed) >= _STEADY_MS:
            self.is_open = False
