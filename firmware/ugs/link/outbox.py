# SPDX-License-Identifier: MIT
# link: selects the durable message to send next. With a backlog, the newest go first: a present
# alarm is worth more than one of last night. The backlog follows, oldest first, a few at a time,
# and is repeated until its receipt.

from micropython import const

from ugs.ledger.boots import is_after

_WINDOW = const(8)
_RESEND_MS = const(10_000)
# After this many resends without progress, the gateway waits for messages that no longer exist.
_STUCK_RESENDS = const(3)
# If more than a window is waiting, this many of the newest detections go first.
_NEWEST = const(8)
_SEQ_MAX = const(65535)


class Outbox:
    # random() returns 0..1 and spreads the resends of nodes that lost the gateway at the same time.
    #   resends: count of windows sent again for lack of a receipt

    def __init__(self, ledger, random):
        self.resends = 0
        self._ledger = ledger
        self._random = random
        self._fruitless = 0
        self._urgent = None
        self.rewind()

    def rewind(self):
        # A new connection: all messages without a receipt are sent again.
        self._rewind()
        # During a backlog: it ends at _split; newer messages are sent before it, up to _ahead.
        # Receipts are cumulative, so none of these gets one before the backlog has.
        self._split = self._ahead = None
        if self._ledger.pending() > _WINDOW:
            self._split = self._ahead = self._ledger.before_newest(_NEWEST)
        self._ahead_of_boot = {}

    def _rewind(self):
        self._sent = []
        self._position = (0, 0)
        self._resend_ms = 0

    def take(self, now_ms):
        # The (boot, seq, payload) to send now, or None.
        if self._urgent is not None:
            message, self._urgent = self._urgent, None
            return message
        if self._split is not None:
            message = self._ledger.after(self._ahead)
            if message is not None:
                self._ahead = message[:2]
                self._ahead_of_boot[message[0]] = message[1]
                return message
        if self._sent and now_ms >= self._resend_ms:
            self.resends += 1
            self._fruitless += 1
            self._rewind()
        if len(self._sent) >= _WINDOW:
            return None
        message = self._ledger.after(self._position)
        if self._split is not None and (
            message is None or is_after(message[0], message[1], self._split)
        ):
            self._join(now_ms)
            return None
        if message is None:
            return None
        self._await(message[:2], now_ms)
        return message

    def _join(self, now_ms):
        # The backlog is sent. Messages sent before it now wait for a receipt like all others.
        for identity in sorted(self._ahead_of_boot.items()):
            self._await(identity, now_ms)
        self._position = self._ahead
        self._split = None

    def _await(self, identity, now_ms):
        self._position = identity
        if not self._sent:
            self._resend_ms = now_ms + self._timeout_ms()
        self._sent.append(identity)

    def receive(self, upto, now_ms):
        # A receipt: [boot, seq, boot, seq ...].
        for i in range(0, len(upto), 2):
            boot, seq = upto[i], upto[i + 1]
            self._ledger.receipt(boot, seq)
            if self._ahead_of_boot.get(boot, _SEQ_MAX + 1) <= seq:
                del self._ahead_of_boot[boot]
            waiting = [sent for sent in self._sent if sent[0] != boot or sent[1] > seq]
            if len(waiting) < len(self._sent):
                # Only the receipt of the oldest one restarts the timer: messages of an older boot
                # that were lost must not wait while others get through.
                if not waiting or waiting[0] != self._sent[0]:
                    self._resend_ms = now_ms + self._timeout_ms()
                self._sent = waiting
                self._fruitless = 0

    def is_stuck(self):
        return self._fruitless >= _STUCK_RESENDS

    def send_first(self, boot, seq):
        # Sends one message first; only the last one requested. All are sent again in their order.
        self._fruitless = 0
        self._urgent = self._ledger.after((boot, seq - 1))

    def _timeout_ms(self):
        return _RESEND_MS + int(self._random() * _RESEND_MS // 4)
