# SPDX-License-Identifier: MIT
# sampling: the sampling task. Carries blocks of samples from the ring to the detector, and its
# reports to the ledger.

import asyncio
import gc

from micropython import const

from ugs.drivers.sampler import RING
from ugs.wire import schema

BLOCK = const(32)
# A lag beyond this cannot be caught up before the timer overwrites unread samples.
_LAG_MAX = RING - 2 * BLOCK
_GC_EVERY_MS = const(2_000)
_ONSET = schema.enum_value("detection", "phase", "onset")


class Sampling:
    # record(name, values) -> (boot, seq, on flash) stores a detection; alive() reports progress.
    #   read: number of the next sample to read

    def __init__(self, sampler, pir, detector, clock, record, alive):
        self.read = 0
        self._sampler = sampler
        self._pir = pir
        self._detector = detector
        self._clock = clock
        self._record = record
        self._alive = alive
        self._collected_ms = 0
        self._missed = 0

    async def run(self):
        while True:
            if self.step():
                # A stopped timer delivers no samples: then the watchdog must reset the node.
                self._alive()
            now_ms = self._clock.uptime_ms()
            if now_ms - self._collected_ms >= _GC_EVERY_MS:
                # Frequent collections are short and keep the heap unfragmented.
                gc.collect()
                self._collected_ms = now_ms
            await asyncio.sleep_ms(self._wait_ms())

    def _wait_ms(self):
        # Until the next block is complete. One sample more, because the converter may be slower
        # than the clock.
        sampler = self._sampler
        return (BLOCK + 1 + self.read - sampler.written) * sampler.period_us // 1000

    def step(self):
        # Feeds every complete block; True if there was one.
        sampler = self._sampler
        sampler.keep_time()
        before = self.read
        lag = sampler.written - self.read
        if lag > _LAG_MAX:
            skipped = (lag - BLOCK) // BLOCK * BLOCK
            self.read += skipped
            sampler.overruns += skipped
            sampler.missed += skipped
        while sampler.written - self.read >= BLOCK:
            age_us = sampler.age_us(self.read + BLOCK - 1)
            t_ms = max(0, self._clock.uptime_ms() - age_us // 1000)
            self._feed_edges(t_ms)
            if sampler.missed != self._missed:
                self._missed = sampler.missed
                self._detector.note_gap((sampler.written - self.read) // BLOCK)
            # Advanced first: a block on which the detector raises is not fed again.
            self.read += BLOCK
            if self._detector.feed(sampler.ring, self.read - BLOCK, t_ms):
                self._keep(self._detector.report)
        if self._pir is not None:
            self._look_at_pir()
        return self.read != before

    def _feed_edges(self, until_ms):
        pir = self._pir
        while pir is not None and len(pir):
            t_ms = self._clock.at_tick(pir.tick())
            if t_ms > until_ms:
                return
            before = pir.level
            if pir.pop() != before and not pir.is_shut:
                self._detector.pir_edge(t_ms, pir.level)

    def _look_at_pir(self):
        pir = self._pir
        pir.is_muted = self._detector.is_pir_muted()
        if pir.resync() and not pir.is_shut:
            self._detector.pir_edge(self._clock.uptime_ms(), pir.level)

    def _keep(self, report):
        values = {
            "t_ms": report.onset_ms,
            "phase": report.phase,
            "class": report.class_id,
            "confidence_pct": report.confidence_pct,
            "peak_um_s_x100": report.peak_um_s_x100,
            "cadence_hz_x20": report.cadence_hz_x20,
            "pir_count": report.pir_count,
        }
        if report.phase != _ONSET:
            values["elapsed_s_x10"] = report.elapsed_s_x10
        boot, seq, _on_flash = self._record("detection", values)
        print(
            "detection boot=%d seq=%d onset_ms=%d phase=%s class=%s"
            " confidence_pct=%d peak_um_s_x100=%d"
            % (
                boot,
                seq,
                report.onset_ms,
                schema.enum_name("detection", "phase", report.phase),
                schema.enum_name("detection", "class", report.class_id),
                report.confidence_pct,
                report.peak_um_s_x100,
            )
        )
