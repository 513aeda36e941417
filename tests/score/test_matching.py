# SPDX-License-Identifier: MIT
"""Which report answers which pass, which repeats and which is false."""

from __future__ import annotations

from typing import Any

import pytest

from tools.errors import UserError
from tools.score.alarms import mark, quiet_spans
from tools.score.matching import Activity, match
from tools.score.truth import Point, Truth, label, merged, outside, read_truth

NODES = {"n01": Point(0, 0), "n02": Point(25, 0)}


def actor(name: str, kind: str = "person", start_s: float = 1000, x_m: float = 0) -> dict[str, Any]:
    # 200 s at 1.2 m/s from 120 m south to 120 m north: within 60 m of n01 from 50 to 150 s
    path = [[start_s, x_m, -120], [start_s + 200, x_m, 120]]
    return {"id": name, "class": kind, "count": 1, "path": path}


def truth_of(*actors: dict[str, Any], **more: Any) -> Truth:
    given = {"version": 1, "duration_s": 4000, "actors": list(actors), **more}
    return read_truth(given, NODES, 4000.0, "test")


def reported(start_s: float, end_s: float, node: str = "n01", kind: str = "person") -> Activity:
    return Activity(node, start_s, end_s, start_s + 2, kind, 80)


def counts(truth: Truth, *activities: Activity) -> tuple[int, int, int]:
    found = match(truth, activities)
    return len(found.hits), len(found.repeated), len(found.false)


@pytest.mark.parametrize(
    ("start_s", "end_s", "expected"),
    [
        (1090, 1110, (1, 0, 0)),  # over the closest approach at 1100 s
        (1060, 1080, (1, 0, 0)),  # wholly within reach
        (1040, 1060, (1, 0, 0)),  # exactly half of it
        (1030, 1059, (0, 1, 0)),  # less than half: an actor was present, but not yet near
        (1190, 1205, (0, 1, 0)),  # leaving
        (1102.9, 1102.9, (1, 0, 0)),  # without length
        (1000, 1097.1, (1, 0, 0)),  # up to 3 s before the closest approach
        (700, 1096.9, (0, 1, 0)),  # mostly before an actor came
        (300, 320, (0, 0, 1)),  # no actor for ten minutes
        (1215, 1230, (0, 0, 1)),  # long gone
    ],
)
def test_match_of_one_activity_depends_on_when_it_was(
    start_s: float, end_s: float, expected: tuple[int, int, int]
) -> None:
    assert counts(truth_of(actor("a")), reported(start_s, end_s)) == expected


def test_match_at_a_node_knows_nothing_of_other_nodes() -> None:
    truth = truth_of(actor("a"))
    found = match(truth, [reported(1090, 1110, "n02")])
    assert [one.node for one, _ in found.hits] == ["n02"]


def test_match_two_activities_on_one_pass_gives_one_hit_and_one_repetition() -> None:
    truth = truth_of(actor("a"))
    found = match(truth, [reported(1060, 1070), reported(1098, 1120)])
    assert [activity.start_s for _, activity in found.hits] == [1098]
    assert [activity.start_s for activity in found.repeated] == [1060]


def test_match_one_activity_over_two_at_once_answers_both() -> None:
    truth = truth_of(actor("a"), actor("b", start_s=1010))
    assert counts(truth, reported(1060, 1150)) == (2, 0, 0)


def test_match_one_activity_before_the_second_one_is_near_answers_one() -> None:
    truth = truth_of(actor("a"), actor("b", start_s=1040))
    assert counts(truth, reported(1060, 1130)) == (1, 0, 0)


def test_match_two_activities_on_two_passes_are_shared_out() -> None:
    truth = truth_of(actor("a"), actor("b", start_s=1060))
    found = match(truth, [reported(1095, 1105), reported(1155, 1165)])
    assert {one.actor: activity.start_s for one, activity in found.hits} == {"a": 1095, "b": 1155}


def test_truth_without_passes_measures_distances_itself() -> None:
    one, other = truth_of(actor("a", x_m=8)).passes
    assert (one.node, one.ring, one.audible) == ("n01", "0-10 m", None)
    assert (other.node, other.ring) == ("n02", "10-20 m")
    assert one.t_cpa_s == pytest.approx(1100, abs=0.5)


def test_truth_with_passes_states_which_actor_was_audible_and_from_when() -> None:
    entry = {"actor": "a", "class": "person", "node": "n01", "t_cpa_s": 1100.0, "distance_m": 8.0}
    truth = truth_of(actor("a", x_m=8), passes=[entry | {"audible": True, "audible_from_s": 1050}])
    one = truth.passes[0]
    assert (one.audible, one.audible_from_s) == (True, 1050)
    # within 30 m later than audible: 28.9 m before the closest approach at 1.2 m/s
    assert one.near_from_s == pytest.approx(1076, abs=0.5)


