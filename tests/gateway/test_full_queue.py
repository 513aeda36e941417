# SPDX-License-Identifier: MIT
"""A queue of alarms that is full: what leaves it has a record, and does not return."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.alarms import AlarmRules, AlarmState, state, step
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.model.actions.acts import Acknowledge
from gateway.model.alarm import AlarmKind, Change
from gateway.model.observation import NodeCondition
from gateway.performance.measure import measure
from gateway.service.stages import Stages
from gateway.store.sqlite import SqliteStore
from tests.gateway.played_node import ROOT, write_site
from tests.gateway.test_pipeline import T0, S


def condition(number: int, active: bool = True) -> NodeCondition:
    return NodeCondition(AlarmKind.NODE_FAULT, "n01", "west", f"part {number}", active, "broken")


def test_queue_that_is_full_loses_the_oldest_cleared_alarm_with_a_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(state, "MAX_OPEN", 3)
    now, rules = AlarmState(), AlarmRules()
    for number in (1, 2, 3):
        now, _ = step(now, rules, condition(number), T0 + number)
    now, _ = step(now, rules, condition(2, active=False), T0 + 4)
    now, changes = step(now, rules, condition(4), T0 + 5)
    assert [(c.change, c.alarm.id) for c in changes] == [(Change.DISPLACED, 2), (Change.RAISED, 4)]
    gone = changes[0].alarm
    assert (gone.open, gone.acknowledged_by, gone.acknowledged_us) == (False, "system", None)
    assert "the queue was full" in gone.note
    assert [alarm.id for alarm in now.open] == [1, 3, 4]
    now, changes = step(now, rules, condition(5), T0 + 6)
    assert [(c.change, c.alarm.id) for c in changes] == [(Change.DISPLACED, 1), (Change.RAISED, 5)]
    # It can still be assessed.
    now, changes = step(now, rules, Acknowledge(1, "eva", note="seen later"), T0 + 7)
    assert now.by_id(2) == gone


def test_queue_that_was_full_is_the_same_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_site(tmp_path)
    site = load_site(tmp_path / "site.toml")
    store = SqliteStore(tmp_path / "groundwatch.db")
    store.open()
    stages = Stages(site, site_keys(site, ROOT), store.load())
    for number in range(1, 9):
        stages.take(T0 + number * S, "n01", condition(number))
    store.commit(stages.take_writes())
    # An earlier version left more open alarms in the store than the queue holds now.
    monkeypatch.setattr(state, "MAX_OPEN", 4)
    stages = Stages(site, site_keys(site, ROOT), store.load())
    stages.take(T0 + 20 * S, "n01", condition(9))
    writes = stages.take_writes()
    assert [row.change for row in writes.history] == ["displaced"] * 5 + ["raised"]
    assert sum(row.action == "history.displaced" for row in writes.audit) == 5
    store.commit(writes)
    again = Stages(site, site_keys(site, ROOT), store.load())
    assert [alarm.id for alarm in again.monitor.state.alarms.open] == [6, 7, 8, 9]
    figures = measure(list(again.monitor.state.alarms.closed), [], {}, ["n01"], T0 + 30 * S)
    assert figures["time_to_acknowledge"]["acknowledged"] == 0
    store.close()
