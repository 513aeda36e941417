# SPDX-License-Identifier: MIT
"""The board's own converter by DMA, on the simulated registers: its samples and losses."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.drivers import reference
from tests.drivers.test_decimate import TAPS
from tests.on_node import FIRMWARE

Bench = Any

MAKE = f"""
CHIP = "RP2040"
import json, machine, sys, time
sys.path.insert(0, {str(FIRMWARE)!r})
from boards import rp2_adc as adc
from ugs.drivers.dma_sampler import DmaSampler
machine.ADC(machine.Pin(26))
battery = machine.ADC(machine.Pin(28)).read_u16
converter = adc.Converter(adc.RP2040 if CHIP == "RP2040" else adc.RP2350, 0, 2, battery)
converter.lap = 1 << 14  # ends every 4 s, and the second channel starts it again
sampler = DmaSampler(converter, 250, 8000)
"""
# Every reading before the filter, ten seconds of it.
READINGS = (
    MAKE
    + """
from array import array
from uctypes import addressof, bytearray_at
sampler.start()
sampler.keep_time()
seen = 0
while seen < 40_000:
    time.sleep_ms(100)
    sampler.keep_time()
    count = 400
    words = array("H", bytes(converter.ring))
    print("raw", *[words[at & 4095] for at in range(seen, seen + count)])
    seen += count
    first = max(0, sampler.written - 30)
    print("samples", *[sampler.ring[at & 1023] for at in range(first, sampler.written)])
    print("written", sampler.written)
    if seen == 32_000:
        sampler.rate_hz_x100()
print("end", sampler.missed, sampler.overruns, sampler.rate_hz_x100())
"""
)


@pytest.mark.parametrize(("board", "chip"), [("pico_w", "RP2040"), ("pico2_w", "RP2350")])
def test_readings_of_ten_seconds_come_all_and_are_filtered_as_in_numpy(
    bench: Bench, board: str, chip: str
) -> None:
    t = np.arange(11 * 4000)
    bench.feed(np.round(30_000 * np.sin(2 * np.pi * 20 * t / 4000)).astype(int).tolist())
    bench.settings |= {"oversampled": True, "fs_hz": 4000, "board": board}
    code, lines = bench.power_on(READINGS.replace("RP2040", chip, 1))
    assert code == 0, lines[-5:]
    raw = [int(word) for line in lines if line.startswith("raw") for word in line.split()[1:]]
    codes = np.array(raw, np.int64)
    assert codes.size == 40_000
    # 30 um/s over 55.95 nm/s a code, around mid-rail and the sense current's offset.
    assert abs(codes.mean() - 2222.5) < 1
    assert abs(codes.std() * 2**0.5 - 30_000 / 55.95) < 3
    missed, overruns, rate = (int(word) for word in lines[-1].split()[1:])
    assert (missed, overruns) == (0, 0)
    assert abs(rate - 25_000) <= 10
    expected = reference.samples(codes, TAPS)[reference.SETTLE :]
    written = 0
    for line in lines:
        if line.startswith("samples"):
            newest = [int(word) for word in line.split()[1:]]
        elif line.startswith("written"):
            written = int(line.split()[1])
            assert newest == expected[written - len(newest) : written].tolist()
    assert written == 2500 - reference.SETTLE


def test_battery_read_while_sampling_is_that_of_a_board_at_rest(bench: Bench) -> None:
    bench.feed([0] * 8000)
    bench.settings |= {"oversampled": True, "fs_hz": 4000, "battery_mv": 3700}
    code, lines = bench.power_on(
        MAKE
        + """
print(sampler.read_aside())
sampler.start()
sampler.keep_time()
time.sleep_ms(300)
for _ in range(4):
    sampler.keep_time()
    print(sampler.read_aside())
    time.sleep_ms(300)
sampler.keep_time()
print(sampler.bridged, sampler.missed)
print(json.dumps([sampler.ring[at] for at in range(sampler.written)]))
"""
    )
    assert code == 0, lines[-5:]
    codes = [int(line) for line in lines[:5]]
    assert len(set(codes)) == 1
    assert abs(codes[0] * 3300 / 4095 - 1850) < 1
    bridged, missed = (int(word) for word in lines[5].split())
    assert 8 <= bridged <= 12
    assert missed == 0
    # The battery's code is 2296; the samples stay where the sense current puts them, 698.
    assert all(690 < count < 706 for count in json.loads(lines[6]))


def test_stall_beyond_the_ring_is_counted_and_one_within_it_is_not(bench64: Bench) -> None:
    bench64.feed([0] * 30_000)
    bench64.settings |= {"oversampled": True, "fs_hz": 4000}
    code, lines = bench64.power_on(
        MAKE
        + """
sampler.start()
sampler.keep_time()
time.sleep_ms(200)
for stall_ms in (10, 100, 980, 1200):
    sampler.keep_time()
    time.sleep_ms(stall_ms)
    sampler.keep_time()
    print(stall_ms, sampler.missed, sampler.overruns)
sampler.stop()
count = bytes(converter.ring)
time.sleep_ms(500)
print(count == bytes(converter.ring), machine.ADC(machine.Pin(26)).read_u16() >> 4 > 2200)
sampler.start()
sampler.keep_time()
time.sleep_ms(300)
sampler.keep_time()
print(sampler.missed)
"""
    )
    assert code == 0, lines[-5:]
    lost = (4800 - 3968 + 15) // 16
    assert lines[:3] == ["10 0 0", "100 0 0", "980 0 0"]
    _, missed, overruns = (int(word) for word in lines[3].split())
    assert missed == overruns
    assert abs(missed - lost) <= 1
    assert lines[4] == "True True"
    assert int(lines[5]) == missed


def test_node_without_the_setting_has_no_dma_as_its_samples_come_filtered(bench64: Bench) -> None:
    bench64.feed([])
    code, lines = bench64.power_on("import rp2")
    assert code != 0
    assert "ImportError" in "".join(lines)
