# SPDX-License-Identifier: MIT
# ledger: assigns every message its identity (boot, seq) and stores the durable ones.

import os

from micropython import const

from ugs.ledger.boots import reserve_boot
from ugs.ledger.ledger import Ledger
from ugs.ledger.shares import code_of
from ugs.wire import codec

_SEQ_MAX = const(65535)
_PAYLOAD_MAX = const(128)


class Journal:
    # boot: the block of counters in use; it changes when a counter space is used up, at 65535
    # waiting: conditions whose share of the ledger was full, the newest report of each kind
    # number: the same with the turn, see ugs.ledger.boots

    def __init__(self, folder):
        self.boot = self.number = 0
        self.ledger = Ledger(folder)
        # code -> [values, count of changes they stand for]
        self.waiting = {}
        self._folder = folder
        self._durable_seq = 0
        self._volatile_seq = 0
        self._buffer = bytearray(_PAYLOAD_MAX)

    def open(self, sample=None, half=None):
        # Reserves the boot number, `half` as in reserve_boot(), and reads the ledger; sample() is
        # called before each of its files. Raises OSError.
        try:
            os.mkdir(self._folder)
        except OSError:
            pass  # it exists; if not, the next line raises
        newest = self.ledger.newest_boot()
        self._take_boot(reserve_boot(self._folder, newest, half=half))
        self.ledger.load(sample)
        self.ledger.forget_future(self.boot)

    def _next_boot(self):
        self._take_boot(reserve_boot(self._folder, self.boot, in_run=True))

    def _take_boot(self, number):
        self.number = number
        self.boot = number & 0xFFFF
        self._durable_seq = 0
        self._volatile_seq = 0

    def record(self, name, values):
        # Stores a durable message. Returns (boot, seq, whether it is on flash already); None if its
        # share of the ledger is full. In that case the newest report of a condition waits for room,
        # and any other message is rejected and counted. Neither gets a number: the gateway sees no
        # gap.
        length = codec.encode(self._buffer, name, values)
        code = code_of(self._buffer)
        if not self.ledger.shares.has_room(code):
            self.ledger.shares.refuse(code)
            if name == "condition":
                self.waiting[code] = [values, self.waiting.get(code, (None, 0))[1] + 1]
            return None
        self.waiting.pop(code, None)
        return self._keep(length)

    def settle(self):
        # After a receipt: stores waiting conditions that have room now. If the kind has no value of
        # its own, the value is the count of changes.
        for code in list(self.waiting):
            if self.ledger.shares.has_room(code):
                values, count = self.waiting.pop(code)
                values.setdefault("value", count)
                print("condition kept code=%d changes=%d" % (code, count))
                self._keep(codec.encode(self._buffer, "condition", values))

    def _keep(self, length):
        if self._durable_seq >= _SEQ_MAX:
            self._next_boot()
        self._durable_seq += 1
        boot, seq = self.boot, self._durable_seq
        return boot, seq, self.ledger.append(boot, seq, self._buffer[:length])

    def newest_seq(self):
        # Of the durable messages of this block; 0 before the first one.
        return self._durable_seq

    def renew(self):
        # Takes the next block when the volatile counter space is used up. Needed for a message
        # about its own boot, such as a hello: prepared before this, it could be numbered in the
        # next boot.
        if self._volatile_seq >= _SEQ_MAX:
            self._next_boot()

    def next_volatile(self):
        # The identity of the next volatile message: (boot, seq).
        self.renew()
        self._volatile_seq += 1
        return self.boot, self._volatile_seq

    def oldest_seq(self):
        # The oldest durable message of this boot without a receipt, or the number of the next one:
        # everything before it will not be sent again.
        return self.ledger.oldest_seq(self.boot) or min(self._durable_seq + 1, _SEQ_MAX)
