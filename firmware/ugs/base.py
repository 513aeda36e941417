# SPDX-License-Identifier: MIT
# base: what every node does, whether it senses or runs in safe mode: identity, key, link, updates,
# commands, the hello that starts each connection, and each restart with its reason.

import asyncio
import gc
import random

from micropython import const

from ugs import lines, marking
from ugs.clock import Clock
from ugs.conditions import Conditions
from ugs.ledger.journal import Journal
from ugs.link.choose import make_link
from ugs.link.commands import Commands
from ugs.link.session import Session
from ugs.ratchet import Ratchet
from ugs.seldom import forget, load
from ugs.tasks import Supervisor
from ugs.update.updater import Updater
from ugs.version import FIRMWARE, number
from ugs.wire import schema

_STATE = "state"
TICK_MS = const(200)
TICKS_PER_S = const(5)
_TRIM_EVERY_S = const(60)
_REBOOT_AFTER_MS = const(3_000)
# Uptime is sent as 32 bits of ms (49.7 days), and the ring counts 2^30 samples (49.7 days).
_UPTIME_MS_MAX = 4_147_200_000
# A task that fails repeatedly is reported at this interval, so that it does not fill the ledger.
_FAULT_EVERY_MS = const(600_000)
# Longest time without progress: the link may wait to join a network or for a peer.
_HOUSEKEEPING_LIMIT_MS = const(6_000)
_LINK_LIMIT_MS = const(90_000)
_UPDATE_LIMIT_MS = const(10_000)
_UNSUPPORTED = schema.enum_value("result", "status", "unsupported")


