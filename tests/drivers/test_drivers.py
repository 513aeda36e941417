# SPDX-License-Identifier: MIT
"""The drivers and the clock under real MicroPython, with parts and time in the test's hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.on_node import run_on_node

SCRIPT = Path(__file__).parent / "on_node" / "cases.py"
CASES = [
    line.split("(")[0].removeprefix("def ")
    for line in SCRIPT.read_text().splitlines()
    if line.startswith("def ") and line.endswith("():")
]


@pytest.mark.parametrize("bits", ["micropython", "micropython_i386"])
@pytest.mark.parametrize("case", CASES)
def test_driver_in_case_does_its_part(case: str, bits: str, request: pytest.FixtureRequest):
    assert run_on_node(request.getfixturevalue(bits), SCRIPT, case) == ["ok"]
