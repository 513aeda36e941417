# SPDX-License-Identifier: MIT
"""Modules of a node on real MicroPython, by cases: supervisor, health, node, footfalls."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.on_node import run_on_node

FOLDER = Path(__file__).parent / "on_node"
CASES = [
    (script, line.split("(")[0].removeprefix("def "))
    for script in ("cases.py", "health_cases.py", "nodes.py", "arrivals.py")
    for line in (FOLDER / script).read_text().splitlines()
    if line.startswith("def ") and line.endswith("():") and not line.startswith("def make")
]


@pytest.mark.parametrize(("script", "case"), CASES)
def test_node_in_case_does_its_part(
    script: str, case: str, micropython_i386: Path, tmp_path: Path
) -> None:
    *_log, last = run_on_node(micropython_i386, FOLDER / script, case, cwd=tmp_path)
    assert last == "ok"
