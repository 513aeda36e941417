# SPDX-License-Identifier: MIT
"""Each board has a folder of firmware and its rows, without contradictions."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from sim_hardware.parts.front_end import BOARDS as FRONT_ENDS
from sim_hardware.parts.rows import BOARDS as SIMULATED
from sim_hardware.shims import simcosts
from tools.boards import BOARDS, ESP32, NODE_HEAP, row_of
from tools.image import boards
from tools.power.budget import sentinels
from tools.power.facts import boards as currents
from tools.wiring.rows import supported
from tools.wiring.source import read_board

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware" / "boards"
LISTED = "tools/wiring/boards.toml"
TABLES = {
    "tools/boards.py": {row.name for row in BOARDS},
    "sim_hardware/parts/rows.py": set(SIMULATED),
    "sim_hardware/parts/front_end.py": set(FRONT_ENDS),
    "sim_hardware/shims/simcosts.py, COSTS": set(simcosts.COSTS),
    "sim_hardware/shims/simcosts.py, PORTS": set(simcosts.PORTS),
    LISTED: {board.name for board in supported()},
    "tools/power/boards.toml": set(currents()),
}
# Pins that the maker of a board reserves: strapping pins, USB, the serial line, flash, PSRAM.
# Data sheets: ESP32 3.1 and table of the module; ESP32-S3 2.6 and 3.1; ESP32-C3 3.1. GPIO5 of the
# ESP32 straps the timing of an SDIO slave, which no board here is, and rests high as CS does.
KEPT = {
    "ESP32": {0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 15, 16, 17},
    "ESP32-S3": {0, 3, 45, 46, 19, 20, 43, 44, *range(26, 38)},
    "ESP32-C3": {2, 8, 9, 18, 19, 20, 21, *range(11, 18)},
}
ADC1 = {"ESP32": set(range(32, 40)), "ESP32-S3": set(range(1, 11)), "ESP32-C3": set(range(5))}
WITH_ADS1220 = [name for name in boards() if SIMULATED[name].front_end == "ads1220"]


def missing(name: str) -> list[str]:
    """The tables without this board; an unsupported board needs no page."""
    row = row_of(name)
    needed = [table for table in TABLES if table != LISTED or not (row and row.unsupported)]
    return [table for table in needed if name not in TABLES[table]]


@pytest.mark.parametrize("name", boards())
def test_board_with_firmware_is_in_every_table(name: str) -> None:
    assert missing(name) == []


def test_board_without_rows_is_missing_in_every_table() -> None:
    assert missing("abacus") == list(TABLES)


def test_every_row_has_firmware() -> None:
    for table in ("tools/boards.py", "sim_hardware/parts/rows.py"):
        assert TABLES[table] == set(boards())
    assert not any(row.unsupported for row in BOARDS if row.name in TABLES[LISTED])


@pytest.mark.parametrize("name", WITH_ADS1220)
def test_board_is_supported_when_the_node_fits_its_heap(name: str) -> None:
    # tests/node starts the node in each of these heaps.
    row = row_of(name)
    heap = simcosts.PORTS[name]["heap_free"][0]
    assert row is not None and bool(row.unsupported) == (heap < NODE_HEAP)


@pytest.mark.parametrize("name", boards())
def test_simulated_parts_are_on_the_firmwares_pins(name: str) -> None:
    pins, row = read_board(name).pins, SIMULATED[name]
    geophone = pins["geophone"] if row.front_end == "rp2040_adc" else pins["cs"]
    wired = (row.geophone, row.battery, row.pir, row.tamper, row.ready, row.wake)
    roles = (pins["battery"], pins["pir"], pins["tamper"], pins.get("ready"), pins.get("wake"))
    assert wired == (geophone, *roles)
    assert not set(pins.values()) & set(row.chip.absent)
    assert pins["battery"] in row.chip.adc


@pytest.mark.parametrize("name", WITH_ADS1220)
def test_pins_of_an_espressif_board_are_free_for_use(name: str) -> None:
    pins, chip = read_board(name).pins, SIMULATED[name].chip
    assert len(set(pins.values())) == len(pins)
    assert not set(pins.values()) & KEPT[chip.name]
    assert pins["battery"] in ADC1[chip.name]  # ADC2 belongs to the radio
    can_drive = set(pins) - {"battery", "miso", "ready"}
    assert not {pins[role] for role in can_drive} & set(chip.inputs)


@pytest.mark.parametrize("name", [name for name in boards() if SIMULATED[name].wake])
def test_pins_that_wake_a_board_are_of_the_rtc_domain(name: str) -> None:
    pins = read_board(name).pins
    assert {pins["wake"], pins["pir"], pins["tamper"]} <= set(SIMULATED[name].chip.rtc)
    assert name in sentinels()


@pytest.mark.parametrize("name", WITH_ADS1220)
def test_module_of_an_espressif_board_is_data_alone(name: str) -> None:
    tree = ast.parse((FIRMWARE / name / "board.py").read_text())
    assert [type(node).__name__ for node in tree.body] == [
        "ImportFrom",
        "ImportFrom",
        "Assign",
        "Assign",
        "FunctionDef",
    ]
    call = tree.body[-1].body[0].value
    assert [word.arg for word in call.keywords] in ([], ["led"])
    call.keywords.clear()
    assert ast.unparse(call) == f"espressif.make_board('{name}', PINS, _SPI_ID, config)"
    spi_id = tree.body[3].value.args[0].value
    assert spi_id in SIMULATED[name].chip.spi_ids
    row = row_of(name)
    assert row is not None and row.port == ESP32


@pytest.mark.parametrize("name", boards())
def test_readme_of_a_board_has_the_firmwares_pins(name: str) -> None:
    text = (FIRMWARE / name / "README.md").read_text()
    named = {
        int(gpio)
        for line in text.splitlines()
        if line.startswith("|")
        for gpio in re.findall(r"\bGP(?:IO)?(\d+)\b", line)
    }
    assert named == set(read_board(name).pins.values())
