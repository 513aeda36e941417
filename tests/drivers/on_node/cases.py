# SPDX-License-Identifier: MIT
# One case of the drivers on simulated parts and a test clock: cases.py CASE; prints "ok".

import gc
import sys
import time

import micropython

from ugs.clock import Clock
from ugs.drivers.battery import Battery
from ugs.drivers.contact import Contact
from ugs.drivers.edges import EdgeQueue
from ugs.drivers.sampler import RING, Sampler

PERIOD_US = 4000


class Ground:
    # A timer that a test triggers, and an ADC that returns how often it was read.
    def __init__(self):
        self.reads = 0

    def start(self, fs_hz, callback):
        assert fs_hz == 250
        self.strike = callback
        return self

    def read(self):
        self.reads += 1
        return self.reads

    def tick(self, count=1, late_us=0):
        for _ in range(count):
            time.advance_us(PERIOD_US + late_us)
            self.strike(None)
            time.advance_us(-late_us)


def make(clip=1000_000):
    ground = Ground()
    sampler = Sampler(ground.start, ground.read, 250, clip)
    sampler.start()
    return ground, sampler


def sampler_on_time_misses_nothing():
    ground, sampler = make()
    ground.tick(3000)  # across the wrap of ticks_us
    assert (sampler.written, sampler.missed, sampler.clipped) == (3000, 0, 0)
    assert sampler.ring[2999 & (RING - 1)] == 3000
    assert sampler.age_us(2999) == 0
    assert sampler.age_us(2990) == 9 * PERIOD_US


def sampler_late_within_slack_keeps_the_grid():
    ground, sampler = make()
    ground.tick(100)
    ground.tick(1, late_us=20_000)
    ground.tick(100)
    assert (sampler.written, sampler.missed) == (201, 0)
    assert sampler.age_us(200) == 0


def sampler_after_a_stall_fills_and_counts():
    ground, sampler = make()
    ground.tick(10)
    time.advance_us(20 * PERIOD_US)
    ground.tick()
    assert (sampler.written, sampler.missed) == (31, 20), (sampler.written, sampler.missed)
    assert [sampler.ring[i] for i in (9, 10, 29, 30)] == [10, 10, 10, 11]
    assert sampler.age_us(30) == 0


def sampler_catching_up_after_a_stall_keeps_the_filled_samples():
    ground, sampler = make()
    ground.tick(10)
    time.advance_us(20 * PERIOD_US)
    ground.tick()
    for _ in range(20):  # the timer's queue delivers what it had held back
        ground.strike(None)
    assert (sampler.written, sampler.missed) == (31, 20)
    ground.tick(5)
    assert (sampler.written, sampler.missed) == (36, 20)


def sampler_stalled_beyond_the_ring_stays_within_it():
    ground, sampler = make()
    ground.tick(5)
    time.advance_us(5000 * PERIOD_US)
    ground.tick()
    assert (sampler.written, sampler.missed) == (5006, 5000)
    assert sampler.ring[5005 & (RING - 1)] == 6
    assert sampler.ring[5000 & (RING - 1)] == 5


def sampler_at_the_rail_counts_clipped():
    ground, sampler = make(clip=50)
    ground.tick(60)
    assert sampler.clipped == 11


def sampler_and_edges_in_the_interrupt_allocate_nothing():
    ground, sampler = make(clip=3)
    edges = EdgeQueue(Level(1))
    strike = ground.strike
    ground.tick(3)
    # The sampler is due 30 slots from here: the first callback fills them, the others come early.
    time.advance_us(31 * PERIOD_US)
    gc.collect()
    micropython.heap_lock()
    try:
        for _ in range(40):
            strike(None)
            edges.on_edge(None)
    finally:
        micropython.heap_unlock()
    assert edges.dropped == 8
    assert (sampler.written, sampler.missed, sampler.clipped) == (34, 30, 2)


class Level:
    def __init__(self, level=0):
        self.level = level

    def __call__(self):
        return self.level


def edges_come_out_as_stamped():
    pin = Level()
    queue = EdgeQueue(pin)
    clock = Clock()
    stamped = []
    for step_us in (5000, 100_000, 2_000_000):
        time.advance_us(step_us)
        pin.level = 1 - pin.level
        queue.on_edge(pin)
        stamped.append((clock.uptime_ms(), pin.level))
    time.advance_us(50_000)
    out = []
    while len(queue):
        t_ms = clock.at_tick(queue.tick())
        out.append((t_ms, queue.pop()))
    assert out == stamped, (out, stamped)
    assert queue.level == 1


def edges_too_many_keep_the_first_and_the_level_in_the_end():
    for count in (40, 41):
        pin = Level()
        queue = EdgeQueue(pin)
        for i in range(count):
            time.advance_us(1_000)
            pin.level = 1 - i & 1
            queue.on_edge(pin)
        assert (len(queue), queue.dropped) == (32, count - 32)
        last_tick = time.ticks_ms()
        levels = []
        while len(queue):
            tick = queue.tick()
            levels.append(queue.pop())
        assert levels[:31] == [1 - i & 1 for i in range(31)]
        assert (queue.level, tick) == (pin.level, last_tick)
        assert queue.rises == (count + 1) // 2


def clock_over_many_wraps_never_goes_back():
    clock = Clock()
    last = clock.uptime_ms()
    total_ms = 0
    for _ in range(60):
        time.advance_us(86_400_000_000)  # a day; ticks_ms wraps after 12.4 of them
        total_ms += 86_400_000
        now = clock.uptime_ms()
        assert now > last
        last = now
    assert now == total_ms


