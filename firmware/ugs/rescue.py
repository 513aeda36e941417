# SPDX-License-Identifier: MIT
# rescue: a node of which both trees are bad. It senses nothing; it keeps the link, says what it is,
# takes an update, and lets the tree in use try again every ten minutes.

import asyncio
import gc
import random

from micropython import const

from ugs.clock import Clock
from ugs.ledger.journal import Journal
from ugs.link.choose import make_link
from ugs.link.commands import Commands
from ugs.link.session import Session
from ugs.ratchet import Ratchet
from ugs.tasks import Supervisor
from ugs.update.updater import Updater
from ugs.version import FIRMWARE, number
from ugs.wire import schema

_RETRY_MS = const(600_000)
_HEARTBEAT_MS = const(60_000)
_REBOOT_AFTER_MS = const(3_000)
_HOUSE_MS = const(500)
_HOUSE_LIMIT_MS = const(6_000)
_LINK_LIMIT_MS = const(90_000)
_UPDATE_LIMIT_MS = const(10_000)
_NEVER_MS = const(0x3FFFFFFF)
_SAFE_MODE = schema.enum_value("condition", "kind", "safe_mode")


class Node:
    # As ugs.node.Node, of whose board it uses the radio or line, the battery and the watchdog only.

    def __init__(self, board, config, slots):
        self._board = board
        self._slots = slots
        self._reboot_ms = _NEVER_MS
        self._heartbeat_ms = self._hello_boot = 0
        self.clock = Clock()
        self.journal = Journal("state")
        self.journal.open()
        self.supervisor = Supervisor(lambda name, error: None)
        derived = Ratchet("state", config.key).keys
        self.session = Session(config, derived, self.journal, self.clock, self, random.random)
        self.link = make_link(config, derived.mqtt_password, self.session, board, random.random)
        self.updater = Updater(
            config.release,
            board.name,
            number(FIRMWARE),
            slots,
            self.journal.record,
            self._request_reboot,
            lambda: self.supervisor.alive("update"),
        )
        self.commands = Commands(self.journal.record, self._request_reboot, self.updater.take)
        self.journal.record("condition", {"t_ms": 0, "kind": _SAFE_MODE, "active": 1})
        gc.collect()
        print("rescue started node=%s boot=%d" % (config.node, self.journal.boot))

    def run(self):
        asyncio.run(self._main())

    async def _main(self):
        supervisor = self.supervisor
        supervisor.start("link", self.link.run, _LINK_LIMIT_MS)
        supervisor.start("house", self._keep_house, _HOUSE_LIMIT_MS)
        supervisor.start("update", self._update, _UPDATE_LIMIT_MS)
        await supervisor.feed(self._board.start_watchdog())
        self._board.reset()

    async def _update(self):
        self.updater.tell_outcome(self.clock.uptime_ms())
        await self.updater.run(self.clock.uptime_ms)

    async def _keep_house(self):
        while True:
            self.supervisor.alive("house")
            now_ms = self.clock.uptime_ms()
            if now_ms >= _RETRY_MS and not self.updater.is_busy and self._reboot_ms == _NEVER_MS:
                print("rescue lets the firmware try again")
                self._slots.retry()
                self._reboot_ms = now_ms
            if now_ms >= self._reboot_ms:
                self.journal.ledger.trim()
                self._board.reset()
            await asyncio.sleep_ms(_HOUSE_MS)

    def _request_reboot(self):
        self._reboot_ms = self.clock.uptime_ms() + _REBOOT_AFTER_MS

    # What the session asks of the node.

    def alive(self):
        self.supervisor.alive("link")

    def on_connect(self):
        self._hello_boot = 0

    def on_command(self, command):
        self.commands.take(command, self.clock.uptime_ms())

    def on_part(self, part):
        self.updater.on_part(part)

    def next_volatile(self, now_ms):
        self.journal.renew()
        if self._hello_boot != self.journal.boot:
            self._hello_boot = self.journal.boot
            return "hello", {
                "t_ms": now_ms,
                "fw": "rescue " + FIRMWARE,
                "board": self._board.name,
                "schema": schema.VERSION,
                "reset_cause": self._board.reset_cause(),
                "fs_hz": self._board.sampler.fs_hz,
                "heap_free": gc.mem_free(),
                "oldest_seq": self.journal.oldest_seq(),
                "conditions": 1 << _SAFE_MODE,
                "conditions_seq": self.journal.newest_seq(),
            }
        if now_ms >= self._heartbeat_ms:
            self._heartbeat_ms = now_ms + _HEARTBEAT_MS
            return "health", {
                "t_ms": now_ms,
                "battery_mv": self._board.battery_mv(),
                "rssi_dbm": self.link.rssi_dbm(),
                "floor_um_s_x100": 0,
                "samples_missed": 0,
                "ledger_pending": min(self.journal.ledger.pending(), 65535),
            }
        want = self.updater.next_want(now_ms)
        return None if want is None else ("want", want)
