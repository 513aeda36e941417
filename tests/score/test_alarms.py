# SPDX-License-Identifier: MIT
"""Which alarm answers which actor: on hard ground the first node to detect may be a far one."""

from __future__ import annotations

from typing import Any

from tools.score.alarms import mark
from tools.score.truth import Point, read_truth

NODES = {"near": Point(0, 0), "far": Point(90, 0)}
WALK = {"id": "w", "class": "person", "count": 1, "path": [[0, 0, -60], [100, 0, 60]]}
TRUTH = read_truth({"version": 1, "actors": [WALK]}, NODES, 200, "take")


def line(
    kind: str, t_s: float, *nodes: str, number: int = 1, name: str = "person"
) -> dict[str, Any]:
    stated = {"class": name, "confidence": 0.9}
    return {"type": kind, "id": number, "t_s": t_s, "nodes": list(nodes), **stated}


def test_alarm_of_a_far_node_counts_once_it_names_a_near_one() -> None:
    marks = mark(TRUTH, NODES, [line("alarm", 40, "far"), line("alarm_update", 50, "far", "near")])
    assert set(marks.hits) == marks.later == {"w"} and not marks.repeated


def test_alarm_of_a_far_node_alone_answers_no_actor() -> None:
    marks = mark(TRUTH, NODES, [line("alarm", 40, "far"), line("alarm_update", 50, "far")])
    assert not marks.hits and not marks.later and marks.repeated == 1


def test_alarm_of_a_near_node_needs_no_update() -> None:
    marks = mark(TRUTH, NODES, [line("alarm", 40, "near"), line("alarm", 60, "near", number=2)])
    assert set(marks.hits) == {"w"} and not marks.later and marks.repeats["w"] == 1


def test_class_of_an_alarm_is_the_one_that_it_stated_last() -> None:
    lines = [line("alarm", 40, "near", name="group"), line("alarm_update", 50, "near")]
    assert mark(TRUTH, NODES, lines).names == {"w": "person"}


def test_class_of_an_alarm_with_no_cause_counts_as_unwanted() -> None:
    marks = mark(TRUTH, NODES, [line("alarm", 190, "far", name="digging")])
    assert marks.names == {} and marks.unwanted == {"digging": 1} and marks.false == [190]
