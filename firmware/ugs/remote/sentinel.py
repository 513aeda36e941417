# SPDX-License-Identifier: MIT
# remote: sentinel mode: radio burst, and between contacts the board sleeps until the comparator at
# the geophone, the PIR, the tamper loop or the next heartbeat wakes it. Loaded only if configured.

from micropython import const

from ugs.remote.burst import Burst

# How long it senses after a pin woke it and after the last trigger, step or PIR pulse; and the
# maximum without a detection.
_LISTEN_MS = const(30_000)
_LONGEST_MS = const(120_000)
# Wind, rain or a machine would wake it all day. Sensing without a detection is charged twelvefold
# to a budget of an hour that refills with time: 5 minutes at once, then 5 minutes an hour. While
# the budget of a pin is used up, the pin wakes nothing.
_CHARGE = const(12)
_ACCOUNT_MS = const(3_600_000)
# A gateway that is offline is tried again after this time, then less often, at last with each
# heartbeat.
_AWAY_MS_MIN = const(4_000)
_SHORTEST_MS = const(500)
# During sleep the clock is the chip's RC oscillator, calibrated before each sleep: 0.2 % are
# assumed.
_PER_ERROR = const(500)
_GEOPHONE = const(0)
_PIR = const(1)


class Sentinel(Burst):
    #   asleep_s: how long it has slept since this mode is in use

    name = "sentinel"

    def __init__(self, node, link):
        super().__init__(node, link)
        self.asleep_s = self._asleep_ms = 0
        now_ms = node.clock.uptime_ms()
        # Awake since then; woken by one of the pins, or None: time or start; charged until.
        self._woke_ms = self._listens_ms = self._charged_ms = now_ms
        self._by = None
        self._rises = 0
        self._is_found = False
        self._wakes = 0  # without a detection
        self._spent_ms = [now_ms, now_ms]  # by pin: when its budget is full again
        self._retry_ms = 0  # no message can be sent until then
        self._away_ms = _AWAY_MS_MIN

    def step(self, now_ms):
        detector = self._node.detector
        if detector.is_open() and not self._is_found:
            self._is_found = True
            self._try_soon()
        if detector.is_open() or detector.trigger.is_open() or self._has_pulsed():
            self._listens_ms = now_ms
            if self._by is None:
                self._by = _GEOPHONE
        if self._may_sleep(now_ms):
            self._charge(now_ms)
            # A condition that starts or ends here is sent first.
            cannot_send = self._link.is_shut or now_ms < self._retry_ms
            if cannot_send or not self._node.journal.ledger.pending():
                self._sleep(now_ms)

    def wait_ms(self, chance):
        # It sleeps instead of waiting: ugs.link.broker then rests until there is a reason.
        if not self._is_over:
            now_ms = self._node.clock.uptime_ms()
            self._retry_ms = now_ms + int(self._away_ms * (0.5 + chance))
            self._away_ms = min(4 * self._away_ms, self._node.health.heartbeat_s * 1000)
        else:
            self._try_soon()
        super().wait_ms(chance)
        return 0

    def _try_soon(self):
        self._retry_ms = 0
        self._away_ms = _AWAY_MS_MIN

    def _may_rest(self, now_ms):
        return now_ms < self._retry_ms or super()._may_rest(now_ms)

    def _has_pulsed(self):
        pir = self._node.board.pir
        if pir is None or pir.rises == self._rises:
            return False
        self._rises = pir.rises
        return not pir.is_shut

    def _may_sleep(self, now_ms):
        node = self._node
        if node.detector.is_open() or node.reboot_ms - now_ms < _LISTEN_MS:
            return False
        if self._on_since_ms is not None or node.jobs or node.updater.is_busy:
            return False
        if now_ms - self._listens_ms < _LISTEN_MS and now_ms - self._woke_ms < _LONGEST_MS:
            return False
        return self._link.is_shut or self._may_rest(now_ms)

    def _charge(self, now_ms):
        node, by = self._node, self._by
        spent = self._spent_ms
        if by is not None and not self._is_found:
            self._wakes += 1
            spent[by] = max(spent[by], now_ms) + _CHARGE * (now_ms - self._charged_ms)
        self._by, self._charged_ms = None, now_ms
        ignored = max(spent) - now_ms
        if ignored > _ACCOUNT_MS or ignored <= 0:
            node.conditions.set(now_ms, "wakes_ignored", ignored > 0, self._wakes)

    def _sleep(self, now_ms):
        node = self._node
        board, health, sampler = node.board, node.health, node.board.sampler
        until_ms = now_ms + health.heartbeat_s * 1000
        if not self._link.is_shut:
            until_ms = self._retry_ms if now_ms < self._retry_ms else health.heartbeat_ms
        if until_ms - now_ms < _SHORTEST_MS:
            return
        print("sleeps uptime_ms=%d" % now_ms)
        sampler.stop()
        by = None
        start_ms = now_ms
        try:
            while by is None and until_ms - now_ms >= _SHORTEST_MS:
                # A pin without budget is armed again when it has some.
                again_ms = [one - _ACCOUNT_MS - now_ms for one in self._spent_ms]
                wake_ms = min([until_ms - now_ms] + [one for one in again_ms if one > 0])
                wake_ms = max(_SHORTEST_MS, wake_ms)
                by = board.sleeper.sleep(wake_ms, [one <= 0 for one in again_ms])
                now_ms = node.clock.uptime_ms()
        finally:
            sampler.start()
        self._wake(now_ms, by, now_ms - start_ms)

    def _wake(self, now_ms, by, slept_ms):
        node = self._node
        for name in node.supervisor.progress:
            node.supervisor.alive(name)
        self._asleep_ms += slept_ms
        self.asleep_s = self._asleep_ms // 1000
        node.clock.error_ms += slept_ms // _PER_ERROR
        print("wakes uptime_ms=%d slept_ms=%d by=%s" % (now_ms, slept_ms, by))
        self._is_found = False
        self._woke_ms = self._charged_ms = now_ms
        self._by = by if by in (_GEOPHONE, _PIR) else None
        # After a heartbeat it sleeps again at once. With its radio shut off it stays awake for a
        # while to measure its battery.
        if self._by is None and by is not None:
            self._try_soon()  # the tamper loop
        is_short = by is None and not self._link.is_shut
        self._listens_ms = now_ms - _LISTEN_MS if is_short else now_ms


make = Sentinel
