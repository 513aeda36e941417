# SPDX-License-Identifier: MIT
"""How a whole node restarts: what it reports of the start before, and what it does not conclude."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import walker
from tests.node.yard import Yard, until
from tests.trees import patch
from tools.cli import main

RAISES_ONCE = """
import os
if "once" not in os.listdir():
    open("once", "w").close()
    1 // 0
"""
BOARDS = ["pico_w", pytest.param("esp32", marks=pytest.mark.long)]


def started(lines: list[str]) -> list[tuple[str, str]]:
    """(firmware, reset cause) of every start."""
    found = [re.search(r" fw=(.+) boot=\d+ cause=(\w+) ", line) for line in lines]
    return [(match[1], match[2]) for match in found if match]


def resets(run: Any) -> list[tuple[str, str | None]]:
    """(cause, detail) in each hello."""
    return [(one.reset_cause.label, one.reset_detail) for one in run.messages("Hello")]


@pytest.mark.parametrize("board", BOARDS)
def test_node_through_twelve_short_power_ons_still_runs_its_firmware(
    board: str, micropython: Path, play: Callable[..., Any]
):
    # The node senses for some seconds each time, and is never well: that takes a minute.
    lines = []
    for number in range(12):
        lines += play(micropython, walker(8 * (number + 1), 0, 0), board).lines
    assert started(lines) == [("0.1.0", "power_on")] * 12


@pytest.mark.parametrize("board", BOARDS)
def test_node_with_a_stuck_task_reports_which(
    board: str, micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    play(micropython, walker(1, 0, 0), board)
    (tmp_path / "n07" / "exit.json").unlink()
    patch(
        tmp_path / "n07",
        "ugs/update/updater.py",
        lambda text: text.replace("_IDLE_MS = const(1_000)", "_IDLE_MS = const(60_000)"),
    )
    patch(
        tmp_path / "n07",
        "ugs/drivers/sampler.py",
        lambda text: text.replace("self.missed = 0", "self.missed = 7"),
    )
    run = play(micropython, walker(40, 0, 0), board)
    assert resets(run)[:2] == [("power_on", None), ("stuck_task", "update")]
    # Samples missed since its last heartbeat are reported as well.
    restarts = [line for line in run.lines if line.startswith("node restarts ")]
    assert restarts and all(re.search(r" missed=([7-9]|\d\d+)$", line) for line in restarts)


def test_node_that_blocks_for_long_reports_the_watchdog(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    play(micropython, walker(1, 0, 0))
    (tmp_path / "n07" / "exit.json").unlink()
    patch(
        tmp_path / "n07",
        "ugs/sampling.py",
        lambda text: (
            text.replace("async def run(self):", "async def run(self):\n        await _block()", 1)
            + "\n\nasync def _block():\n    import time\n\n"
            "    await asyncio.sleep(4)\n    time.sleep(20)\n"
        ),
    )
    run = play(micropython, walker(30, 0, 0))
    assert resets(run)[:2] == [("power_on", None), ("watchdog", None)]


def test_node_whose_code_raises_reports_it_and_keeps_the_traceback(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    play(micropython, walker(1, 0, 0))
    (tmp_path / "n07" / "exit.json").unlink()
    # Once: the next start finds the file.
    patch(
        tmp_path / "n07",
        "boards/pico_w/board.py",
        lambda text: text + RAISES_ONCE,
    )
    run = play(micropython, walker(30, 0, 0))
    assert run.codes == [3, 0]
    assert resets(run) == [("exception", "ZeroDivisionError")]
    kept = (tmp_path / "n07" / "failure").read_text()
    assert kept.startswith("start: ZeroDivisionError(")
    assert 'File "boards.pico_w.board", line ' in kept


@pytest.mark.long
def test_node_that_crashes_spends_no_boot_number_before_it_has_waited(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    # Sampling fails at once and for ever: without waits this would be a hundred starts an hour.
    play(micropython, walker(1, 0, 0))
    (tmp_path / "n07" / "exit.json").unlink()
    patch(
        tmp_path / "n07",
        "ugs/node.py",
        lambda text: text.replace("self.board.sampler.start()", "raise OSError(5)"),
    )
    run = play(micropython, walker(3_600, 0, 0))
    assert len(run.codes) == 10  # as many as this bench plays
    last = json.loads((tmp_path / "n07" / "exit.json").read_text())
    # Six starts in 155 s, then safe mode for 10 minutes, for 20, and so on.
    assert last["t_us"] >= 1_800_000_000
    assert started(run.lines)[-1][0] == "safe-0.1.0"


async def test_node_with_a_stuck_task_is_shown_with_it_at_the_gateway(
    micropython: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    yard = Yard(tmp_path, micropython)
    for name, old, new in (
        ("ugs/update/updater.py", "_IDLE_MS = const(1_000)", "_IDLE_MS = const(60_000)"),
        ("ugs/base.py", "_UPDATE_LIMIT_MS = const(10_000)", "_UPDATE_LIMIT_MS = const(2_000)"),
    ):
        assert old in patch(yard.tree, name, lambda text, old=old, new=new: text.replace(old, new))
    async with yard.gateway() as gateway:
        with yard.node(walker(60, 0, 0)) as node:
            views = gateway.service.stages.intake.registry.views
            await until(lambda: views["n01"].reset_detail, 40, node)
            config = ["--config", str(tmp_path / "gateway.toml")]
            shown = ""
            async with asyncio.timeout(10):  # the picture is some moments behind
                while "reset_detail" not in shown:
                    assert await asyncio.to_thread(main, ["node", "show", "n01", *config]) == 0
                    shown = capsys.readouterr().out
    words = [line.split() for line in shown.splitlines()]
    assert ["reset_cause", "stuck_task"] in words
    assert ["reset_detail", "update"] in words
