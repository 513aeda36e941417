# SPDX-License-Identifier: MIT
# node: a node that senses: sampling, detection, health and daily key rotation.

import gc
import os
import random

from micropython import const

from ugs.arrivals import Arrivals
from ugs.base import TICKS_PER_S, BaseNode
from ugs.detect.detector import Detector
from ugs.health import Health
from ugs.lines import note
from ugs.sampling import Sampling
from ugs.seldom import forget, load
from ugs.update.self_test import SelfTest

# Beside this file, whichever image the node runs from.
_MODEL = __file__.rsplit("/", 1)[0] + "/model.bin"
# Written at the prompt of the USB cable: stream all samples over the cable (ugs.remote.stream).
_STREAM = "state/stream"
_SCRUB_EVERY_S = const(6)  # below the share of missed samples that is reported
# Longest time without progress: the sampling task may wait for flash.
_SAMPLING_LIMIT_MS = const(6_000)


class Node(BaseNode):
    # board: also nm_s_per_count_x256, pir (or None), tamper, check(). Samples are taken from the
    # constructor on.

    def __init__(self, board, config, slots):
        self._is_sampling = False
        super().__init__(board, config, slots)
        self.sample()
        self.health = Health(
            board,
            self.journal.ledger,
            self.clock,
            self.session,
            self.link,
            self.conditions,
            random.random,
        )
        self.detector = Detector(board.nm_s_per_count_x256, _open_model())
        self.sample()
        self.arrivals = Arrivals(self.detector, self.clock)
        self.sampling = Sampling(
            board.sampler,
            board.pir,
            self.detector,
            self.clock,
            self._record,
            self._on_block,
        )
        self.self_test = SelfTest(slots)
        self._held_back = 0
        # The gap last reported, (boot, highest seq in it), and the identity of that report.
        self._gap = self._gap_report = None
        self._apply(self.settings)
        self._start_stream()
        forget()
        self.sample()

    def sample(self):
        # A full ledger takes a second to read; the sampler keeps four seconds of samples until the
        # sampling task runs. Before this, flash was written, which may stop sampling.
        if not self._is_sampling:
            self._is_sampling = True
            gc.collect()
            self.board.sampler.start()
        self.board.sampler.keep_time()

    def apply(self, settings):
        self._apply(settings)
        super().apply(settings)

    def _apply(self, settings):
        self.health.set_heartbeat(self.clock.uptime_ms(), settings.heartbeat_s)
        self.detector.set_threshold(settings.threshold_x10)
        burst = self.link.burst
        name = "sentinel" if settings.sampling else "burst" if settings.radio else None
        if not self.is_wired and name != (burst and burst.name):
            self.link.burst = None
            if name:
                self.link.burst = load(self.slots, name).make(self, self.link)

    def _start_stream(self):
        try:
            os.stat(_STREAM)
            load(self.slots, "stream").start(self, _STREAM)
        except (ImportError, OSError, MemoryError):
            pass  # the usual start; or no recording is made, and the node senses as usual

    def parts(self):
        return super().parts() + (self.detector, self.arrivals, self.self_test)

    def start(self):
        self.supervisor.start("sampling", self.sampling.run, _SAMPLING_LIMIT_MS)

    def step(self, tick, now_ms):
        self.health.poll_contact(now_ms)
        if self.link.burst is not None:
            self.link.burst.step(now_ms)
        if tick % TICKS_PER_S == 0:
            self.health.poll(now_ms)
            self._note_held_back()
            hz_x64 = self.detector.lines.hz_x64[0]
            self.conditions.set(now_ms, "line_noise", hz_x64 > 0, hz_x64 * 10 >> 6)
            self._report_gaps(now_ms)
            self._prove(now_ms)
            self._rotate_key()
        if tick % (TICKS_PER_S * _SCRUB_EVERY_S) == 0:
            self.ratchet.scrub()

    def _note_held_back(self):
        held_back = self.detector.rise.held_back
        if held_back != self._held_back:
            self._held_back = held_back
            note("level held back count=%d: the last one stayed unclassified" % held_back)

    def run(self):
        try:
            super().run()
        finally:
            # Ctrl-C leads to the prompt, where nothing may write into the heap by DMA.
            self.board.sampler.stop()

    def _on_block(self):
        self.supervisor.alive("sampling")
        # Footfalls expire unless they are requested.
        if self.detector.is_open():
            self.session.wake()

    def _record(self, name, values):
        # A detection is sent at once.
        identity = self.journal.record(name, values)
        self.session.wake()
        return identity

    def _rotate_key(self):
        # The gateway must answer to the present key, so that it is never more than one step behind.
        # It must also have all messages: a late one under the old key would look like a forgery.
        if not self.session.is_answered or not self.health.is_acknowledged():
            return
        if self.journal.ledger.pending() or self.updater.is_busy or self.slots.on_trial:
            return
        if self.ratchet.step(self.clock.wall_ms()):
            self.session.rekey(self.ratchet.keys)

    def _report_gaps(self, now_ms):
        dropped = self.journal.ledger.take_dropped()
        if dropped is not None:
            self._report_gap(now_ms, *dropped)
        elif self.session.is_answered and self.session.outbox.is_stuck():
            # A gateway that answers but gives no receipt waits for messages that another gateway
            # received. A gap report states that they will not be sent again.
            oldest = self.journal.ledger.after((0, 0))
            if oldest is not None and oldest[1] > 1:
                self._report_gap(now_ms, oldest[0], oldest[1] - 1)

    def _report_gap(self, now_ms, boot, upto):
        # Sent first: until it is sent, no message behind the gap gets a receipt. Recorded once for
        # each gap: a gateway that never gives a receipt must not fill the ledger.
        if (boot, upto) != self._gap:
            self._gap = (boot, upto)
            report = self.conditions.report(now_ms, "records_dropped", True, upto, boot)
            self._gap_report = report[:2]
        self.session.outbox.send_first(*self._gap_report)

    def _prove(self, now_ms):
        health = self.health
        if self.self_test.step(now_ms, health.are_sensors_well(), health.is_acknowledged()):
            print("trial fails uptime_ms=%d" % now_ms)
            self.request_reboot("trial")
        if not self.updater.is_busy:
            self.updater.report_outcome(now_ms)

    def next_own(self, now_ms):
        # Heartbeats first, then messages that expire soon. One heartbeat serves both requests.
        if self.arrivals.wants_time(now_ms) or self.health.is_heartbeat_due(now_ms):
            return "health", self.health.heartbeat(now_ms, self.detector.floor_um_s_x100)
        footfalls = self.arrivals.next(now_ms)
        return None if footfalls is None else ("footfalls", footfalls)


def _open_model():
    # A view in flash (package.py); or an open file, which the forest reads for each result.
    file = open(_MODEL, "rb")
    view = getattr(file, "view", None)
    if view is None:
        return file
    file.close()
    return view
