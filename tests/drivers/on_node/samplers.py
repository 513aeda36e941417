# SPDX-License-Identifier: MIT
# One case that every sampler passes, on one of them: samplers.py CASE KIND; prints "ok".

import gc
import sys
import time
from array import array

import micropython

from ugs.drivers.dma_sampler import DmaSampler
from ugs.drivers.ready_sampler import ReadySampler
from ugs.drivers.sampler import RING, Sampler

COLLECTION_US = 18_000
PERIOD_US = 4000
PUMP_US = 100_000
CLIP = 8000


class Bench:
    # Time passes with run(us), the sampling task looks every 0.1 s; in stall(us) nothing runs.
    # `level`: what is measured, in counts of a sample, within +-8188. `dead`: the converter, or its
    # clock, has stopped.
    is_dma = False
    waiting = 1

    def __init__(self):
        self.level = 400
        self.us = self.looked_us = 0
        self.dead = False

    def run(self, us):
        end_us = self.us + us
        while self.us < end_us:
            time.advance_us(self.step_us)
            self.us += self.step_us
            if not self.dead:
                self.strike()
            if self.us - self.looked_us >= PUMP_US:
                self.looked_us += PUMP_US
                self.sampler.keep_time()

    def stall(self, us):
        time.advance_us(us)
        self.us += us
        self.looked_us = self.us
        for _ in range(self.waiting):  # pending requests, as far as they are kept
            self.strike()
        self.sampler.keep_time()


class TimerBench(Bench):
    step_us = PERIOD_US
    waiting = 8  # the depth of the scheduler's queue

    def __init__(self):
        super().__init__()
        self.sampler = Sampler(self._start, self._read, 250, CLIP)

    def _start(self, fs_hz, callback):
        self._callback = callback

    def _read(self):
        return self.level

    def strike(self):
        self._callback(None)


class ReadyBench(Bench):
    step_us = 1000

    def __init__(self):
        super().__init__()
        self.sampler = ReadySampler(self._watch, self._read, 250, CLIP)

    def _watch(self, callback):
        self._callback = callback

    def _read(self):
        return self.level

    def strike(self):
        self._callback(None)


class DmaBench(Bench):
    # It is the converter as well, of 4 kHz and 2048 readings; a lap is short here.
    step_us = 1000
    is_dma = True
    raw_hz = 4000
    lap = 1 << 14
    readings = 2048

    def __init__(self):
        super().__init__()
        self.ring = bytearray(4096)
        self._words = array("H", bytes(4096))
        self._made = 0
        self._from_us = 0
        self._is_aside = self.collects = False
        self.sampler = DmaSampler(self, 250, CLIP)

    def start(self):
        self._from_us = self.us

    def turn(self, is_aside):
        # On an RP2040 it allocates, so a collection may be due here, before the input is changed.
        if self.collects and gc.isenabled():
            self.us += COLLECTION_US
        self.transfers()
        self._is_aside = is_aside

    def read_aside(self):
        return 1234

    def strike(self):
        self.transfers()

    def transfers(self):
        us = self.us + time.slept_us
        if not self.dead:
            due = self._made + (us - self._from_us) // 250
            self._from_us += (due - self._made) * 250
            code = 1234 if self._is_aside else (self.level + 8192) // 4
            if due - self._made > 2048:
                self._made = due - 2048
            while self._made < due:
                place = 2 * (self._made & 2047)
                self.ring[place] = code & 255
                self.ring[place + 1] = code >> 8
                self._made += 1
        else:
            self._from_us = us
        return self._made & (self.lap - 1)


def make():
    bench = {"timer": TimerBench, "ready": ReadyBench, "dma": DmaBench}[sys.argv[2]]()
    bench.sampler.start()
    bench.sampler.keep_time()
    return bench, bench.sampler


# Readings that a filter needs before its first sample, and those that wait for its next.
def due(bench):
    settle = {"timer": 0, "ready": 15, "dma": 19}[sys.argv[2]]
    return bench.us // PERIOD_US - settle


def newest(sampler, count):
    return [sampler.ring[at & (RING - 1)] for at in range(sampler.written - count, sampler.written)]


def on_time_nothing_is_missed():
    bench, sampler = make()
    sampler.rate_hz_x100()
    bench.run(10_000_000)  # across the wraps of ticks_us and, by DMA, of the count
    sampler.rate_hz_x100()
    bench.run(4_000_000)
    assert abs(sampler.written - due(bench)) <= 1, (sampler.written, due(bench))
    assert (sampler.missed, sampler.overruns, sampler.clipped) == (0, 0, 0)
    assert newest(sampler, 500) == [400] * 500
    rate = sampler.rate_hz_x100()
    assert abs(rate - 25_000) <= 10, rate
    bench.run(10_000)  # of two heartbeats so close both state the same
    assert sampler.rate_hz_x100() == rate
    assert sampler.worst_late_us <= (PUMP_US if bench.is_dma else 0), sampler.worst_late_us