class BaseNode:
    # board: name, sampler, wlan or line, battery_mv(), start_watchdog(), reset(). slots: which
    # image this is, why the previous start ended, and the record of the next reason. Opening the
    # journal reserves the boot number and may raise OSError.
    #   name: of the node, as in site.toml
    # Each kind of node has its own fw_prefix, sample(), start(), step() and next_own().

    fw_prefix = ""

    def __init__(self, board, config, slots):
        self.board = board
        self.slots = slots
        self.is_wired = config.is_wired
        self.settings = load(slots, "settings").load(_STATE)
        forget()
        # Jobs started by commands that run for a while (ugs.remote), one of each kind.
        self.jobs = []
        self.clock = Clock()
        self.ratchet = Ratchet(_STATE, config.key)
        self.journal = Journal(_STATE)
        self.journal.open(self.sample, self.ratchet.half)
        self.supervisor = Supervisor(self._on_fault)
        self.conditions = Conditions(self.journal.record)
        self.ratchet.start(self.journal.number >> 15)
        derived = self.ratchet.keys
        self.session = Session(config, derived, self.journal, self.clock, self, random.random)
        self.link = make_link(config, derived.mqtt_password, self.session, board, random.random)
        self.updater = Updater(
            config.release,
            board.name,
            number(FIRMWARE),
            slots,
            self.journal.record,
            lambda: self.request_reboot("update"),
            lambda: self.supervisor.alive("update"),
            self.session.wake,
        )
        self.commands = Commands(
            self.journal.record,
            lambda: self.request_reboot("command"),
            self.updater.take,
            self.take_remote,
        )
        self.name = config.node
        self._hello_boot = 0
        self._fault_ms = -_FAULT_EVERY_MS
        self.reboot_ms = _UPTIME_MS_MAX
        self._reboot_detail = "uptime"

    def sample(self):
        # Called repeatedly once the boot number is reserved.
        pass

    def start(self):
        # Starts the node's own tasks.
        pass

    def step(self, tick, now_ms):
        # Five times a second.
        pass

    def next_own(self, now_ms):
        # The next volatile message, (name, values) or None.
        return None

    def parts(self):
        # Objects that hold no method of this one, for ugs.marking.
        kept = (self.settings, self.clock, self.slots, self.ratchet, self.journal)
        return kept + (self.conditions, self.board)

    def take_remote(self, command, now_ms):
        # As ugs.link.commands requires.
        try:
            return load(self.slots, "take").take(self, _STATE, command, now_ms)
        except (ImportError, OSError, MemoryError):
            return _UNSUPPORTED, None, None
        finally:
            forget()

    def apply(self, settings):
        # Takes effect now. Another hello reports them to the gateway.
        self.settings = settings
        self._hello_boot = 0

    def run(self):
        marking.run(self._run, self.parts())

    def _run(self):
        gc.collect()
        lines.note(
            "node started node=%s board=%s fw=%s boot=%d cause=%s pending=%d heap_free=%d"
            % (
                self.name,
                self.board.name,
                self.fw_prefix + FIRMWARE,
                self.journal.boot,
                schema.enum_name("hello", "reset_cause", self.slots.cause),
                self.journal.ledger.pending(),
                gc.mem_free(),
            )
        )
        asyncio.run(self._main())

    async def _main(self):
        supervisor = self.supervisor
        self.start()
        supervisor.start("house", self._housekeeping, _HOUSEKEEPING_LIMIT_MS)
        supervisor.start("link", self.link.run, _LINK_LIMIT_MS)
        supervisor.start("update", self._update, _UPDATE_LIMIT_MS)
        stuck = await supervisor.feed(self.board.start_watchdog())
        self._restart(self.slots.STUCK_TASK, stuck)

    async def _update(self):
        self.updater.report_outcome(self.clock.uptime_ms())
        await self.updater.run(self.clock.uptime_ms)

    async def _housekeeping(self):
        tick = seen = 0
        while True:
            self.supervisor.alive("house")
            now_ms = self.clock.uptime_ms()
            lines.state[1] = now_ms // 1000
            self.step(tick, now_ms)
            if self.jobs:
                jobs, self.jobs = self.jobs, []  # if one raises, all end
                self.jobs += [job for job in jobs if job.step(now_ms)]
            if tick % (TICKS_PER_S * _TRIM_EVERY_S) == 0:
                self.journal.ledger.trim()
            if now_ms >= self.reboot_ms:
                self._restart(self.slots.REBOOT, self._reboot_detail)
            if self.link.is_hopeless():
                self._restart(self.slots.REBOOT, "radio")
            newest = self.journal.newest_seq()
            if newest != seen or self.jobs or self.link.burst or tick % TICKS_PER_S == 0:
                seen = newest
                self.session.wake()
            tick += 1
            await asyncio.sleep_ms(TICK_MS)

    def _restart(self, cause, detail):
        # The count restarts at 0, and the last heartbeat may be a minute old.
        lines.note(
            "node restarts uptime_ms=%d detail=%s missed=%d"
            % (self.clock.uptime_ms(), detail, self.board.sampler.missed)
        )
        try:
            load(self.slots, "log").keep()
        except (ImportError, OSError, MemoryError):
            pass  # the reason of the restart is kept below
        self.journal.ledger.trim()
        self.slots.leave(cause, detail)
        self.board.reset()

    def request_reboot(self, detail):
        # Delayed, so that a result can still be sent. A second request does not delay it further.
        reboot_ms = self.clock.uptime_ms() + _REBOOT_AFTER_MS
        if reboot_ms < self.reboot_ms:
            self.reboot_ms = reboot_ms
            self._reboot_detail = detail

    def _on_fault(self, name, error):
        now_ms = self.clock.uptime_ms()
        if now_ms - self._fault_ms >= _FAULT_EVERY_MS:
            self._fault_ms = now_ms
            self.slots.keep_failure(name, error)
            self.conditions.report(now_ms, "restarted", True, self.supervisor.restarts)

    # Called by the session:

    def alive(self):
        self.supervisor.alive("link")

    def on_connect(self):
        self._hello_boot = 0

    def on_command(self, command):
        self.commands.take(command, self.clock.uptime_ms())

    def on_chunk(self, chunk):
        self.updater.on_chunk(chunk)

    def next_volatile(self, now_ms):
        # A hello on each connection and for each new block of counters, then the messages of this
        # kind of node, then the requests of an update.
        self.journal.renew()
        if self._hello_boot != self.journal.boot:
            self._hello_boot = self.journal.boot
            return "hello", self._hello(now_ms)
        message = self.next_own(now_ms)
        if message is not None:
            return message
        for job in self.jobs:
            message = job.next(now_ms)
            if message is not None:
                return message
        request = self.updater.next_chunk_request(now_ms)
        return None if request is None else ("chunk_request", request)

    def _hello(self, now_ms):
        burst = self.link.burst
        return {
            "t_ms": now_ms,
            "fw": self.fw_prefix + FIRMWARE,
            "board": self.board.name,
            "schema": schema.VERSION,
            "reset_cause": self.slots.cause,
            "reset_detail": self.slots.detail or None,
            "fs_hz": self.board.sampler.fs_hz,
            "heap_free": gc.mem_free(),
            "oldest_seq": self.journal.oldest_seq(),
            "conditions": self.conditions.level(),
            "conditions_seq": self.journal.newest_seq(),
            "turn": self.journal.number >> 16 or None,
            "settings": None if self.fw_prefix else self.settings.data,  # safe mode uses none
            "radio_s": burst and burst.radio_s(),
            "asleep_s": burst and burst.asleep_s,
        }
