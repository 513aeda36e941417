# SPDX-License-Identifier: MIT
"""Sentinel mode in virtual time: when the node sleeps, what wakes it, what it keeps meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.node.conftest import FS_HZ, Run, config, walker
from tools.bundle import write_tree
from tools.compiled import mpy_of_interpreter
from tools.trees import write_settings

CHARGES = "none"
BOARD = "esp32_s3"
HEARTBEAT_S = 300
_SLEEP = re.compile(r"wakes uptime_ms=(\d+) slept_ms=(\d+) by=(\w+)")

Play = Callable[..., Run]


@pytest.fixture
def sentinel(micropython: Path, play: Play, tmp_path: Path) -> Play:
    """Play a feed to a node that is a sentinel from its first start."""

    def run(feed: bytes, **settings: Any) -> Run:
        tree = tmp_path / "n07"
        write_tree(config(BOARD), tree, mpy_of_interpreter(micropython))
        write_settings(tree, {"heartbeat_s": HEARTBEAT_S, "radio": 1, "sampling": 1})
        return play(micropython, feed, board=BOARD, **settings)

    return run


def wakes(run: Run) -> list[tuple[float, float, str]]:
    """(uptime at the wake-up, how long it slept, what woke it), s."""
    found = [match for line in run.lines if (match := _SLEEP.fullmatch(line))]
    return [(int(m[1]) / 1000, int(m[2]) / 1000, m[3]) for m in found]


def awake_s(run: Run, until_s: float) -> float:
    return until_s - sum(slept for at_s, slept, _ in wakes(run) if at_s <= until_s)


def test_quiet_node_sleeps_between_heartbeats_and_misses_no_sample(sentinel: Play) -> None:
    run = sentinel(walker(1_000, 0, 0))
    assert {by for _, _, by in wakes(run)} == {"None"}
    assert all(slept <= 1.2 * HEARTBEAT_S for _, slept, _ in wakes(run))
    health, hello = run.messages("Health"), run.messages("Hello")
    assert len(health) >= 3
    # Awake: half a minute after the start, then 4 s for each contact.
    assert awake_s(run, wakes(run)[-1][0]) < 36 + 5 * len(health)
    slept_s = sum(slept for at_s, slept, _ in wakes(run) if at_s * 1000 <= hello[-1].t_ms)
    assert hello[-1].asleep_s == pytest.approx(slept_s, abs=1.5)
    assert health[-1].samples_missed == health[0].samples_missed
    assert run.messages("Condition") == []
    # No heartbeat is late, and the floor is not learned again.
    beats = np.diff([one.t_ms / 1000 for one in health])
    assert max(beats) < 1.2 * HEARTBEAT_S + 2
    assert all(0 < one.floor_um_s_x100 < 20 for one in health[1:])


@pytest.mark.long
def test_walker_wakes_the_node_and_is_detected_as_in_continuous_mode(
    sentinel: Play, micropython: Path, play: Play, tmp_path: Path
) -> None:
    feed = walker(240, 150, 190)
    run = sentinel(feed)
    woke_s = next(at_s for at_s, _, by in wakes(run) if by == "0")
    # Uptime begins within a second of the feed. The first step lifts the comparator.
    assert -1 < woke_s - 150 < 0.1
    usual = play(micropython, feed, board=BOARD, name="usual/n07")
    first, other = run.messages("Detection")[0], usual.messages("Detection")[0]
    assert first.class_ == other.class_
    assert abs(first.t_ms - other.t_ms) < 1_500
    reported = _reported_s(run) - _reported_s(usual)
    assert -1 < reported < 4  # and the radio's start
    ends = [one for one in run.messages("Detection") if one.phase.label == "end"]
    assert len(ends) == 1


def _reported_s(run: Run) -> float:
    return next(up[0] for up in run.uplinks if type(up[4]).__name__ == "Detection") / 1e6


def test_pir_and_tamper_loop_wake_the_node(sentinel: Play) -> None:
    run = sentinel(
        walker(400, 0, 0), pir_edges_s=[100.0, 102.0], tamper_edges_s=[200.0, 204.0, 300.0]
    )
    pir, opened, closed, *_ = [one for one in wakes(run) if one[2] != "None"]
    assert (pir[2], opened[2], closed[2]) == ("1", "2", "2")
    conditions = [(one.kind.label, one.active) for one in run.messages("Condition")]
    assert conditions[:2] == [("tamper", 1), ("tamper", 0)]
    reported_s = [up[0] / 1e6 for up in run.uplinks if type(up[4]).__name__ == "Condition"]
    assert 200 < reported_s[0] < 205


@pytest.mark.long
def test_loop_that_stays_open_lets_the_node_sleep(sentinel: Play) -> None:
    run = sentinel(walker(400, 0, 0), tamper_edges_s=[100.0])
    assert [one for one in wakes(run) if one[2] == "2"]
    assert awake_s(run, wakes(run)[-1][0]) < 100


def gale(duration_s: float) -> bytes:
    """Ground in wind that passes the threshold all the time: uniform in the band, no steps."""
    rng = np.random.default_rng(5)
    return rng.normal(0, 6_000, int(duration_s * FS_HZ)).astype("<i4").tobytes()


@pytest.mark.long
def test_wind_that_wakes_it_all_the_time_costs_a_twelfth_of_the_time(sentinel: Play) -> None:
    run = sentinel(gale(1_800), timeout_s=600)
    assert run.messages("Detection") == []
    reports = [one for one in run.messages("Condition") if one.kind.label == "wakes_ignored"]
    assert [one.active for one in reports] == [1]
    assert reports[0].value >= 2
    # Five minutes at once, a twelfth from then on, one wake-up more, and the contacts.
    last_s = wakes(run)[-1][0]
    contacts = len(run.messages("Hello"))
    assert 300 < awake_s(run, last_s) < 60 + 300 + last_s / 12 + 120 + 6 * contacts


@pytest.mark.long
def test_sentinel_whose_radio_is_shut_off_sleeps_on(sentinel: Play) -> None:
    run = sentinel(walker(900, 0, 0), battery_curve=[[0, 3900], [5, 3900], [6, 3100]])
    assert any(line.startswith("radio off") for line in run.lines)
    last_s = wakes(run)[-1][0]
    assert last_s > 600
    assert awake_s(run, last_s) < 0.3 * last_s


@pytest.mark.long
def test_sentinel_whose_gateway_is_away_sleeps_and_loses_nothing(sentinel: Play) -> None:
    run = sentinel(walker(1_500, 400, 420), outages_s=[[60, 1_100]])
    # Eight attempts of 20 s or so, and the walk.
    assert awake_s(run, 1_000) < 380
    made = [line for line in run.lines if line.startswith("detection ")]
    assert len(run.messages("Detection")) == len(made) > 0
    # After the outage, with the next attempt.
    assert 1_100 < _reported_s(run) < 1_100 + 1.6 * HEARTBEAT_S
