# SPDX-License-Identifier: MIT
# node: composes the rooms of one node and runs them; whatever board it is on was handed in.

import asyncio
import gc
import random

from micropython import const

from ugs.clock import Clock
from ugs.detect.detector import Detector
from ugs.health import Conditions, Health
from ugs.ledger.journal import Journal
from ugs.link.choose import make_link
from ugs.link.commands import Commands
from ugs.link.session import Session
from ugs.pump import Pump
from ugs.ratchet import Ratchet
from ugs.snippet import Snippet
from ugs.strikes import Strikes
from ugs.tasks import Supervisor
from ugs.update.proof import Proof
from ugs.update.updater import Updater
from ugs.version import FIRMWARE, number
from ugs.wire import schema

_STATE = "state"
# Beside this file, whichever tree the node runs from.
_MODEL = __file__.rsplit("/", 1)[0] + "/model.bin"
_TICK_MS = const(100)
_TRIM_EVERY_S = const(60)
_SCRUB_EVERY_S = const(6)  # below the share of missed samples that is told of
_REBOOT_AFTER_MS = const(3_000)
# A task that fails again and again is told of so often, so that it does not fill the ledger.
_FAULT_EVERY_MS = const(600_000)
# Uptime goes out as 32 bits of ms (49.7 days), and the ring counts 2^30 samples (49.7 days).
_UPTIME_MS_MAX = 4_147_200_000
# Longest time without progress: the pump may wait for flash, the link for a join or a peer.
_PUMP_LIMIT_MS = const(6_000)
_HOUSE_LIMIT_MS = const(6_000)
_LINK_LIMIT_MS = const(90_000)
_UPDATE_LIMIT_MS = const(10_000)


