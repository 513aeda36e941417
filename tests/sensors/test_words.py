# SPDX-License-Identifier: MIT
"""Every value that a node can send has a text; an unknown one is still an alarm."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.intake.nodes.sensor_texts import reason

ROOT = Path(__file__).resolve().parents[2]


def values(module: str) -> set[int]:
    """The fault numbers of a firmware module: its first constants, up to the first blank line."""
    text = (ROOT / "firmware" / "ugs" / module).read_text()
    block = text.split("WELL = const(0)\n")[1].split("\n\n")[0]
    return {int(number) for number in re.findall(r"= const\((\d+)\)", block)}


@pytest.mark.parametrize(
    ("name", "module"), [("sensor_fault", "signal_check.py"), ("pir_fault", "pir_check.py")]
)
def test_every_fault_of_the_firmware_has_words_and_stands_in_the_wires_manual(
    name: str, module: str
) -> None:
    found = values(module)
    assert len(found) >= 3
    row = next(
        line
        for line in (ROOT / "docs" / "wire.md").read_text().splitlines()
        if line.startswith(f"| {name} | 1 ")
    )
    for value in found:
        words = reason("n07", name, value)
        assert words.startswith("n07 ")
        assert "reports" not in words
        assert re.search(rf"\b{value} [a-z]", row), (value, row)
    assert len({reason("n07", name, value) for value in found}) == len(found)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("sensor_fault", 99, "n07 reports sensor fault"),
        ("sensor_fault", None, "n07 reports sensor fault"),
        ("pir_fault", 0, "n07 reports pir fault"),
        ("ledger_fault", 4, "n07 reports ledger fault"),
        ("low_battery", None, "n07 reports low battery"),
        ("low_battery", 3456, "n07 battery low: 3.46 V; change or charge it"),
        ("tamper", None, "n07 case opened, or the wire of its tamper contact cut"),
    ],
)
def test_condition_that_is_not_known_keeps_its_name(
    name: str, value: int | None, words: str
) -> None:
    assert reason("n07", name, value) == words
