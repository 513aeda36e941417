# SPDX-License-Identifier: MIT
# safe mode: a node whose firmware fails repeatedly. It does not sense. It keeps the link, reports
# its state, accepts an update, and restarts the firmware, less often each time.

from micropython import const

from ugs.base import BaseNode

_RETRY_MS = const(600_000)
_RETRY_DOUBLINGS = const(5)  # at most every 5 h 20 min
_HEARTBEAT_MS = const(60_000)
_U16_MAX = const(65535)


class Node(BaseNode):
    # Uses only the radio or line, the battery and the watchdog of its board.

    fw_prefix = "safe-"

    def __init__(self, board, config, slots):
        super().__init__(board, config, slots)
        self._heartbeat_ms = 0
        self._retry_ms = _RETRY_MS << min(slots.retries(), _RETRY_DOUBLINGS)
        self.conditions.set(0, "safe_mode", True)

    def step(self, _tick, now_ms):
        if now_ms >= self._retry_ms and not self.updater.is_busy:
            print("safe mode lets the firmware try again")
            self._retry_ms = now_ms + _RETRY_MS  # in case flash fails on the next line
            self.slots.retry()
            self.request_reboot("retry")

    def next_own(self, now_ms):
        if now_ms < self._heartbeat_ms:
            return None
        self._heartbeat_ms = now_ms + _HEARTBEAT_MS
        return "health", {
            "t_ms": now_ms,
            "battery_mv": min(self.board.battery_mv(), _U16_MAX),
            "rssi_dbm": self.link.rssi_dbm(),
            "floor_um_s_x100": 0,
            "samples_missed": 0,
            "ledger_pending": min(self.journal.ledger.pending(), _U16_MAX),
        }
