# SPDX-License-Identifier: MIT
"""The drivers and the clock under real MicroPython, with simulated parts and time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.on_node import run_on_node

FOLDER = Path(__file__).parent / "on_node"
CASES = [
    (script, line.split("(")[0].removeprefix("def "))
    for script in ("cases.py", "converter.py")
    for line in (FOLDER / script).read_text().splitlines()
    if line.startswith("def ") and line.endswith("():")
]


@pytest.mark.parametrize("bits", ["micropython", "micropython_i386"])
@pytest.mark.parametrize(("script", "case"), CASES)
def test_driver_in_case_passes(script: str, case: str, bits: str, request: pytest.FixtureRequest):
    assert run_on_node(request.getfixturevalue(bits), FOLDER / script, case) == ["ok"]