def answered(clock, utc_ms, rtt_ms):
    now_ms = clock.uptime_ms()
    return clock.set_wall(utc_ms, now_ms - rtt_ms, now_ms)


def clock_with_two_answers_keeps_the_better_one():
    clock = Clock()
    time.advance_us(10_000_000)
    assert clock.wall_ms() is None and clock.quality_ms() is None
    assert answered(clock, 1_800_000_000_000, 400)
    assert clock.wall_ms() == 1_800_000_000_200
    assert clock.quality_ms() == 202
    assert not answered(clock, 1_800_000_000_100, 900)
    assert answered(clock, 1_800_000_000_300, 20)
    assert clock.quality_ms() == 12
    for rtt_ms in (-1, 20_001):
        assert not answered(clock, 0, rtt_ms)
    time.advance_us(1_000_000_000)
    assert clock.quality_ms() == 62


def clock_of_a_gateway_that_was_set_is_followed_at_once():
    clock = Clock()
    time.advance_us(10_000_000)
    assert answered(clock, 1_800_000_000_000, 4)
    assert answered(clock, 1_800_003_600_000, 900)  # worse, but both cannot be true
    assert clock.wall_ms() == 1_800_003_600_450
    assert clock.quality_ms() == 452


def clock_over_a_bad_link_is_within_its_stated_quality():
    # A crystal 30 ppm fast beside a gateway's that is 20 ppm slow; each way has a random delay.
    clock = Clock()
    time.advance_us(1_000_000)
    state = 12345
    now_us = best_ms = worst_ms = 0
    for _ in range(400):
        ways_us = []
        for _ in range(3):  # there, at the gateway, back
            state = (state * 1103515245 + 12345) & 0x3FFFFFFF
            ways_us.append(500 + (state >> 8) % 30_000)
        sent_ms = clock.uptime_ms()
        time.advance_us(ways_us[0])
        now_us += ways_us[0]
        utc_ms = 1_800_000_000_000 + (now_us - now_us * 50 // 1_000_000) // 1000
        time.advance_us(ways_us[1] + ways_us[2])
        now_us += ways_us[1] + ways_us[2]
        clock.set_wall(utc_ms, sent_ms, clock.uptime_ms())
        for _ in range(6):
            off_ms = clock.wall_ms() - (
                1_800_000_000_000 + (now_us - now_us * 50 // 1_000_000) // 1000
            )
            assert abs(off_ms) <= clock.quality_ms(), (off_ms, clock.quality_ms())
            worst_ms = max(worst_ms, abs(off_ms))
            best_ms = clock.quality_ms() if not best_ms else min(best_ms, clock.quality_ms())
            time.advance_us(10_000_000)
            now_us += 10_000_000
    assert worst_ms > 4  # it was put to the test
    assert best_ms < 15  # where an answer takes 45 ms on average, and 1.5 at the least


def contact(is_watched):
    # A contact whose level a test sets, with or without an interrupt on its edges, polled every
    # 100 ms.
    loop = Level()
    part = Contact(loop)

    def to(level):
        loop.level = level
        if is_watched:
            part.on_edge(None)

    def wait(ms):
        for _ in range(ms // 100):
            time.advance_us(100_000)
            part.poll()
        time.advance_us(ms % 100 * 1_000)

    return part, to, wait


def contact_bouncing_is_not_reported():
    for is_watched in (False, True):
        part, to, wait = contact(is_watched)
        for level in (1, 0, 1, 1, 0, 1, 0):
            to(level)
            wait(100)
            assert not part.is_open
        to(1)
        wait(300 if is_watched else 400)
        assert part.is_open
        to(0)
        wait(300 if is_watched else 400)
        assert not part.is_open
        assert part.openings == 1


def contact_opened_while_a_task_is_busy_is_reported():
    part, to, wait = contact(True)
    wait(1_000)
    for ms in (100, 240):
        to(1)
        time.advance_us(ms * 1_000)
        to(0)
        wait(500)
        assert not part.is_open, ms
    for ms in (400, 5_000):
        # Nothing polls: the pulse is over before the task comes by.
        to(1)
        time.advance_us(ms * 1_000)
        to(0)
        time.advance_us(50_000)
        part.poll()
        assert part.is_open, ms
        wait(500)
        assert not part.is_open
    assert part.openings == 2


def contact_opened_behind_late_interrupts_is_reported():
    # Scheduled handlers of both edges run after the pulse: they see a closed loop twice.
    part, to, wait = contact(True)
    wait(1_000)
    time.advance_us(450_000)
    part.on_edge(None)
    part.on_edge(None)
    part.poll()
    assert part.is_open
    wait(500)
    assert not part.is_open
    # The same while the task comes by in time is a glitch.
    part.on_edge(None)
    part.on_edge(None)
    wait(500)
    assert part.openings == 1


def battery_reads_through_its_divider():
    assert Battery(lambda: 3_300_000, 200).read_mv() == 6600
    assert Battery(lambda: 1_899_900, 200).read_mv() == 3798
    assert Battery(lambda: 0, 200).read_mv() == 0
    noisy = [1_800_000, 1_900_000] * 4
    assert Battery(noisy.pop, 200).read_mv() == 3700


globals()[sys.argv[1]]()
print("ok")
