# SPDX-License-Identifier: MIT
"""The simulated ADS1220 at the level of SPI bytes (TI SBAS501C), without our own driver."""

from typing import Any

import pytest

Bench = Any

PREPARE = (
    "import machine, time\n"
    "spi = machine.SPI(2, baudrate=1_000_000, polarity=0, phase=1)\n"
    "cs = machine.Pin(5, machine.Pin.OUT, value=1)\n"
    "def talk(*out):\n"
    "    answer = bytearray(len(out))\n"
    "    cs(0)\n"
    "    spi.write_readinto(bytes(out), answer)\n"
    "    cs(1)\n"
    "    return answer\n"
    "def code():\n"
    "    a = talk(0x10, 0, 0, 0)\n"
    "    value = a[1] << 16 | a[2] << 8 | a[3]\n"
    "    return value - (1 << 24) if value & 0x800000 else value\n"
    "def setup(*registers):\n"
    "    talk(0x06)\n"
    "    talk(0x43, *registers)\n"
    "    talk(0x08)\n"
)
# AIN0-AIN1 at gain 128 over 2.048 V: 22.46 nV per nm/s make this many codes, and 3.3 V over 2 Mohm
# (1.65 uA) through 375 and 1330 ohm side by side (292.5 ohm) this many.
CODES_PER_V = 128 / 2.048 * 2**23
CODES_PER_NM_S = 22.4624e-9 * CODES_PER_V
SENSE_CODES = 3.3 / 2_000_292.5 * 292.522 * CODES_PER_V


@pytest.fixture
def chip(bench: Bench) -> Bench:
    bench.settings["board"] = "esp32"
    return bench


def test_registers_read_back_and_reset_clears_them(chip: Bench) -> None:
    _, lines = chip.power_on(
        PREPARE + "print(talk(0x23, 0, 0, 0, 0)[1:])\n"
        "talk(0x43, 0x0e, 0xd4, 0x10, 0x02)\n"
        "print(talk(0x23, 0, 0, 0, 0)[1:])\n"
        "talk(0x44, 0xc4)\n"  # WREG: one register from number 1
        "print(talk(0x25, 0, 0)[1:])\n"  # RREG: two registers from number 1
        "talk(0x06)\n"
        "print(talk(0x23, 0, 0, 0, 0)[1:])\n"
    )
    assert lines == [
        repr(bytearray(4)).replace("\\x00", "\\x00"),
        r"bytearray(b'\x0e\xd4\x10\x02')",
        r"bytearray(b'\xc4\x10')",
        r"bytearray(b'\x00\x00\x00\x00')",
    ]


@pytest.mark.parametrize("nm_s", [100_000, -100_000, 0])
def test_conversion_is_the_input_times_the_gain_in_twos_complement(chip: Bench, nm_s: int) -> None:
    chip.feed([nm_s] * 2000)
    _, lines = chip.power_on(
        PREPARE + "setup(0x0e, 0xc4, 0, 0)\n"
        "values = []\n"
        "for _ in range(200):\n"
        "    time.sleep_ms(4)\n"
        "    values.append(code())\n"
        "mean = sum(values) / len(values)\n"
        "print(mean, (sum((v - mean) ** 2 for v in values) / len(values)) ** 0.5)\n"
    )
    mean, rms = (float(word) for word in lines[0].split())
    noise_codes = 0.5e-6 * 128 / 2.048 * 2**23
    assert abs(mean - SENSE_CODES - nm_s * CODES_PER_NM_S) < noise_codes
    assert 0.7 * noise_codes < rms < 1.3 * noise_codes


@pytest.mark.parametrize(("nm_s", "expected"), [(2 * 10**9, 0x7FFFFF), (-2 * 10**9, -0x800000)])
def test_conversion_beyond_full_scale_clips(chip: Bench, nm_s: int, expected: int) -> None:
    chip.feed([nm_s] * 500)
    _, lines = chip.power_on(
        PREPARE + "setup(0x0e, 0xc4, 0, 0)\ntime.sleep_ms(100)\nprint(code())\n"
    )
    assert lines == [str(expected)]


def test_conversion_before_the_start_command_is_none(chip: Bench) -> None:
    chip.feed([100_000] * 500)
    _, lines = chip.power_on(
        PREPARE + "talk(0x43, 0x0e, 0xc4, 0, 0)\n"
        "time.sleep_ms(100)\n"
        "print(code())\n"
        "talk(0x08)\n"
        "time.sleep_us(900)\n"
        "print(code())\n"  # 1000 SPS: nothing is ready before 1 ms
        "time.sleep_us(200)\n"
        "print(code() > 0)\n"
        "talk(0x02)\n"  # powered down
        "time.sleep_ms(5)\n"
        "print(code())\n"
    )
    assert lines == ["0", "0", "True", "0"]


