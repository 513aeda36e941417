# SPDX-License-Identifier: MIT
"""Truth against alarms: each alarm is counted once, under its cause."""

from __future__ import annotations

from typing import Any

from tools.score.crossings import crossing_facts
from tools.score.truth import Point

NODES = {"n01": Point(0, 0), "n02": Point(25, 0), "n09": Point(500, 0)}


def walker(name: str, start_s: float, class_name: str = "person") -> dict[str, Any]:
    """An actor that walks over the line at x = 10 within 60 s, 1 m/s."""
    path = [[start_s, 10, -30], [start_s + 60, 10, 30]]
    return {"id": name, "class": class_name, "count": 1, "detail": "", "path": path}


def truth(*actors: dict[str, Any]) -> dict[str, Any]:
    """A truth in which each actor crosses half-way."""
    over = [
        {"actor": actor["id"], "class": actor["class"], "t_s": actor["path"][0][0] + 30}
        for actor in actors
    ]
    return {"version": 1, "actors": list(actors), "crossings": over}


def alarm(t_s: float, *nodes: str) -> dict[str, Any]:
    """An alarm line with the keys that are read here."""
    return {"type": "alarm", "id": round(t_s), "t_s": t_s, "nodes": list(nodes), "class": "person"}


def test_score_alarm_during_crossing_counts_it_with_its_delay() -> None:
    result = crossing_facts(truth(walker("a", 0)), NODES, [alarm(6, "n01", "n02")], 100)
    assert result["crossings"] == 1
    assert result["crossings_alarmed"] == 1
    assert result["false_alarms"] == 0
    # sqrt(30^2 - 10^2) = 28.3 m from the line, 1.7 s after the start: the first half second after
    assert result["first_alert_s_p50"] == 4.0


def test_score_alarm_without_cause_is_false() -> None:
    alarms = [alarm(200, "n01"), alarm(30, "n09")]
    result = crossing_facts(truth(walker("a", 0)), NODES, alarms, 300)
    assert result["crossings_alarmed"] == 0
    assert result["false_alarms"] == 2
    assert result["first_alert_s_p50"] is None


def test_score_second_alarm_on_a_crossing_is_a_repeat() -> None:
    result = crossing_facts(truth(walker("a", 0)), NODES, [alarm(6, "n01"), alarm(40, "n02")], 100)
    assert result["crossings_alarmed"] == 1
    assert result["repeated_alarms"] == 1
    assert result["false_alarms"] == 0


def test_score_two_walkers_at_once_take_an_alarm_each() -> None:
    both = truth(walker("a", 0), walker("b", 20))
    result = crossing_facts(both, NODES, [alarm(6, "n01"), alarm(40, "n02")], 100)
    assert result["crossings"] == 2
    assert result["crossings_alarmed"] == 2
    assert result["repeated_alarms"] == 0


def test_score_animal_is_a_nuisance_and_no_crossing() -> None:
    result = crossing_facts(truth(walker("fox", 0, "animal")), NODES, [alarm(30, "n01")], 100)
    assert result["crossings"] == 0
    assert result["nuisance_alarms"] == 1
    assert result["false_alarms"] == 0


def test_score_crossing_after_the_end_is_not_expected() -> None:
    result = crossing_facts(truth(walker("a", 0), walker("b", 80)), NODES, [alarm(6, "n01")], 100)
    assert result["crossings"] == 1
    assert result["crossings_alarmed"] == 1