class Node:
    # board: name, sampler, nm_s_per_count_x256, pir (or None), tamper, wlan or line, battery_mv(),
    # reset_cause(), start_watchdog(), reset(), check(). Opening the ledger reserves the boot number
    # and may raise OSError or BootsError; from the end of the constructor on samples are taken.
    # slots: which tree this is, and whether on trial.

    def __init__(self, board, config, slots):
        self.board = board
        self._name = config.node
        self.clock = Clock()
        self.journal = Journal(_STATE)
        self.journal.open()
        self.supervisor = Supervisor(self._on_fault)
        self.conditions = Conditions(self.journal.record)
        self.ratchet = Ratchet(_STATE, config.key)
        derived = self.ratchet.keys
        self.session = Session(config, derived, self.journal, self.clock, self, random.random)
        self.link = make_link(config, derived.mqtt_password, self.session, board, random.random)
        self.health = Health(
            board,
            self.journal.ledger,
            self.clock,
            self.session,
            self.link,
            self.conditions,
            random.random,
        )
        with open(_MODEL, "rb") as file:
            self.detector = Detector(board.nm_s_per_count_x256, file.read())
        self.strikes = Strikes(self.detector, self.clock)
        self.pump = Pump(
            board.sampler,
            board.pir,
            self.detector,
            self.clock,
            self.journal.record,
            lambda: self.supervisor.alive("pump"),
        )
        self.updater = Updater(
            config.release,
            board.name,
            number(FIRMWARE),
            slots,
            self.journal.record,
            self._request_reboot,
            lambda: self.supervisor.alive("update"),
        )
        self._slots = slots
        self.proof = Proof(slots)
        self.snippet = Snippet(board.sampler, board.nm_s_per_count_x256, self.journal.record)
        self.commands = Commands(
            self.journal.record, self._request_reboot, self.updater.take, self.snippet.take
        )
        self._hello_boot = 0
        # The gap last told of, (boot, highest seq in it), and the identity of what told of it.
        self._gap = self._gap_told = None
        self._fault_told_ms = -_FAULT_EVERY_MS
        self._reboot_ms = _UPTIME_MS_MAX
        board.sampler.start()

    def run(self):
        gc.collect()
        print(
            "node started node=%s board=%s boot=%d pending=%d heap_free=%d"
            % (
                self._name,
                self.board.name,
                self.journal.boot,
                self.journal.ledger.pending(),
                gc.mem_free(),
            )
        )
        asyncio.run(self._main())

    async def _main(self):
        supervisor = self.supervisor
        supervisor.start("pump", self.pump.run, _PUMP_LIMIT_MS)
        supervisor.start("house", self._keep_house, _HOUSE_LIMIT_MS)
        supervisor.start("link", self.link.run, _LINK_LIMIT_MS)
        supervisor.start("update", self._update, _UPDATE_LIMIT_MS)
        await supervisor.feed(self.board.start_watchdog())
        # The watchdog resets the node now; this is for a board whose watchdog is switched off.
        self.board.reset()

    async def _update(self):
        self.updater.tell_outcome(self.clock.uptime_ms())
        await self.updater.run(self.clock.uptime_ms)

    async def _keep_house(self):
        tick = 0
        while True:
            self.supervisor.alive("house")
            now_ms = self.clock.uptime_ms()
            self.health.poll_contact(now_ms)
            if tick % 10 == 0:
                self.health.poll(now_ms)
                self._tell_gaps(now_ms)
                self._prove(now_ms)
                self._turn_key()
            if tick % (10 * _SCRUB_EVERY_S) == 0:
                self.ratchet.scrub()
            if tick % (10 * _TRIM_EVERY_S) == 0:
                self.journal.ledger.trim()
            if now_ms >= self._reboot_ms or self.link.is_hopeless():
                print("node restarts uptime_ms=%d" % now_ms)
                self.journal.ledger.trim()
                self.board.reset()
            tick += 1
            await asyncio.sleep_ms(_TICK_MS)

    def _turn_key(self):
        # While the gateway answers to this key it is never more than one step behind. And when it
        # has all that we said: what came late in the old key would look like another's word.
        if not self.session.is_answered or not self.health.is_acknowledged():
            return
        if self.journal.ledger.pending() or self.updater.is_busy or self._slots.on_trial:
            return
        if self.ratchet.step(self.clock.wall_ms()):
            self.session.rekey(self.ratchet.keys)

    def _tell_gaps(self, now_ms):
        dropped = self.journal.ledger.take_dropped()
        if dropped is not None:
            self._tell_gap(now_ms, *dropped)
        elif self.session.is_answered and self.session.outbox.is_stuck():
            # A gateway that answers but gives no receipt waits for messages that another gateway
            # received: it has to be told that they will not come again.
            oldest = self.journal.ledger.after((0, 0))
            if oldest is not None and oldest[1] > 1:
                self._tell_gap(now_ms, oldest[0], oldest[1] - 1)

    def _tell_gap(self, now_ms, boot, upto):
        # Ahead of its turn: until it is told, nothing behind the gap gets a receipt. Kept once for
        # each gap: a gateway that never gives a receipt must not fill the ledger.
        if (boot, upto) != self._gap:
            self._gap = (boot, upto)
            told = self.conditions.tell(now_ms, "records_dropped", True, upto, boot)
            self._gap_told = told[:2]
        self.session.outbox.send_first(*self._gap_told)

    def _prove(self, now_ms):
        health = self.health
        if self.proof.step(now_ms, health.are_sensors_well(), health.is_acknowledged()):
            print("trial fails uptime_ms=%d" % now_ms)
            self._request_reboot()
        if not self.updater.is_busy:
            self.updater.tell_outcome(now_ms)

    def _request_reboot(self):
        # Later, so that the result can still go out.
        self._reboot_ms = self.clock.uptime_ms() + _REBOOT_AFTER_MS

    def _on_fault(self, name, _error):
        now_ms = self.clock.uptime_ms()
        if now_ms - self._fault_told_ms >= _FAULT_EVERY_MS:
            self._fault_told_ms = now_ms
            self.conditions.tell(now_ms, "restarted", True, self.supervisor.restarts)

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
        # A hello on each connection and for each new block of counters, then heartbeats, then what
        # grows old soon.
        self.journal.renew()
        if self._hello_boot != self.journal.boot:
            self._hello_boot = self.journal.boot
            return "hello", {
                "t_ms": now_ms,
                "fw": FIRMWARE,
                "board": self.board.name,
                "schema": schema.VERSION,
                "reset_cause": self.board.reset_cause(),
                "fs_hz": self.board.sampler.fs_hz,
                "heap_free": gc.mem_free(),
                "oldest_seq": self.journal.oldest_seq(),
                "conditions": self.conditions.level(),
                "conditions_seq": self.journal.newest_seq(),
            }
        if self.health.is_heartbeat_due(now_ms) or self.strikes.wants_time(now_ms):
            return "health", self.health.heartbeat(now_ms, self.detector.floor_um_s_x100)
        strikes = self.strikes.next(now_ms)
        if strikes is not None:
            return "strikes", strikes
        part = self.snippet.next(now_ms)
        if part is not None:
            return "snippet", part
        want = self.updater.next_want(now_ms)
        return None if want is None else ("want", want)
