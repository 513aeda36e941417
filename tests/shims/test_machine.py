# SPDX-License-Identifier: MIT
"""`machine` on the shims: resets and their causes, the watchdog, pins, refusals."""

import json
import subprocess
from typing import Any

import pytest

from sim_hardware.sandbox import SHIMS

Bench = Any


def test_reset_runs_nothing_more_and_is_the_cause_of_the_next_boot(bench: Bench) -> None:
    main = (
        "import machine, time\n"
        "print('cause', machine.reset_cause() == machine.WDT_RESET, time.ticks_ms() < 100)\n"
        "time.sleep(2)\n"
        "try:\n"
        "    machine.reset()\n"
        "finally:\n"
        "    print('never printed: a reset unwinds nothing')\n"
    )
    assert bench.power_on(main) == (3, ["cause False True"])
    ended = json.loads((bench.folder / "exit.json").read_text())
    assert ended == {"cause": "watchdog", "t_us": 2_000_000}
    assert bench.power_on() == (3, ["cause True True"])
    # The second boot started a little later and also ran for two seconds.
    assert json.loads((bench.folder / "exit.json").read_text())["t_us"] == 4_300_000


def test_watchdog_resets_a_node_that_stopped_feeding_it_at_its_timeout(bench: Bench) -> None:
    code, lines = bench.power_on(
        "import asyncio, machine\n"
        "dog = machine.WDT(timeout=800)\n"
        "async def main():\n"
        "    for _ in range(10):\n"
        "        await asyncio.sleep_ms(700)\n"
        "        dog.feed()\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    assert (code, lines) == (3, ["sim: watchdog not fed for 800 ms: reset"])
    ended = json.loads((bench.folder / "exit.json").read_text())
    assert ended == {"cause": "watchdog", "t_us": 7_800_000}


def test_watchdog_beyond_the_rp2040s_counter_is_refused(bench64: Bench) -> None:
    main = (
        "import machine\n"
        "try:\n"
        "    machine.WDT(timeout=8389)\n"
        "except ValueError:\n"
        "    print('refused')\n"
    )
    assert bench64.power_on(main) == (0, ["refused"])


@pytest.mark.parametrize("board", ["pico_w", "esp32"])
def test_reset_cause_after_a_reset_is_the_ports_own(bench64: Bench, board: str) -> None:
    bench64.settings["board"] = board
    bench64.power_on("import machine; machine.reset()")
    _, lines = bench64.power_on(
        "import machine\n"
        "print(machine.reset_cause() == machine.WDT_RESET,"
        " machine.reset_cause() == getattr(machine, 'HARD_RESET', None))\n"
    )
    assert lines == [f"{board == 'pico_w'} {board == 'esp32'}"]


def test_error_in_main_ends_as_a_crash_with_its_trace(bench64: Bench) -> None:
    code, lines = bench64.power_on("1 / 0")
    assert code == 1
    assert lines[-1].startswith("ZeroDivisionError")
    assert any('"main.py"' in line for line in lines)


def test_end_of_the_take_switches_the_node_off_in_the_middle_of_anything(bench64: Bench) -> None:
    bench64.settings["end_s"] = 5
    code, lines = bench64.power_on(
        "import time\n"
        "try:\n"
        "    time.sleep(4)\n"
        "    print('still on')\n"
        "    time.sleep(4)\n"
        "finally:\n"
        "    print('never')\n"
    )
    assert (code, lines) == (0, ["still on"])


def test_modules_in_the_tree_do_not_shadow_the_simulated_ones(bench64: Bench) -> None:
    (bench64.tree / "time.py").write_text("raise ImportError('the stray one')\n")
    (bench64.tree / "machine.py").write_text("raise ImportError('the stray one')\n")
    assert bench64.power_on("import time, machine; print(time.ticks_ms())") == (0, ["0"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"board": "toaster"}, "run_node: no wiring for board toaster"),
        ({"feed": "/nowhere/feed.i32"}, "run_node: cannot open the feed /nowhere/feed.i32"),
        ({"mode": "fast"}, 'run_node: mode must be "virtual" or "real"'),
        ({"fs_hz": 0}, "run_node: fs_hz must be 1..10000"),
        ({"fs_hz": "250"}, "run_node: setting fs_hz must be of type int"),
        ({"speed": 2}, "run_node: unknown setting speed"),
        ({"uplinks": None}, "run_node: virtual mode needs uplinks, the file to append to"),
        ({"pir_edges_s": [2, 1]}, "run_node: pir_edges_s must rise"),
        ({"outages_s": [1, 2]}, "run_node: outages_s must hold [from, to] pairs"),
    ],
)
def test_settings_that_are_invalid_are_named_in_one_line(
    bench64: Bench, settings: dict[str, Any], message: str
) -> None:
    bench64.settings |= settings
    assert bench64.power_on("print('ran')") == (2, [message])


def test_tree_without_main_is_named_in_one_line(bench64: Bench) -> None:
    assert bench64.power_on() == (2, ["run_node: no main.py here; run in a bundled tree"])


def test_damaged_settings_are_named_in_one_line(bench64: Bench) -> None:
    bench64.power_on("print('ran')")
    path = bench64.folder / "broken.json"
    path.write_text("mode = virtual")
    for value, message in (
        (str(path), f"run_node: {path} is not JSON"),
        (str(path) + "x", f"run_node: cannot read {path}x"),
        ("", "run_node: set GROUNDWATCH_SIM to the path of sim.json"),
    ):
        done = subprocess.run(
            [bench64.interpreter, SHIMS / "run_node.py"],
            cwd=bench64.tree,
            env={"GROUNDWATCH_SIM": value, "MICROPYPATH": f"{SHIMS}:.frozen"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout.strip()) == (2, message)


def test_pir_edges_interrupt_at_their_own_times(bench: Bench) -> None:
    bench.settings["pir_edges_s"] = [0.5, 1.25, 1.2504, 3]
    _, lines = bench.power_on(
        "import machine, time\n"
        "pin = machine.Pin(15, machine.Pin.IN)\n"
        "pin.irq(lambda p: print(p(), time.ticks_us()),"
        " machine.Pin.IRQ_RISING | machine.Pin.IRQ_FALLING)\n"
        "time.sleep(4)\n"
    )
    assert lines == ["1 500000", "0 1250000", "1 1250400", "0 3000000"]


def test_pir_interrupt_on_one_edge_and_taken_away_again(bench: Bench) -> None:
    bench.settings["pir_edges_s"] = [1, 2, 3, 4, 5, 6]
    _, lines = bench.power_on(
        "import machine, time\n"
        "pin = machine.Pin(15, machine.Pin.IN)\n"
        "time.sleep_ms(1500)\n"
        "print('level', pin.value())\n"
        "pin.irq(lambda p: print('fell', time.ticks_ms()), machine.Pin.IRQ_FALLING)\n"
        "time.sleep(3)\n"
        "pin.irq(None)\n"
        "time.sleep(3)\n"
    )
    assert lines == ["level 1", "fell 2000", "fell 4000"]


def test_tamper_contact_opens_and_closes_at_its_times(bench: Bench) -> None:
    bench.settings["tamper_edges_s"] = [1, 2]
    _, lines = bench.power_on(
        "import machine, time\n"
        "pin = machine.Pin(14, machine.Pin.IN, machine.Pin.PULL_UP)\n"
        "for _ in range(3):\n"
        "    print(pin())\n"
        "    time.sleep(1)\n"
    )
    assert lines == ["0", "1", "0"]