def test_truth_by_weather_is_split_by_time() -> None:
    wind = {"t0_s": 0, "t1_s": 2000, "kind": "wind_m_s", "level": 10}
    rain = {"t0_s": 1000, "t1_s": 3000, "kind": "rain_mm_h", "level": 4}
    truth = truth_of(conditions=[wind, rain])
    assert [truth.condition(t) for t in (500, 1500, 2500, 3500)] == [
        "wind 8-12 m/s",
        "wind 8-12 m/s, light rain",
        "light rain",
        "calm",
    ]


def test_truth_of_nuisances_is_a_condition_of_its_own() -> None:
    thunder = {"t0_s": 100, "t1_s": 140, "kind": "thunder", "level": 900, "id": "storm"}
    quiet = {"t0_s": 0, "t1_s": 4000, "kind": "ambient_nm_s", "level": 80}
    truth = truth_of(conditions=[thunder, quiet])
    assert [truth.condition(t) for t in (50, 120, 150)] == ["calm", "thunder", "calm"]


def test_truth_of_a_dead_node_or_a_cut_geophone_has_no_pass_after_the_fault() -> None:
    faults = [{"node": "n01", "dead_from_s": 900}, {"node": "n02", "deaf_from_s": 1900}]
    truth = truth_of(actor("a"), actor("b", start_s=2000), faults=faults)
    assert [(one.actor, one.node) for one in truth.passes] == [("a", "n02")]
    assert outside(truth.causes("n01"), (0, 4000)) == [(0, 900)]


@pytest.mark.parametrize(
    "given", [{}, {"actors": [{"id": "a"}]}, {"actors": [{"id": "a", "class": "x", "path": []}]}]
)
def test_truth_that_is_damaged_is_one_line(given: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"truth\.json is invalid"):
        read_truth(given, NODES, 10.0, "walk")
    with pytest.raises(UserError, match="walk: has no truth.json"):
        read_truth(None, NODES, 10.0, "walk")


def test_truth_counts_a_sneaker_apart_and_a_truck_from_far_away_as_a_cause() -> None:
    assert label(actor("a") | {"detail": "sneaker"}) == "person (sneaker)"
    assert label(actor("a") | {"detail": "walker"}) == "person"
    truck = truth_of(actor("truck", "vehicle", x_m=-300))
    assert truck.causes("n01")[0][0] == 1000
    assert not truth_of(actor("a", x_m=-300)).passes


def test_spans_merge_and_leave_the_rest() -> None:
    spans = merged([(5, 7), (1, 3), (2, 4)])
    assert spans == [(1, 4), (5, 7)]
    assert outside(spans, (0, 6)) == [(0, 1), (4, 5)]
    assert outside([], (0, 6)) == [(0, 6)]


def alarm(t_s: float, *nodes: str, number: int = 1, **more: float) -> dict[str, Any]:
    return {
        "type": "alarm",
        "id": number,
        "t_s": t_s,
        "nodes": list(nodes),
        "class": "person",
        **more,
    }


def test_alarms_are_hit_repeated_nuisance_or_false() -> None:
    truth = truth_of(actor("a"), actor("dog", "animal", start_s=2000))
    lines = [
        alarm(1090, "n01", number=1),
        alarm(1120, "n02", number=2),
        alarm(2100, "n01", number=3),
        alarm(3000, "n01", number=4),
    ]
    marks = mark(truth, NODES, lines)
    assert list(marks.hits) == ["a"]
    assert (marks.repeated, marks.nuisance, marks.false) == (1, 1, [3000.0])


def test_alarm_on_an_actor_beyond_reach_is_no_hit_and_not_false() -> None:
    marks = mark(truth_of(actor("a", x_m=-100)), NODES, [alarm(1100, "n01")])
    assert (marks.hits, marks.repeated, marks.false) == ({}, 1, [])


def test_alarm_on_an_actor_beyond_reach_is_a_hit_once_it_names_a_node_within_reach() -> None:
    truth = truth_of(actor("a", x_m=-70))
    first = alarm(1100, "n02")
    named = {**alarm(1110, "n02", "n01"), "type": "alarm_update"}
    assert list(mark(truth, {"n01": Point(-50, 0), "n02": Point(25, 0)}, [first, named]).hits) == [
        "a"
    ]
    other = {**named, "id": 2}
    assert not mark(truth, {"n01": Point(-50, 0), "n02": Point(25, 0)}, [first, other]).hits


def test_alarm_claims_are_measured_against_the_walk() -> None:
    truth = truth_of(actor("a"))
    update = alarm(1110, "n01", "n02", direction_deg=350.0, speed_m_s=1.5) | {
        "type": "alarm_update"
    }
    marks = mark(truth, NODES, [alarm(1100, "n01", x_m=3.0, y_m=4.0), update])
    assert marks.location_m == [pytest.approx(5, abs=0.5)]
    assert marks.direction_deg == [pytest.approx(10)]  # the actor walks north
    assert marks.speed_share == [pytest.approx(0.25)]
    assert marks.after_near_s == [pytest.approx(25, abs=0.5)]


def test_quiet_spans_of_a_line_end_before_and_start_after_an_actor() -> None:
    (before, after) = quiet_spans(truth_of(actor("a")))
    assert before[0] == 0 and before[1] <= 1000
    assert 1200 < after[0] <= 1221 and after[1] == 4000
