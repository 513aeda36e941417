# SPDX-License-Identifier: MIT
"""The simulated geophone amplifier and converter: codes, noise, rails, how a port scales them."""

import statistics
from typing import Any

Bench = Any

# One code: 3.3 V / 4096 / gain 641 / 22.46 V/(m/s), in nm/s. At rest: mid-rail, and 0.75 uA through
# 292.5 ohm times the gain.
NM_S_PER_CODE = 3.3 / 4096 / 641 / 22.463 * 1e9
REST_CODE = 2048 + 1.65 / 2.2e6 * 292.5 * 641 / 3.3 * 4096

READ_1000 = (
    "import machine, time\n"
    "adc = machine.ADC(machine.Pin(26))\n"
    "for _ in range(1000):\n"
    "    time.sleep_ms(4)\n"
    "    print(adc.read_u16())\n"
)


def codes(bench: Bench, nm_s: int) -> list[int]:
    bench.feed([nm_s] * 1100)
    code, lines = bench.power_on(READ_1000)
    assert code == 0
    values = [int(line) for line in lines]
    # 12 bits spread over 16: the top four bits come again at the bottom.
    assert all(value & 15 == value >> 12 for value in values)
    return [value >> 4 for value in values]


def test_still_ground_reads_the_sense_current_with_one_code_of_noise(bench: Bench) -> None:
    values = codes(bench, 0)
    assert abs(statistics.mean(values) - REST_CODE) < 0.2
    assert 0.85 < statistics.stdev(values) < 1.25


def test_velocity_moves_the_code_by_the_amplifiers_gain(bench64: Bench) -> None:
    for nm_s in (50_000, -50_000):
        moved = statistics.mean(codes(bench64, nm_s)) - REST_CODE
        assert abs(moved - nm_s / NM_S_PER_CODE) < 0.5


def test_velocity_beyond_the_rails_clips_and_never_wraps(bench: Bench) -> None:
    assert set(codes(bench, 2_000_000_000)) == {4095}
    assert set(codes(bench, -2_000_000_000)) == {0}


def test_noise_does_not_repeat_within_the_record(bench64: Bench) -> None:
    bench64.feed([])
    _, lines = bench64.power_on(
        "import machine\nadc = machine.ADC(26)\nfor _ in range(12288): print(adc.read_u16() >> 4)\n"
    )
    noise = [int(line) - REST_CODE for line in lines]
    power = sum(one * one for one in noise[:8192])
    for lag in (1, 1024, 4096, 4095, 4097):
        echo = sum(one * other for one, other in zip(noise[:8192], noise[lag:], strict=False))
        assert abs(echo) < 0.06 * power, lag


def test_sample_belongs_to_the_period_it_is_read_in(bench: Bench) -> None:
    bench.feed([0, 20_000, 40_000, 60_000])
    bench.settings["feed_t0_s"] = 1.0
    _, lines = bench.power_on(
        "import machine, time\n"
        "adc = machine.ADC(26)\n"
        "time.sleep_us(999_000)\n"
        "for _ in range(7):\n"
        "    print(round((adc.read_u16() / 16 - 2222.5) * 55.95 / 20000))\n"
        "    time.sleep_ms(3)\n"
    )
    # at 999, 1002, 1005, 1008, 1011, 1014 and 1017 ms; the feed ends at 1016 ms
    assert lines == ["0", "0", "1", "2", "2", "3", "0"]


def test_battery_divider_and_unwired_pin(bench64: Bench) -> None:
    bench64.settings["battery_mv"] = 3600
    _, lines = bench64.power_on(
        "import machine\n"
        "print(machine.ADC(28).read_u16() * 3300 * 2 // 65535, machine.ADC(27).read_u16())\n"
    )
    battery_mv, unwired = (int(word) for word in lines[0].split())
    assert abs(battery_mv - 3600) <= 2
    assert unwired == 0


def test_esp32_battery_reads_right_in_microvolts_only(bench64: Bench) -> None:
    bench64.settings |= {"board": "esp32", "battery_mv": 3600}
    _, lines = bench64.power_on(
        "import machine\n"
        "adc = machine.ADC(machine.Pin(34), atten=machine.ADC.ATTN_11DB)\n"
        "print(adc.read_uv() * 2 // 1000, adc.read_u16() * 3300 * 2 // 65535)\n"
    )
    calibrated_mv, raw_mv = (int(word) for word in lines[0].split())
    assert abs(calibrated_mv - 3600) <= 2
    assert abs(raw_mv - 3600) > 200
