# SPDX-License-Identifier: MIT
"""Many nodes at once: jamming and sectors nobody listens to, told from single nodes' troubles."""

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
from tests.gateway.duty import T0, S

NODES = [f"n{i}" for i in range(1, 9)]
RULES = AlarmRules({node: "west" if i < 4 else "east" for i, node in enumerate(NODES)})


@dataclass
class Field:
    """Eight nodes; `run` gives (second, kind, begins) of every trouble told."""

    broken: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    state: Coverage = field(default_factory=Coverage)
    second: int = 0

    def run(self, seconds: int) -> list[tuple[int, AlarmKind, bool]]:
        told = []
        for _ in range(seconds):
            seen = Presence(set(NODES), self.broken, self.lost)
            self.state, troubles = step(self.state, RULES, seen, T0 + self.second * S)
            told += [(self.second, trouble.kind, trouble.active) for trouble in troubles]
            self.second += 1
        return told


def test_coverage_nothing_amiss_is_the_same_state() -> None:
    ground = Field()
    before = ground.state
    assert ground.run(5) == []
    assert ground.state is before


def test_jamming_of_a_quarter_is_told_after_30_s_of_loss() -> None:
    ground = Field(broken={"n1", "n2"})
    assert ground.run(60) == [(30, AlarmKind.JAMMING, True)]
    ground.broken.clear()
    assert ground.run(100) == [(90 + 1, AlarmKind.JAMMING, False)]
    assert ground.state == Coverage()


def test_jamming_in_bursts_adds_up_within_60_s() -> None:
    ground = Field()
    told = []
    for _ in range(30):
        ground.broken = {"n1", "n2", "n3"}
        told += ground.run(7)
        ground.broken = set()
        told += ground.run(3)
    assert told == [(42, AlarmKind.JAMMING, True)]


def test_jamming_is_not_one_node_that_restarts_or_stays_away() -> None:
    ground = Field()
    for node in NODES:
        ground.broken = {node}
        assert ground.run(25) == []
    ground.lost = {"n1"}
    ground.broken = {"n1"}
    assert ground.run(600) == []


def test_jamming_is_not_two_nodes_that_are_long_gone() -> None:
    ground = Field(broken={"n1"}, lost={"n1"})
    ground.run(120)
    ground.broken |= {"n2"}
    assert ground.run(300) == []


def test_half_of_the_nodes_lost_within_60_s_is_jamming() -> None:
    ground = Field()
    for node in NODES[:3]:
        ground.lost.add(node)
        assert ground.run(15) == []
    ground.lost.add("n8")
    assert ground.run(1) == [(45, AlarmKind.JAMMING, True)]
    ground.lost -= {"n1", "n2", "n3"}
    assert ground.run(1) == [(46, AlarmKind.JAMMING, False)]


def test_half_of_the_nodes_lost_over_hours_is_not_jamming() -> None:
    ground = Field()
    for node in ("n1", "n2", "n3", "n5", "n6"):
        ground.lost.add(node)
        assert ground.run(61) == []


def test_sector_whose_last_node_is_lost_is_told_and_found_again() -> None:
    ground = Field()
    told = []
    for node in NODES[:4]:
        ground.lost.add(node)
        told += ground.run(61)
    assert told == [(3 * 61, AlarmKind.SECTOR_LOST, True)]
    ground.lost.discard("n2")
    assert ground.run(1) == [(4 * 61, AlarmKind.SECTOR_LOST, False)]


def test_sector_within_the_jammed_site_is_not_told_twice() -> None:
    ground = Field(lost=set(NODES))
    assert ground.run(90) == [(0, AlarmKind.JAMMING, True)]


def test_coverage_survives_the_store_unchanged() -> None:
    ground = Field(broken={"n1", "n2"})
    ground.run(40)
    ground.lost = set(NODES[:4])
    ground.run(2)
    again = text.parse_json(text.format_json(ground.state), Coverage)
    assert of_site(again, RULES) == ground.state


def test_coverage_with_the_clock_set_back_goes_on() -> None:
    ground = Field(broken={"n1", "n2"})
    ground.run(40)
    ground.second = -1_000_000
    ground.broken.clear()
    assert [on for _s, _kind, on in ground.run(100)] == [False]
    ground.broken = {"n1", "n2"}
    assert [on for _s, _kind, on in ground.run(60)] == [True]
