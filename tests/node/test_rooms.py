# SPDX-License-Identifier: MIT
"""Supervisor, conditions, pump and configuration of the node under real MicroPython."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.on_node import run_on_node

SCRIPT = Path(__file__).parent / "on_node" / "cases.py"
CASES = [
    line.split("(")[0].removeprefix("def ")
    for line in SCRIPT.read_text().splitlines()
    if line.startswith("def ") and line.endswith("():") and not line.startswith("def make")
]


@pytest.mark.parametrize("case", CASES)
def test_node_in_case_does_its_part(case: str, micropython_i386: Path, tmp_path: Path):
    *_log, last = run_on_node(micropython_i386, SCRIPT, case, cwd=tmp_path)
    assert last == "ok"