def test_data_comes_without_a_command_once_it_is_ready(chip: Bench) -> None:
    chip.feed([100_000] * 500)
    _, lines = chip.power_on(
        PREPARE + "setup(0x0e, 0xc4, 0, 0)\n"
        "time.sleep_ms(5)\n"
        "a = talk(0, 0, 0)\n"
        "b = talk(0, 0, 0)\n"  # read already, the next is not ready
        "print(a[0] << 16 | a[1] << 8 | a[2], b)\n"
    )
    value, rest = lines[0].split(" ", 1)
    assert abs(int(value) / (100_000 * CODES_PER_NM_S + SENSE_CODES) - 1) < 0.01
    assert rest == r"bytearray(b'\x00\x00\x00')"


def test_gain_mux_and_rate_follow_the_registers(chip: Bench) -> None:
    chip.feed([100_000] * 2000)
    _, lines = chip.power_on(
        PREPARE + "for registers in ((0x00, 0xc4), (0x0e, 0xc4), (0x6e, 0xc4), (0xee, 0xc4)):\n"
        "    setup(*registers, 0, 0)\n"
        "    time.sleep_ms(10)\n"
        "    print(code())\n"
        "setup(0x0e, 0x04, 0, 0)\n"  # 20 SPS
        "time.sleep_ms(49)\n"
        "print(code())\n"
        "time.sleep_ms(2)\n"
        "print(code() != 0)\n"
    )
    gain_1, gain_128, swapped, shorted = (int(line) for line in lines[:4])
    full = 100_000 * CODES_PER_NM_S + SENSE_CODES
    assert abs(gain_1 - full / 128) < 20
    assert abs(gain_128 - full) < 0.01 * full
    assert abs(swapped + full) < 0.01 * full
    assert abs(shorted) < 0.01 * full
    assert lines[4:] == ["0", "True"]


def test_ready_line_falls_at_each_conversion_and_rises_when_it_is_read(chip: Bench) -> None:
    _, lines = chip.power_on(
        PREPARE + "ready = machine.Pin(33, machine.Pin.IN)\n"
        "fell = []\n"
        "ready.irq(lambda pin: fell.append(time.ticks_us()), machine.Pin.IRQ_FALLING)\n"
        "time.sleep_ms(5)\n"
        "setup(0x0e, 0xc4, 0, 0)\n"
        "time.sleep_us(3_500)\n"
        "print(len(fell), [b - a for a, b in zip(fell, fell[1:])], ready())\n"
        "talk(0x10, 0, 0, 0)\n"
        "print(ready())\n"
        "time.sleep_us(600)\n"
        "print(ready(), len(fell))\n"
        "talk(0x02)\n"
        "time.sleep_ms(5)\n"
        "print(len(fell))\n"
        "setup(0x0e, 0x04, 0, 0)\n"  # 20 SPS
        "time.sleep_ms(101)\n"
        "print(len(fell))\n"
    )
    assert lines == ["3 [1000, 1000] 0", "1", "0 4", "4", "6"]


@pytest.mark.parametrize(
    ("kind", "ohm"), [("well", 292.5), ("cut", 1330.0), ("short", 0.5), ("open", None)]
)
def test_burn_out_current_shows_the_resistance_between_the_pins(
    chip: Bench, kind: str, ohm: float | None
) -> None:
    chip.settings["geophone_faults"] = [[0, kind]]
    _, lines = chip.power_on(
        PREPARE + "for register_1 in (0xc4, 0xc5):\n"
        "    setup(0x0a, register_1, 0, 0)\n"  # gain 32, so that 1330 ohm fit
        "    time.sleep_ms(400)\n"
        "    print(code())\n"
    )
    before, after = (int(line) for line in lines)
    if ohm is None:
        assert before == after == 0x7FFFFF
    else:
        # 10 uA (8.3.10) through it and the 200 ohm of the filter; 0.5 uV are 0.05 ohm.
        assert (after - before) / (32 / 2.048 * 2**23) / 10e-6 == pytest.approx(ohm + 200, abs=1)


def test_coil_swings_after_a_step_of_the_burn_out_current(chip: Bench) -> None:
    _, lines = chip.power_on(
        PREPARE + "setup(0x0e, 0xc4, 0, 0)\n"
        "time.sleep_ms(400)\n"
        "talk(0x44, 0xc5)\n"
        "for ms in (15, 20, 165):\n"
        "    time.sleep_ms(ms)\n"
        "    print(code())\n"
    )
    early, _, late = (int(line) for line in lines)
    # The force 28.8 V s/m * 7.8 uA moves 11 g: about 3 mV above the final value.
    assert 2e-3 * CODES_PER_V < early - late < 5e-3 * CODES_PER_V


def test_unselected_chip_ignores_the_bus_and_select_ends_a_command(chip: Bench) -> None:
    _, lines = chip.power_on(
        PREPARE + "answer = bytearray(2)\n"
        "spi.write_readinto(bytes((0x40, 0x77)), answer)\n"
        "print(answer, talk(0x20, 0)[1])\n"
        "talk(0x40)\n"  # WREG cut short
        "talk(0x55)\n"
        "print(talk(0x20, 0)[1])\n"
    )
    assert lines == [r"bytearray(b'\xff\xff') 0", "0"]


def test_board_without_the_chip_has_no_spi_part(bench64: Bench) -> None:
    code, lines = bench64.power_on("import machine\nmachine.SPI(0)\n")
    assert code == 1
    assert "ENODEV" in lines[-1]
