# SPDX-License-Identifier: MIT
# driver of the tamper loop: a contact that is closed while the case is shut.

from micropython import const

# Polled every 100 ms: three equal readings in a row outlast contact bounce and still see the
# shortest opening that has to be reported, 400 ms.
_STEADY_POLLS = const(3)


class Contact:
    # level() reads 1 when the loop is open, as a pull-up makes it also when the wire is cut.

    def __init__(self, level):
        self.is_open = False
        self._level = level
        self._polls = 0

    def poll(self):
        if bool(self._level()) == self.is_open:
            self._polls = 0
            return
        self._polls += 1
        if self._polls >= _STEADY_POLLS:
            self.is_open = not self.is_open
            self._polls = 0