def age_is_that_of_the_grid():
    bench, sampler = make()
    bench.run(3_000_000)
    delay_us = {"timer": 0, "ready": 31_500, "dma": 36_500}[sys.argv[2]]
    for _ in range(3):
        bench.run(37_000)
        ages = [sampler.age_us(sampler.written - 1 - n) for n in range(3)]
        assert ages[1] - ages[0] == ages[2] - ages[1] == PERIOD_US
        # Of a sample that is taken at once, and of one that waits for the sampling task.
        limit_us = PUMP_US + PERIOD_US if bench.is_dma else PERIOD_US
        assert delay_us - PERIOD_US <= ages[0] <= delay_us + limit_us, ages


def stall_of_100_ms_by_dma_loses_nothing_else_is_counted():
    bench, sampler = make()
    bench.run(2_000_000)
    before = sampler.written
    bench.stall(100_000)
    bench.run(2_000_000)
    assert abs(sampler.missed - 25) <= 1 or (bench.is_dma and not sampler.missed), sampler.missed
    assert abs(sampler.written - before - 525) <= 1, sampler.written - before
    assert sampler.overruns == 0
    assert 90_000 < sampler.worst_late_us <= 200_000, sampler.worst_late_us


def collections_and_erases_by_dma_lose_nothing_else_are_counted():
    # 22 ms each second, and 45 and 98 ms at times.
    bench, sampler = make()
    for second in range(10):
        bench.run(900_000)
        bench.stall(22_000 if second % 4 else 98_000)
    if bench.is_dma:
        assert sampler.missed == 0
    else:
        assert sampler.missed >= 60, sampler.missed
    assert abs(sampler.written - due(bench)) <= 2


def gap_of_the_converter_is_filled_and_counted():
    bench, sampler = make()
    bench.run(2_000_000)
    bench.dead = True
    bench.run(200_000)
    bench.dead = False
    bench.level = 800
    bench.run(1_000_000)
    assert 48 <= sampler.missed <= 50, sampler.missed
    assert abs(sampler.written - due(bench)) <= 2, (sampler.written, due(bench))
    assert newest(sampler, 100) == [800] * 100


def converter_that_is_dead_makes_no_samples_of_its_own():
    bench, sampler = make()
    bench.run(1_000_000)
    before = sampler.written
    bench.dead = True
    bench.run(3_000_000)
    if sys.argv[2] != "ready":  # there the board reports it
        assert sampler.written == before


def stall_beyond_the_ring_is_an_overrun_to_the_sample():
    bench, sampler = make()
    bench.run(2_000_000)
    bench.stall(2_000_000)
    bench.run(1_000_000)
    if bench.is_dma:
        # 8000 readings, of which 2048 less a margin of 128 are there.
        assert sampler.overruns == sampler.missed == (8000 - 1920) // 16
    else:
        assert abs(sampler.missed - 500) <= 1
    assert abs(sampler.written - due(bench)) <= 1


def reading_at_a_rail_is_clipped():
    bench, sampler = make()
    bench.run(1_000_000)
    bench.level = 8188
    bench.run(1_000_000)
    bench.level = -8192
    bench.run(1_000_000)
    bench.level = 0
    bench.run(1_000_000)
    assert 499 <= sampler.clipped <= 502, sampler.clipped


def work_allocates_nothing():
    bench, sampler = make()
    bench.run(2_000_000)
    strike, keep_time = bench.strike, sampler.keep_time
    time.advance_us(10_000)
    bench.us += 10_000
    gc.collect()
    micropython.heap_lock()
    try:
        strike()
        keep_time()
    finally:
        micropython.heap_unlock()


def sampler_stopped_writes_nothing_and_starts_again():
    bench, sampler = make()
    if not bench.is_dma:
        return
    bench.run(1_000_000)
    bench.stop = lambda: None
    sampler.stop()
    before = sampler.written
    bench.run(1_000_000)
    assert sampler.written == before
    assert sampler.read_aside() == 1234
    bench._made = 0
    sampler.start()
    time.advance_us(700_000)  # before the first look nothing is kept
    bench.us += 700_000
    bench.looked_us = bench.us
    sampler.keep_time()
    bench.run(1_000_000)
    assert abs(sampler.written - before - 250 + 19) <= 1
    assert sampler.missed == 0


def battery_read_in_between_is_bridged_and_counted():
    bench, sampler = make()
    if not bench.is_dma:
        return
    bench.run(2_000_000)
    for _ in range(10):
        assert sampler.read_aside() == 1234
        assert sampler.read_aside() == 1234  # asked again before the gap is closed
        bench.run(500_000)
    assert sampler.missed == 0 and sampler.clipped == 0
    assert sampler.bridged == 30, sampler.bridged
    assert newest(sampler, 900) == [400] * 900


def battery_read_when_a_collection_is_due_costs_no_sample():
    bench, sampler = make()
    if not bench.is_dma:
        return
    bench.run(2_000_000)
    bench.collects = True
    for _ in range(10):
        assert sampler.read_aside() == 1234
        assert gc.isenabled()
        bench.run(500_000)
    assert sampler.missed == 0 and sampler.bridged == 30, (sampler.missed, sampler.bridged)


def battery_of_a_dead_converter_ends():
    bench, sampler = make()
    if not bench.is_dma:
        return
    bench.run(1_000_000)
    bench.dead = True
    assert sampler.read_aside() == 0


globals()[sys.argv[1]]()
print("ok")
