# SPDX-License-Identifier: MIT
"""Conditions of many nodes: jamming and sectors without coverage, not single nodes' faults."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.alarms import AlarmRules
from gateway.alarms.coverage import (
    Coverage,
    Presence,
    of_site,
    step,
)
from gateway.model import text
from gateway.model.alarm import AlarmKind
from tests.gateway.alarm_steps import T0, S

NODES = [f"n{i}" for i in range(1, 9)]
RULES = AlarmRules({node: "west" if i < 4 else "east" for i, node in enumerate(NODES)})


@dataclass
class Nodes:
    """Eight nodes; `run` returns (second, kind, active) of each condition reported."""

    broken: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    state: Coverage = field(default_factory=Coverage)
    second: int = 0

    def run(self, seconds: int) -> list[tuple[int, AlarmKind, bool]]:
        reported = []
        for _ in range(seconds):
            seen = Presence(set(NODES), self.broken, self.lost)
            self.state, conditions = step(self.state, RULES, seen, T0 + self.second * S)
            reported += [(self.second, one.kind, one.active) for one in conditions]
            self.second += 1
        return reported


def test_coverage_without_conditions_keeps_the_state() -> None:
    nodes = Nodes()
    before = nodes.state
    assert nodes.run(5) == []
    assert nodes.state is before


def test_jamming_of_a_quarter_is_reported_after_30_s_of_loss() -> None:
    nodes = Nodes(broken={"n1", "n2"})
    assert nodes.run(60) == [(30, AlarmKind.JAMMING, True)]
    nodes.broken.clear()
    assert nodes.run(100) == [(90 + 1, AlarmKind.JAMMING, False)]
    assert nodes.state == Coverage()


def test_jamming_in_bursts_is_reported_by_their_sum_within_60_s() -> None:
    nodes = Nodes()
    reported = []
    for _ in range(30):
        nodes.broken = {"n1", "n2", "n3"}
        reported += nodes.run(7)
        nodes.broken = set()
        reported += nodes.run(3)
    assert reported == [(42, AlarmKind.JAMMING, True)]


def test_jamming_is_not_reported_for_one_node_that_restarts_or_is_offline() -> None:
    nodes = Nodes()
    for node in NODES:
        nodes.broken = {node}
        assert nodes.run(25) == []
    nodes.lost = {"n1"}
    nodes.broken = {"n1"}
    assert nodes.run(600) == []


def test_jamming_is_not_reported_for_a_fault_beside_a_node_long_offline() -> None:
    nodes = Nodes(broken={"n1"}, lost={"n1"})
    nodes.run(120)
    nodes.broken |= {"n2"}
    assert nodes.run(300) == []


def test_half_of_the_nodes_lost_within_60_s_is_jamming() -> None:
    nodes = Nodes()
    for node in NODES[:3]:
        nodes.lost.add(node)
        assert nodes.run(15) == []
    nodes.lost.add("n8")
    assert nodes.run(1) == [(45, AlarmKind.JAMMING, True)]
    nodes.lost -= {"n1", "n2", "n3"}
    assert nodes.run(1) == [(46, AlarmKind.JAMMING, False)]


def test_half_of_the_nodes_lost_over_hours_is_not_jamming() -> None:
    nodes = Nodes()
    for node in ("n1", "n2", "n3", "n5", "n6"):
        nodes.lost.add(node)
        assert nodes.run(61) == []


def test_sector_whose_last_node_is_lost_is_reported_and_later_cleared() -> None:
    nodes = Nodes()
    reported = []
    for node in NODES[:4]:
        nodes.lost.add(node)
        reported += nodes.run(61)
    assert reported == [(3 * 61, AlarmKind.SECTOR_LOST, True)]
    nodes.lost.discard("n2")
    assert nodes.run(1) == [(4 * 61, AlarmKind.SECTOR_LOST, False)]


def test_sector_within_the_jammed_site_is_not_reported_separately() -> None:
    nodes = Nodes(lost=set(NODES))
    assert nodes.run(90) == [(0, AlarmKind.JAMMING, True)]


def test_coverage_survives_the_store_unchanged() -> None:
    nodes = Nodes(broken={"n1", "n2"})
    nodes.run(40)
    nodes.lost = set(NODES[:4])
    nodes.run(2)
    restored = text.parse_json(text.format_json(nodes.state), Coverage)
    assert of_site(restored, RULES) == nodes.state


def test_coverage_with_the_clock_set_back_continues() -> None:
    nodes = Nodes(broken={"n1", "n2"})
    nodes.run(40)
    nodes.second = -1_000_000
    nodes.broken.clear()
    assert [on for _s, _kind, on in nodes.run(100)] == [False]
    nodes.broken = {"n1", "n2"}
    assert [on for _s, _kind, on in nodes.run(60)] == [True]
