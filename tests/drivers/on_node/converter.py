# SPDX-License-Identifier: MIT
# One case of the ADS1220's driver and the sampler on its DRDY line: converter.py CASE; prints "ok".

import gc
import sys
import time

import micropython

from ugs.drivers import ready_sampler as module
from ugs.drivers.ads1220 import Ads1220
from ugs.drivers.ready_sampler import ReadySampler


class Converter:
    # The ADS1220's SPI side: registers, commands, and a result to read (TI SBAS501C, 8.5.3).
    def __init__(self):
        self.registers = bytearray(4)
        self.running = False
        self.result = 0
        self.selected = False
        self.reads = 0
        self.ohm = 0

    def value(self):
        # 10 uA through the loop, 1.9 nV for one code; alternating noise with the inputs shorted.
        noise = (self.reads & 1) * 640 if self.registers[0] == 0xEE else 0
        return self.result + noise + (self.ohm * 5243 if self.registers[1] & 1 else 0)

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
            self.reads += 1
            into[1:4] = (self.value() & 0xFFFFFF).to_bytes(3, "big")
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


def ads1220_that_lost_its_registers_is_configured_again():
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


def ads1220_ready_in_a_transfer_goes_unread():
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
    assert struck == [None]
    assert driver.read() == 20


def ads1220_measures_the_loop_and_hides_it_from_the_sampler():
    part = Converter()
    driver = Ads1220(part, part.select)
    driver.start()
    part.result = 640
    part.ohm = 492
    plain = part.write_readinto
    struck = []

    def interrupted(out, into):
        struck.append(driver.read())
        plain(out, into)

    part.write_readinto = interrupted
    assert driver.loop_ohm() == 492
    assert set(struck) == {None}
    part.write_readinto = plain
    assert driver.is_configured() and driver.read() == 10


def ads1220_measures_its_own_noise_with_the_inputs_shorted():
    part = Converter()
    driver = Ads1220(part, part.select)
    driver.start()
    # +-320 codes: 5 counts off the middle, 6.25 as the rms of Gaussian noise.
    assert driver.own_noise_x16() == 100
    assert driver.is_configured()


class Ready:
    # A converter whose conversions come every `period_us`; handlers may be held back and then all
    # run at once, eight of them at most, as MicroPython's scheduler queues them.
    def __init__(self, period_us):
        self.period_us = period_us
        self.conversion = 0
        self.waiting = 0
        self.is_held = False

    def watch(self, callback):
        self.callback = callback

    def read(self):
        return self.conversion

    def run(self, count):
        for _ in range(count):
            time.advance_us(self.period_us)
            self.conversion += 1
            self.waiting = min(8, self.waiting + 1)
            if not self.is_held:
                while self.waiting:
                    self.waiting -= 1
                    self.callback(None)


def make_ready(period_us=1_000, clip=1 << 20):
    ready = Ready(period_us)
    sampler = ReadySampler(ready.watch, ready.read, 250, clip)
    sampler.start()
    return ready, sampler


