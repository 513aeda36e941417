# SPDX-License-Identifier: MIT
"""The ledger and the boot numbers under real MicroPython."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.on_node import run_on_node

ON_NODE = Path(__file__).parent / "on_node"
SCRIPT = ON_NODE / "keeps.py"
CASES = [
    pytest.param(script, line.split("(")[0].removeprefix("def "))
    for script in ("keeps.py", "counters.py")
    for line in (ON_NODE / script).read_text().splitlines()
    if line.startswith("def ") and line.endswith("():")
]


@pytest.mark.parametrize(("script", "case"), CASES)
def test_ledger_in_case_keeps_its_limits(script: str, case: str, micropython: Path, tmp_path: Path):
    assert run_on_node(micropython, ON_NODE / script, case, str(tmp_path / "state"))[-1] == "ok"


@pytest.mark.parametrize(
    "case",
    [
        "flood_of_every_other_kind_leaves_room_for_a_thousand_detections",
        "gaps_of_many_boots_do_not_flood_the_ledger",
        "full_drops_oldest_and_reports_the_gap",
        "counters_used_up_take_the_next_boot",
    ],
)
def test_ledger_on_a_heap_like_the_boards_keeps_its_limits(
    case: str, micropython_i386: Path, tmp_path: Path
):
    lines = run_on_node(micropython_i386, SCRIPT, case, str(tmp_path / "state"), heap="90k")
    assert lines[-1] == "ok"
