# SPDX-License-Identifier: MIT
"""Light sleep on the shims: what ends it and when, what stops meanwhile, refusals."""

from __future__ import annotations

import math
from typing import Any

import pytest

Bench = Any

START = (
    "import esp32, machine, time\n"
    "from machine import Pin\n"
    "def slept(ms):\n"
    "    begin = time.ticks_ms()\n"
    "    machine.lightsleep(ms)\n"
    "    return time.ticks_ms() - begin\n"
)
# Pins of the ESP32-S3: comparator, PIR, tamper loop.
ARM = "esp32.wake_on_ext1([Pin(7), Pin(5), Pin(6)], esp32.WAKEUP_ANY_HIGH)\n"


@pytest.fixture
def s3(bench64: Bench) -> Bench:
    bench64.settings["board"] = "esp32_s3"
    return bench64


def tone(seconds: float, nm_s: float, begin_s: float, hz: float = 20.0) -> list[int]:
    """Still ground, and from a time on a tone; 250 samples a second."""
    return [
        round(nm_s * math.sin(2 * math.pi * hz * n / 250)) if n >= 250 * begin_s else 0
        for n in range(int(250 * seconds))
    ]


def test_time_ends_a_sleep_that_nothing_disturbs(s3: Bench) -> None:
    assert s3.power_on(START + ARM + "print(slept(5000))\n") == (0, ["5000"])


def test_ground_above_the_threshold_ends_it_at_its_first_peaks(s3: Bench) -> None:
    s3.feed(tone(10, 6_000, 4.0))
    code, lines = s3.power_on(START + ARM + "print(slept(9000))\n")
    assert (code, len(lines)) == (0, 1)
    assert 4_000 <= int(lines[0]) < 4_040


@pytest.mark.parametrize(("nm_s", "hz"), [(300, 20.0), (6_000, 0.4)])
def test_ground_below_the_threshold_or_slower_than_steps_ends_nothing(
    s3: Bench, nm_s: float, hz: float
) -> None:
    s3.feed(tone(10, nm_s, 4.0, hz))
    assert s3.power_on(START + ARM + "print(slept(9000))\n") == (0, ["9000"])


def test_pin_that_is_not_armed_ends_nothing(s3: Bench) -> None:
    s3.settings["pir_edges_s"] = [2.0, 3.0]
    arm = "esp32.wake_on_ext1([Pin(6)], esp32.WAKEUP_ANY_HIGH)\n"
    assert s3.power_on(START + arm + "print(slept(5000))\n") == (0, ["5000"])
    s3.feed([])
    assert s3.power_on(START + ARM + "print(slept(5000))\n") == (0, ["2000"])


def test_pin_at_its_level_already_prevents_the_sleep(s3: Bench) -> None:
    s3.settings["tamper_edges_s"] = [0.5, 4.0]
    main = START + "time.sleep(1)\n" + ARM + "print(slept(5000))\n"
    assert s3.power_on(main) == (0, ["0"])
    s3.feed([])
    low = "esp32.wake_on_ext1((), True)\nesp32.wake_on_ext0(Pin(6), esp32.WAKEUP_ALL_LOW)\n"
    assert s3.power_on(START + "time.sleep(1)\n" + low + "print(slept(5000))\n") == (0, ["3000"])


def test_pin_that_was_armed_reads_nothing_until_it_is_made_an_input_again(s3: Bench) -> None:
    s3.settings["pir_edges_s"] = [2.0]
    main = "pir = Pin(5, Pin.IN)\nslept(5000)\nprint(pir())\npir.init(Pin.IN, None)\nprint(pir())\n"
    assert s3.power_on(START + ARM + main) == (0, ["0", "1"])


def test_watchdog_and_interrupts_stop_while_it_sleeps(s3: Bench) -> None:
    s3.settings["pir_edges_s"] = [2.0, 4.0]
    main = (
        "dog = machine.WDT(timeout=8000)\n"
        "edges = []\n"
        "Pin(5, Pin.IN).irq(handler=lambda pin: edges.append(1))\n"
        "esp32.wake_on_ext1((), True)\n"
        "print(slept(600_000), len(edges))\n"
        "time.sleep_ms(7900)\n"
        "print('alive')\n"
        "time.sleep_ms(200)\n"
    )
    code, lines = s3.power_on(START + main)
    assert (code, lines) == (
        3,
        ["600000 0", "alive", "sim: watchdog not fed for 8000 ms: reset"],
    )


def test_wake_up_takes_its_time_where_work_is_charged(s3: Bench) -> None:
    s3.charge("worst")
    s3.settings["pir_edges_s"] = [2.0]
    code, lines = s3.power_on(START + ARM + "slept(5000)\nprint(time.ticks_ms())\n")
    assert code == 0
    assert 2_003 <= int(lines[-1]) <= 2_010


@pytest.mark.parametrize(
    ("board", "call", "error"),
    [
        ("esp32_s3", "esp32.wake_on_ext1([Pin(38)], True)", "ValueError"),
        ("esp32_s3", "esp32.wake_on_ext0(Pin(48), True)", "ValueError"),
        ("esp32_s3", "esp32.wake_on_ext1([7], True)", "ValueError"),
        ("esp32_s3", "esp32.wake_on_ext1(Pin(7), True)", "TypeError"),
        ("esp32_s3", "esp32.wake_on_ext1([Pin(7)], True, 1)", "TypeError"),
        ("esp32_s3", "esp32.wake_on_gpio([Pin(7)], True)", "AttributeError"),
        ("esp32_s3", "machine.lightsleep(1, 2)", "TypeError"),
        ("esp32", "esp32.wake_on_ext1([Pin(18)], True)", "ValueError"),
        ("esp32_c3", "esp32.wake_on_ext0(Pin(0), True)", "AttributeError"),
    ],
)
def test_what_the_port_refuses_is_refused(
    bench64: Bench, board: str, call: str, error: str
) -> None:
    bench64.settings["board"] = board
    main = f"try:\n    {call}\nexcept Exception as error:\n    print(type(error).__name__)\n"
    assert bench64.power_on(START + main) == (0, [error])


def test_pico_w_has_no_such_module(bench64: Bench) -> None:
    main = "try:\n    import esp32\nexcept ImportError:\n    print('none')\n"
    assert bench64.power_on(main) == (0, ["none"])
