# SPDX-License-Identifier: MIT
"""A whole node after an outage: what arrives first, and when all of it is there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.node.conftest import walker
from tests.node.test_node import STATE, made, sent
from tests.on_node import run_on_node

# Costs are not charged: these tests count samples or starts to the last one.
CHARGES = "none"
PENDING = 1_000
BACK_S = 60.0


def test_node_with_a_thousand_records_pending_sends_the_newest_detection_at_once(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    play(micropython, walker(0.5, 0, 0))
    run_on_node(micropython, STATE, "make", str(tmp_path / "n07" / "state"), str(PENDING))
    # All that is reported of this walk is recorded before the broker is back.
    run = play(micropython, walker(160, 10, 25), outages_s=[[0, BACK_S]])
    newest = max(row[:2] for row in made(run.lines) if row[2] < BACK_S * 1000)
    durable = [(t_us / 1e6, (boot, seq)) for t_us, space, boot, seq, _m in run.uplinks if not space]
    linked_s = next(t_us for t_us, *_rest in run.uplinks if t_us >= BACK_S * 1e6) / 1e6
    newest_s = next(t_s for t_s, identity in durable if identity == newest) - linked_s
    all_s = durable[-1][0] - linked_s
    sys.stdout.write(
        f"\n{PENDING} records pending: the newest detection arrives {newest_s:.2f} s after the"
        f" hello, the last record after {all_s:.1f} s\n"
    )
    assert newest_s < 2
    assert all_s < 60
    assert [row for row in sent(run) if row[0] == newest[0]] == sorted(made(run.lines))
    # Nothing went twice: the line lost nothing.
    assert len(durable) == len({identity for _t_s, identity in durable})
    assert {seq for _t_s, (boot, seq) in durable if boot == 2} == set(range(1, PENDING + 1))
