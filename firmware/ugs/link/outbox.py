# SPDX-License-Identifier: MIT
# link: which durable message is sent next: oldest first, few at a time, again until its receipt.

from micropython import const

_WINDOW = const(8)
_RESEND_MS = const(10_000)
# So many resends in a row that move nothing mean the gateway waits for what we no longer hold.
_STUCK_RESENDS = const(3)


class Outbox:
    # random() gives 0..1 and spreads the resends of nodes that lost the gateway together.
    #   resends: how often the window was sent again for want of a receipt

    def __init__(self, ledger, random):
        self.resends = 0
        self._ledger = ledger
        self._random = random
        self._fruitless = 0
        self._urgent = None
        self.rewind()

    def rewind(self):
        # A new connection: whatever was under way is sent again.
        self._sent = []
        self._position = (0, 0)
        self._resend_ms = 0

    def take(self, now_ms):
        # The (boot, seq, payload) to send now, or None.
        if self._urgent is not None:
            message, self._urgent = self._urgent, None
            return message
        if self._sent and now_ms >= self._resend_ms:
            self.resends += 1
            self._fruitless += 1
            self.rewind()
        if len(self._sent) >= _WINDOW:
            return None
        message = self._ledger.after(self._position)
        if message is None:
            return None
        self._position = message[:2]
        if not self._sent:
            self._resend_ms = now_ms + self._patience_ms()
        self._sent.append(self._position)
        return message

    def receive(self, upto, now_ms):
        # A receipt: [boot, seq, boot, seq ...].
        for i in range(0, len(upto), 2):
            boot, seq = upto[i], upto[i + 1]
            self._ledger.receipt(boot, seq)
            waiting = [sent for sent in self._sent if sent[0] != boot or sent[1] > seq]
            if len(waiting) < len(self._sent):
                # Only the oldest one's receipt gives new patience: what a bad line lost of an older
                # boot must not wait for as long as others get through.
                if not waiting or waiting[0] != self._sent[0]:
                    self._resend_ms = now_ms + self._patience_ms()
                self._sent = waiting
                self._fruitless = 0

    def is_stuck(self):
        return self._fruitless >= _STUCK_RESENDS

    def send_first(self, boot, seq):
        # Sends one message ahead of its turn, the last one asked for; all come again in their turn.
        self._fruitless = 0
        self._urgent = self._ledger.after((boot, seq - 1))

    def _patience_ms(self):
        return _RESEND_MS + int(self._random() * _RESEND_MS // 4)
