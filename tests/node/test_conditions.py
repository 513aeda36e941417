# SPDX-License-Identifier: MIT
"""Conditions of a simulated node through reboots, as the operator of a whole gateway sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway import keys
from gateway.config.site import load_site
from gateway.service.stages import Stages
from tests.node.conftest import NODE_KEY, walker
from tests.trees import patch

# Costs are not charged: these tests count samples or starts to the last one.
CHARGES = "none"

S = 1_000_000
T0 = 1_790_000_000 * S


def alarms(folder: Path, *runs: Any) -> list[tuple[str, str, str]]:
    """(kind, state, reason) of every alarm after all that the node sent in these runs, in order."""
    site_file = folder / "site.toml"
    site_file.write_text(
        '[site]\nname = "north"\n[[node]]\nid = "n07"\nx_m = 0\ny_m = 0\nsector = "east"\n'
    )
    ring = keys.KeyRing((keys.derive(NODE_KEY),))
    stages = Stages(load_site(site_file), {"n07": ring}, None)
    at_us = T0
    for run in runs:
        for line in run.raw.decode().splitlines():
            row = json.loads(line)
            at_us += S
            outcome = stages.uplink(at_us, row["topic"], bytes.fromhex(row["payload"]))
            assert outcome.refused in ("", "replayed"), outcome.refused
    open_alarms = stages.monitor.state.alarms.open
    return [(a.kind.value, a.state, a.reasons[0]) for a in open_alarms]


def test_low_battery_ends_at_the_gateway_when_the_node_restarts_on_a_full_one(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    low = play(micropython, walker(30, 0, 0), battery_mv=3_400)
    assert alarms(tmp_path, low) == [
        ("low_battery", "active_unacked", "n07 battery low: 3.40 V; change or charge it")
    ]
    # Virtual time goes on where the run before it ended.
    full = play(micropython, walker(60, 0, 0), battery_mv=3_900)
    assert [state for _kind, state, _reason in alarms(tmp_path, low, full)] == ["cleared_unacked"]
    still = play(micropython, walker(90, 0, 0), battery_mv=3_400)
    found = [state for _kind, state, _reason in alarms(tmp_path, low, still)]
    assert found == ["active_unacked"]


@pytest.mark.long
def test_safe_mode_alarms_the_operator_and_ends_with_the_next_good_start(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    play(micropython, walker(1, 0, 0))
    (tmp_path / "n07" / "exit.json").unlink()
    right = patch(tmp_path / "n07", "boards/pico_w/board.py", lambda _text: "1 / 0\n")
    broken = play(micropython, walker(300, 0, 0))
    (alarm,) = alarms(tmp_path, broken)
    assert alarm[:2] == ("node_fault", "active_unacked")
    assert alarm[2].startswith("n07 runs in safe mode: it detects nothing")
    patch(tmp_path / "n07", "boards/pico_w/board.py", lambda _text: right)
    mended = play(micropython, walker(2_000, 0, 0))
    assert [state for _kind, state, _reason in alarms(tmp_path, broken, mended)] == [
        "cleared_unacked"
    ]
