# SPDX-License-Identifier: MIT
# One case of the drivers on parts and a clock in the hand of the test: cases.py CASE; prints "ok".

import gc
import sys
import time

import micropython

from ugs.clock import Clock
from ugs.drivers.ads1220 import Ads1220
from ugs.drivers.battery import Battery
from ugs.drivers.contact import Contact
from ugs.drivers.edges import EdgeQueue
from ugs.drivers.sampler import RING, Sampler

PERIOD_US = 4000


class Ground:
    # A timer that a test strikes, and an ADC that returns how often it was read.
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


def sampler_catching_up_after_a_stall_leaves_what_it_filled():
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
    # The sampler is due 30 slots from here: the first strike fills them, the others come early.
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


def edges_too_many_drop_the_newest_and_count():
    pin = Level()
    queue = EdgeQueue(pin)
    for i in range(40):
        pin.level = i & 1
        queue.on_edge(pin)
    assert (len(queue), queue.dropped) == (32, 8)
    assert [queue.pop() for _ in range(32)] == [i & 1 for i in range(32)]


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


def told(clock, utc_ms, rtt_ms):
    now_ms = clock.uptime_ms()
    return clock.set_wall(utc_ms, now_ms - rtt_ms, now_ms)


def clock_told_the_time_keeps_the_better_answer():
    clock = Clock()
    time.advance_us(10_000_000)
    assert clock.wall_ms() is None and clock.quality_ms() is None
    assert told(clock, 1_800_000_000_000, 400)
    assert clock.wall_ms() == 1_800_000_000_200
    assert clock.quality_ms() == 202
    assert not told(clock, 1_800_000_000_100, 900)
    assert told(clock, 1_800_000_000_300, 20)
    assert clock.quality_ms() == 12
    for rtt_ms in (-1, 20_001):
        assert not told(clock, 0, rtt_ms)
    time.advance_us(1_000_000_000)
    assert clock.quality_ms() == 62


def clock_of_a_gateway_that_was_set_is_followed_at_once():
    clock = Clock()
    time.advance_us(10_000_000)
    assert told(clock, 1_800_000_000_000, 4)
    assert told(clock, 1_800_003_600_000, 900)  # worse, but both cannot be true
    assert clock.wall_ms() == 1_800_003_600_450
    assert clock.quality_ms() == 452


def clock_over_a_bad_way_is_never_further_off_than_it_says():
    # A crystal 30 ppm fast beside a gateway's that is 20 ppm slow; each way takes what it takes.
    clock = Clock()
    time.advance_us(1_000_000)
    chance = 12345
    now_us = best_ms = worst_ms = 0
    for _ in range(400):
        ways_us = []
        for _ in range(3):  # there, at the gateway, back
            chance = (chance * 1103515245 + 12345) & 0x3FFFFFFF
            ways_us.append(500 + (chance >> 8) % 30_000)
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


def contact_bouncing_is_not_reported():
    loop = Level()
    contact = Contact(loop)
    for level in (1, 0, 1, 1, 0, 1, 0):
        loop.level = level
        contact.poll()
        assert not contact.is_open
    loop.level = 1
    for _ in range(3):
        contact.poll()
    assert contact.is_open
    loop.level = 0
    for _ in range(3):
        contact.poll()
    assert not contact.is_open


def battery_reads_through_its_divider():
    assert Battery(lambda: 65535, 3300, 200).read_mv() == 6600
    assert Battery(lambda: 37_725, 3300, 200).read_mv() in (3798, 3799, 3800)
    assert Battery(lambda: 0, 3300, 200).read_mv() == 0


class Converter:
    # The ADS1220's SPI side: registers, commands, and a result to read (TI SBAS501C, 8.5.3).
    def __init__(self):
        self.registers = bytearray(4)
        self.running = False
        self.result = 0
        self.selected = False

    def select(self, level):
        self.selected = not level

    def write_readinto(self, out, into):
        assert self.selected
        command = out[0]
        if command == 0x06:
            self.registers[:] = bytes(4)
            self.running = False
        elif command == 0x08:
            self.running = True
        elif command & 0xF0 == 0x40:
            first, count = command >> 2 & 3, (command & 3) + 1
            self.registers[first : first + count] = out[1 : 1 + count]
        elif command & 0xF0 == 0x20:
            first, count = command >> 2 & 3, (command & 3) + 1
            into[1 : 1 + count] = self.registers[first : first + count]
        elif command == 0x10:
            into[1:4] = (self.result & 0xFFFFFF).to_bytes(3, "big")
        else:
            raise AssertionError("unknown command")


def ads1220_is_set_up_and_read():
    part = Converter()
    driver = Ads1220(part, part.select)
    driver.start()
    # Gain 128 on AIN0-AIN1, 1000 SPS continuous, internal reference (section 8.6.1).
    assert bytes(part.registers) == b"\x0e\xc4\x00\x00" and part.running
    for code, count in ((0, 0), (64, 1), (0x7FFFFF, 131071), (-1, -1), (-0x800000, -131072)):
        part.result = code
        assert driver.read() == count, (code, driver.read())


def ads1220_that_lost_its_registers_is_set_up_anew():
    part = Converter()
    driver = Ads1220(part, part.select)
    driver.start()
    driver.check()
    assert driver.resets == 0
    part.registers[:] = bytes(4)
    driver.check()
    assert driver.resets == 1 and driver.is_configured()


def ads1220_absent_raises():
    part = Converter()
    part.write_readinto = lambda out, into: None
    try:
        Ads1220(part, part.select).start()
    except OSError:
        return
    raise AssertionError("no error")


def ads1220_struck_by_the_timer_in_a_transfer_repeats_its_count():
    part = Converter()
    driver = Ads1220(part, part.select)
    driver.start()
    part.result = 640
    assert driver.read() == 10
    part.result = 1280
    plain = part.write_readinto
    struck = []

    def interrupted(out, into):
        if not struck:
            struck.append(driver.read())
        plain(out, into)

    part.write_readinto = interrupted
    assert driver.is_configured()
    assert struck == [10]
    assert driver.read() == 20


globals()[sys.argv[1]]()
print("ok")
