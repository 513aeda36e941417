# SPDX-License-Identifier: MIT
"""Never more than half the watchdog without feeding it during a start, whatever is on the flash.

Computed: work has no cost in the simulator, so it is charged by figures of the emulated Pico W
(on_node/budget.py). tests/picow/test_boot_budget.py measures the longest of these starts there.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.node.boot_states import STATES, make_state
from tests.node.conftest import walker
from tools.compiled import mpy_of_interpreter
from tools.image import FIRMWARE

CHARGES = "none"  # it is the test itself that charges
BUDGET = Path(__file__).parent / "on_node" / "budget.py"
STARTED = ("node started",)


def watchdog_ms() -> int:
    """What the firmware sets its watchdog to."""
    text = (FIRMWARE / "boards" / "guard.py").read_text()
    found = re.search(r"WATCHDOG_MS = const\(([\d_]+)\)", text)
    assert found is not None
    return int(found[1])


def charge(tree: Path) -> None:
    """Work takes its time from the start of the watchdog on."""
    shutil.copy(BUDGET, tree / "budget.py")
    # Beside what is compiled, and taken instead of it.
    guard = tree / "guard.py"
    text = (FIRMWARE / "boards" / "guard.py").read_text()
    guard.write_text(text.replace("import machine\n", "import machine\nimport budget\n"))


def unfed_ms(lines: list[str]) -> int:
    """The longest time without feeding in all starts."""
    return max(int(line.split("=")[1]) for line in lines if line.startswith("budget "))


@pytest.mark.parametrize("build", ["micropython", "micropython_i386"])
@pytest.mark.parametrize("state", STATES)
def test_start_feeds_within_half_the_watchdog(
    state: str,
    build: str,
    request: pytest.FixtureRequest,
    play: Callable[..., Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    interpreter = request.getfixturevalue(build)
    tree = tmp_path / "n07"
    make_state(state, tree, interpreter, mpy_of_interpreter(interpreter))
    charge(tree)
    # A tree that fails is tried several times, with waits between.
    run = play(interpreter, walker(300 if "tree" in state else 30, 0, 0))
    longest_ms = unfed_ms(run.lines)
    with capsys.disabled():
        words = f"{state}, {build}: {longest_ms} ms unfed at most in {len(run.codes)} starts"
        sys.stdout.write(f"\n{words} ")
    # It comes up in the end, in a tree or in safe mode: what was measured are whole starts.
    assert any(line.startswith(STARTED) for line in run.lines), run.lines[-20:]
    assert longest_ms <= watchdog_ms() // 2


def test_budget_counts_what_is_done_between_two_feeds(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    tree = tmp_path / "n07"
    make_state("full ledger", tree, micropython, mpy_of_interpreter(micropython))
    charge(tree)
    fed = unfed_ms(play(micropython, walker(5, 0, 0)).lines)
    (tree / "root.copy").unlink()  # boot.py would put its main.py back
    main = tree / "main.py"
    main.write_text(main.read_text().replace("    feed()\n", "", 2))
    assert unfed_ms(play(micropython, walker(10, 0, 0)).lines) > 1.5 * fed
