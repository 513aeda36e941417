# SPDX-License-Identifier: MIT
# Board, simulated: interrupts and the scheduler of MicroPython, and requests that arrive while code
# holds either of them off.
#
#   simclock.held & IRQ_OFF     no interrupt starts: flash is written (ports/rp2/rp2_flash.c)
#   simclock.held & SCHED_OFF   interrupts start, scheduled callbacks wait: code in C runs
#
# Waiting requests in the interrupt controller are one bit, but a timer that catches up makes one
# for each period. The scheduler holds `depth` callbacks and drops further ones.

import simclock

IRQ_OFF = 1
SCHED_OFF = 2

depth = 8
lost = 0  # lost requests: merged with an earlier one, or the scheduler was full

_waiting = []  # lines with a request while interrupts were off
_scheduled = []


class Line:
    # call(deadline_us) is the handler. `hard`: called in the interrupt; otherwise it is scheduled.
    # `counts`: each request is delivered; otherwise those that wait are one.

    def __init__(self, call, hard, counts):
        self._call = call
        self._hard = hard
        self._counts = counts

    def ask(self, deadline_us):
        global lost
        if not simclock.held & IRQ_OFF:
            self._enter(deadline_us)
        elif self._counts or not self._waits():
            _waiting.append((self, deadline_us))
        else:
            lost += 1

    def stop(self):
        # What has not started yet will not.
        for queue in (_waiting, _scheduled):
            queue[:] = [request for request in queue if request[0] is not self]

    def _waits(self):
        for line, _deadline_us in _waiting:
            if line is self:
                return True
        return False

    def _enter(self, deadline_us):
        global lost
        if self._hard or not simclock.held & SCHED_OFF:
            self._call(deadline_us)
        elif len(_scheduled) < depth:
            _scheduled.append((self, deadline_us))
        else:
            lost += 1


def release():
    # simclock calls this when nothing is held any more, inside an event at the present time. First
    # come the interrupts, then what they and others before them have scheduled.
    simclock.held = SCHED_OFF
    while _waiting:
        line, deadline_us = _waiting.pop(0)
        line._enter(deadline_us)
    simclock.held = 0
    while _scheduled:
        line, deadline_us = _scheduled.pop(0)
        line._call(deadline_us)
