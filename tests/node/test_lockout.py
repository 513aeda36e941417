# SPDX-License-Identifier: MIT
"""A battery runs down: the node reports it, switches its radio off, and continues to sense."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.wire.messages import ConditionKind
from tests.node.conftest import walker
from tests.node.test_node import conditions, made, sent

# Costs are not charged: these tests count samples or starts to the last one.
CHARGES = "none"


def test_radio_of_an_empty_battery_is_off_until_it_has_recovered(
    micropython: Path, play: Callable[..., Any]
) -> None:
    curve = [[0, 3700], [20, 3700], [21, 3150], [90, 3150], [91, 3350], [130, 3350], [131, 3450]]
    run = play(micropython, walker(260, 45, 80), battery_curve=curve)
    assert run.codes == [0]
    # Low battery went out before the radio went off, and no link was reported lost.
    assert conditions(run) == [(ConditionKind.LOW_BATTERY, 1)]
    sent_s = [t_us / 1e6 for t_us, *_rest in run.uplinks]
    reported_s = min(t_us for t_us, *_, m in run.uplinks if type(m).__name__ == "Condition") / 1e6
    assert 21 < reported_s < 31
    # Silent from 3.2 V on, still at 3.35 V, and back above 3.4 V.
    assert [t_s for t_s in sent_s if 40 < t_s < 131] == []
    assert [t_s for t_s in sent_s if 131 < t_s < 150]
    assert [line.split(" ")[1] for line in run.lines if line.startswith("radio ")] == ["off", "on"]
    # The walker of those minutes is not lost, and neither is a sample.
    assert len(made(run.lines)) >= 3
    assert sent(run) == sorted(made(run.lines))
    assert run.messages("Health")[-1].samples_missed == 0


def test_radio_stays_on_while_it_makes_the_battery_dip(
    micropython: Path, play: Callable[..., Any]
) -> None:
    dips = [[t_s, mv] for at in range(5, 60, 9) for t_s, mv in ((at, 3700), (at + 4, 3150))]
    run = play(micropython, walker(60, 0, 0), battery_curve=[[0, 3700], *dips])
    assert not [line for line in run.lines if line.startswith("radio off")]
