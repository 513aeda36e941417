# SPDX-License-Identifier: MIT
"""The record of starts under real MicroPython: what is a crash, and which image starts then."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.on_node import run_on_node

SCRIPT = Path(__file__).parent / "on_node" / "slots_cases.py"
CASES = [
    line.split("(")[0].removeprefix("def ")
    for line in SCRIPT.read_text().splitlines()
    if line.startswith("def ") and line.endswith("():")
]


@pytest.mark.parametrize("case", CASES)
def test_slots_in_case_choose_as_they_should(
    case: str, micropython_i386: Path, tmp_path: Path
) -> None:
    assert run_on_node(micropython_i386, SCRIPT, case, cwd=tmp_path) == ["ok"]
