# SPDX-License-Identifier: MIT
# remote: radio burst: the radio is on only for a pending message and for each heartbeat. Loaded on
# a node that is configured for it.

import asyncio
import gc

from micropython import const

# How long it stays on after the last message, for commands of the gateway, and without an answer. A
# gateway that is offline is tried less often: each attempt costs battery.
_LINGER_MS = const(2_000)
_UNANSWERED_MS = const(30_000)
_BACKOFF_MS_MIN = const(1_000)
_BACKOFF_MS_MAX = const(120_000)
_LOOK_MS = const(200)
_SETTLE_MS = const(400)  # until the sampler has counted the samples that a start costs


class Burst:
    # `node` is a ugs.node.Node, `link` its ugs.link.broker.BrokerLink.

    name = "burst"
    asleep_s = None  # of a node that sleeps: ugs.remote.sentinel

    def __init__(self, node, link):
        self._node = node
        self._link = link
        self._on_ms = 0
        self._on_since_ms = node.clock.uptime_ms()
        self._backoff_ms = _BACKOFF_MS_MIN
        self._is_over = False

    def radio_s(self):
        # How long the radio was on since this mode is in use.
        on_ms = self._on_ms
        if self._on_since_ms is not None:
            on_ms += self._node.clock.uptime_ms() - self._on_since_ms
        return on_ms // 1000

    def step(self, now_ms):
        # Five times a second.
        pass

    def note_off(self):
        if self._on_since_ms is not None:
            self._on_ms += self._node.clock.uptime_ms() - self._on_since_ms
            self._on_since_ms = None

    def _may_rest(self, now_ms):
        # No message is waiting, and no job produces messages: while an activity is open its next
        # update is near.
        node = self._node
        if node.journal.ledger.pending() or node.health.is_heartbeat_due(now_ms):
            return False
        if node.jobs or node.detector.is_open():
            return False
        return not node.updater.is_busy and not node.slots.on_trial

    async def rest(self):
        # Until a message has to be sent.
        clock, link = self._node.clock, self._link
        if self._may_rest(clock.uptime_ms()):
            self.power_down()
            print("link rests uptime_ms=%d" % clock.uptime_ms())
            gc.collect()
        while link.burst is self and not link.is_shut and self._may_rest(clock.uptime_ms()):
            self._node.alive()
            await asyncio.sleep_ms(_LOOK_MS)
        if self._on_since_ms is None and not link.is_shut:
            await self._power_up()

    async def _power_up(self):
        # Otherwise a report of the samples that each start costs would request the next start.
        health = self._node.health
        self._on_since_ms = self._node.clock.uptime_ms()
        health.is_radio_starting = True
        try:
            self._node.board.wlan.power_up()
        except OSError:
            pass  # the join tries again and reports it
        await asyncio.sleep_ms(_SETTLE_MS)
        health.is_radio_starting = True  # a window may have ended in between

    def power_down(self):
        # The time of failed joins still counts: ugs.link.wifi.
        self._node.board.wlan.power_down()
        self.note_off()

    def is_over(self, moved_ms):
        # Whether a connection has served its purpose, or no gateway answers on it. `moved_ms`: when
        # it opened, or the last message was sent.
        session = self._node.session
        now_ms = self._node.clock.uptime_ms()
        since_ms = now_ms - max(moved_ms, session.received_ms)
        self._is_over = session.is_answered and self._may_rest(now_ms)
        if self._is_over:
            return since_ms >= _LINGER_MS
        return now_ms - max(session.received_ms, self._link.opened_ms) >= _UNANSWERED_MS

    def wait_ms(self, chance):
        # How long to wait before the next attempt, without the radio.
        if self._is_over:
            self._is_over = False
            self._backoff_ms = _BACKOFF_MS_MIN
            return 0
        self.power_down()
        wait_ms = int(self._backoff_ms * (0.5 + chance))
        self._backoff_ms = min(2 * self._backoff_ms, _BACKOFF_MS_MAX)
        return wait_ms


make = Burst
