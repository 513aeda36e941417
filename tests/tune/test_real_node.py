# SPDX-License-Identifier: MIT
"""A confirmed proposal reaches a node that runs the real firmware, and it keeps the threshold."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from gateway import keys
from tests.gateway.played_node import ROOT
from tests.node.conftest import walker
from tests.node.yard import Yard, until
from tests.tune.test_apply import assert_audit_holds, entries
from tests.tune.weeks import Plan, live
from tools.cli import main


def known_root(path: Path) -> bytes:
    """The fleet root of the played weeks."""
    path.write_text(ROOT.hex() + "\n")
    path.chmod(0o600)
    return ROOT


@pytest.mark.long
async def test_confirmed_threshold_reaches_the_real_firmware_and_outlives_a_restart(
    micropython: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(keys, "create_fleet_root", known_root)
    yard = Yard(tmp_path, micropython, link="wifi")
    live(tmp_path, time.time_ns() // 1000, Plan(days=14, noisy="n01", walk_hour=None))
    monkeypatch.chdir(tmp_path)
    quiet = walker(400, 0, 0)
    with yard.node(quiet) as node:  # boot 1 was that of the weeks
        await until(lambda: any("node started" in line for line in node.lines), 60, node)
    async with yard.gateway() as gateway:
        view = gateway.service.stages.intake.registry.views["n01"]
        with yard.node(quiet) as node:
            await until(lambda: view.boot > 1 and view.settings, 90, node)
            words = ["tune", "--apply", "n01", "--reason", "pump beside it"]
            assert await asyncio.to_thread(main, words) == 0
            assert "threshold 0 to 5" in capsys.readouterr().out
        boot = view.boot
        with yard.node(quiet) as node:
            await until(lambda: view.boot > boot and view.settings, 90, node)
            assert view.settings is not None
            assert view.settings["threshold_x10"] == 5
    assert len(entries(tmp_path, "tuning.set")) == 1
    assert_audit_holds(tmp_path)
