# SPDX-License-Identifier: MIT
"""Conditions of a node: reports, and the level set in each hello, in whatever order they arrive."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.model.alarm import AlarmKind
from gateway.service.stages import Stages
from gateway.store.sqlite import SqliteStore
from gateway.wire.messages import Condition, ConditionKind
from tests.gateway.played_node import ROOT, PlayedNode, write_site

S = 1_000_000
T0 = 1_790_000_000 * S
LOW, TAMPER = ConditionKind.LOW_BATTERY, ConditionKind.TAMPER
SAFE = ConditionKind.SAFE_MODE


class Gateway:
    """Stages with a clock and a store; `alarms` are the changes so far: (kind, change)."""

    def __init__(self, folder: Path) -> None:
        write_site(folder)
        self._site = load_site(folder / "site.toml")
        self._store = SqliteStore(None)
        self.alarms: list[tuple[str, str]] = []
        self._at_us = T0
        self._start()

    def _start(self) -> None:
        self.stages = Stages(self._site, site_keys(self._site, ROOT), self._store.load())

    def restart(self) -> None:
        self._store.commit(self.stages.take_writes())
        self._start()

    def receive(self, node: PlayedNode, *messages: bytes) -> None:
        for data in messages:
            self._at_us += S
            changes = self.stages.uplink(self._at_us, node.up, data).alarms
            self.alarms += [(one.alarm.kind.value, one.change.value) for one in changes]

    @property
    def active(self) -> set[str]:
        return set(self.stages.intake.registry.views["n01"].conditions)

    def open(self) -> list[tuple[AlarmKind, str]]:
        return [(a.kind, a.state) for a in self.stages.monitor.state.alarms.open]


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path)


@pytest.fixture
def node() -> PlayedNode:
    return PlayedNode("n01")


def report(node: PlayedNode, kind: ConditionKind, active: int = 1) -> bytes:
    return node.seal(Condition(t_ms=1, kind=kind, active=active), 0)


def level(node: PlayedNode, *kinds: ConditionKind, seq: int = 0) -> bytes:
    return node.hello(conditions=sum(1 << kind for kind in kinds), conditions_seq=seq)


def test_condition_that_a_new_boot_does_not_have_ends(gateway: Gateway, node: PlayedNode) -> None:
    gateway.receive(node, level(node), report(node, LOW), report(node, TAMPER))
    assert gateway.active == {"low_battery", "tamper"}
    node.restart()
    gateway.receive(node, level(node, TAMPER))
    assert gateway.active == {"tamper"}
    assert gateway.alarms[-1] == ("low_battery", "cleared")
    assert (AlarmKind.TAMPER, "active_unacked") in gateway.open()


def test_condition_that_only_the_level_set_has_raises_its_alarm(
    gateway: Gateway, node: PlayedNode
) -> None:
    gateway.receive(node, level(node, LOW, seq=1))
    assert gateway.active == {"low_battery"}
    assert gateway.alarms == [("low_battery", "raised")]


def test_condition_of_firmware_without_level_sets_stays_as_reported(
    gateway: Gateway, node: PlayedNode
) -> None:
    gateway.receive(node, node.hello(), report(node, LOW))
    node.restart()
    gateway.receive(node, node.hello())
    assert gateway.active == {"low_battery"}
    gateway.receive(node, report(node, LOW, 0))
    assert gateway.active == set()


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_condition_reports_and_hellos_in_any_order_end_in_the_same_level(
    order: tuple[int, ...], gateway: Gateway, node: PlayedNode
) -> None:
    gateway.receive(node, report(node, LOW))
    node.restart()
    # The tamper switch opened, a connection was made, it closed, another connection was made.
    sent = [report(node, TAMPER), level(node, TAMPER, seq=1), report(node, TAMPER, 0)]
    sent.append(level(node, seq=2))
    gateway.receive(node, *(sent[at] for at in order))
    assert gateway.active == set()
    assert not any(state.startswith("active") for _kind, state in gateway.open())
    # In no order is the occurrence lost: the operator has an alarm to acknowledge.
    assert (AlarmKind.TAMPER, "cleared_unacked") in gateway.open()
    gateway.receive(node, *sent)  # copies
    assert gateway.active == set()


def test_condition_before_a_reboot_that_arrives_late_is_an_alarm_that_is_over(
    gateway: Gateway, node: PlayedNode
) -> None:
    gateway.receive(node, level(node))
    late = report(node, TAMPER)
    node.restart()
    gateway.receive(node, level(node), late)
    assert gateway.active == set()
    assert gateway.alarms == [("tamper", "raised"), ("tamper", "cleared")]


def test_condition_level_of_an_older_boot_changes_nothing(
    gateway: Gateway, node: PlayedNode
) -> None:
    older = level(node)
    node.restart()
    gateway.receive(node, level(node, LOW), older)
    assert gateway.active == {"low_battery"}


def test_condition_level_is_kept_over_a_restart_of_the_gateway(
    gateway: Gateway, node: PlayedNode
) -> None:
    late = report(node, TAMPER)
    gateway.receive(node, level(node, LOW, seq=1))
    gateway.restart()
    gateway.receive(node, late, report(node, LOW, 0))
    assert gateway.active == set()


def test_condition_kinds_unknown_to_this_gateway_are_passed_over(
    gateway: Gateway, node: PlayedNode
) -> None:
    gateway.receive(node, node.hello(conditions=0xFFFF_FFFF, conditions_seq=0))
    assert gateway.active == {kind.label for kind in ConditionKind}


def test_safe_mode_alarms_in_words_and_ends_when_the_node_runs_again(
    gateway: Gateway, node: PlayedNode
) -> None:
    gateway.receive(node, level(node, SAFE, seq=1), report(node, SAFE))
    (alarm,) = gateway.stages.monitor.state.alarms.open
    assert (alarm.kind, alarm.state) == (AlarmKind.NODE_FAULT, "active_unacked")
    assert alarm.reasons[0].startswith("n01 runs in safe mode: it detects nothing")
    node.restart()
    gateway.receive(node, level(node))
    assert gateway.open() == [(AlarmKind.NODE_FAULT, "cleared_unacked")]


def test_safe_mode_stored_under_its_former_name_ends_too(
    gateway: Gateway, node: PlayedNode
) -> None:
    gateway.receive(node, level(node))
    gateway.stages.intake.registry.views["n01"].conditions["rescue"] = 0
    node.restart()
    gateway.receive(node, level(node))
    assert gateway.active == set()