def conversions_make_samples_by_fours():
    for period_us in (1_000, 980, 1_020):
        ready, sampler = make_ready(period_us)
        ready.run(4_000)
        assert (sampler.written, sampler.missed, sampler.lost) == (985, 0, 0), period_us
        # A ramp comes out as it was half the taps ago, in halves of counts rounded down.
        assert [sampler.ring[i] for i in (983, 984)] == [3_996 - 32, 4_000 - 32]
        delay_us = 31 * period_us + period_us // 2
        assert abs(sampler.age_us(984) - delay_us) < 700, sampler.age_us(984)
        assert abs(sampler.rate_hz_x100() - 25_000_000 // period_us) <= 1


def conversions_before_the_filter_is_full_make_no_sample():
    ready, sampler = make_ready()
    ready.run(63)
    assert sampler.written == 0
    ready.run(1)
    assert (sampler.written, sampler.missed, sampler.ring[0]) == (1, 0, 32)
    sampler.stop()
    time.advance_us(10_000_000)  # it sleeps
    sampler.start()
    ready.run(63)
    assert sampler.written == 1
    ready.run(1)
    # It contains no earlier conversions.
    assert (sampler.written, sampler.ring[1]) == (2, 128 - 32)
    ready.run(64)
    assert (sampler.written, sampler.missed, sampler.lost) == (18, 0, 0)
    assert sampler.rate_hz_x100() == 25_000


def conversions_that_are_missing_lie_on_a_straight_line():
    for late in (1, 2, 3, 7, 30):
        ready, sampler = make_ready()
        ready.run(400)
        ready.is_held = True
        ready.run(late)
        ready.is_held = False
        ready.run(400 - late)
        assert late - 1 <= sampler.lost <= late, (late, sampler.lost)
        rises = [sampler.ring[i + 1] - sampler.ring[i] for i in range(sampler.written - 1)]
        assert min(rises) >= 3 and max(rises) <= 5, (late, rises)
        sampler.keep_time()
        assert sampler.written == 185
        assert sampler.missed == sampler.lost // 4, (late, sampler.missed)


def conversion_that_cannot_be_read_is_replaced():
    ready, sampler = make_ready()
    ready.run(400)
    read, sampler._read = sampler._read, lambda: None
    ready.run(9)
    assert sampler.written == 85
    sampler._read = read
    ready.run(1)
    sampler.keep_time()
    assert (sampler.written, sampler.lost, sampler.missed) == (87, 9, 2)
    assert sampler.age_us(86) == 33_500, sampler.age_us(86)
    ready.run(2)
    assert sampler.ring[87] == 412 - 32
    # One that is never readable does not stop the clock.
    sampler._read = lambda: None
    ready.run(300)
    assert sampler.written == 88
    sampler.keep_time()
    assert 160 <= sampler.written <= 163, sampler.written


def conversions_unread_are_counted_and_keep_the_grid():
    for late in (3, 9, 50, 2_000):
        ready, sampler = make_ready(1_010)
        ready.run(400)
        ready.is_held = True
        ready.run(late)
        ready.is_held = False
        ready.run(401 - late % 4)
        conversions = ready.conversion
        sampler.keep_time()
        # One of the held ones is read: the newest.
        assert abs(sampler.lost - late) <= 1 + late // 50, (late, sampler.lost)
        made = conversions // 4 - 15
        assert abs(sampler.written - made) <= 1 + late // 100, (late, sampler.written)
        assert abs(sampler.missed - late // 4) <= 1 + late // 100, (late, sampler.missed)
        assert sampler.worst_late_us >= (late - 1) * 1_000


def conversions_that_stop_leave_the_clock_running():
    ready, sampler = make_ready()
    ready.run(400)
    for _ in range(20):
        time.advance_us(100_000)
        sampler.keep_time()
    assert 575 <= sampler.written <= 585, sampler.written
    assert sampler.missed == sampler.written - 85
    written = sampler.written
    ready.run(404)
    assert 98 <= sampler.written - written <= 128, sampler.written


def conversions_at_the_rail_clip_their_sample_once():
    ready, sampler = make_ready(clip=399)
    ready.run(402)
    sampler.keep_time()
    assert (sampler.written, sampler.clipped) == (85, 1)


def conversions_in_the_interrupt_allocate_nothing():
    ready, sampler = make_ready(clip=100)
    ready.run(101)
    ticks = [time.ticks_us()]
    steps_us = (1_000, 1_000, 1_000, 77_000, 1_000, 1_000) * 10
    module.ticks_us = lambda: ticks[0]
    gc.collect()
    micropython.heap_lock()
    try:
        for step_us in steps_us:
            ticks[0] += step_us
            sampler._on_conversion(None)
    finally:
        micropython.heap_unlock()
    sampler.keep_time()
    assert sampler.missed > 100 and sampler.clipped > 20


globals()[sys.argv[1]]()
print("ok")
