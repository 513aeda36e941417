# SPDX-License-Identifier: MIT
"""What no node could classify: an alarm if it moves from node to node, else an observation."""

from __future__ import annotations

import random

import pytest

from gateway.fusion import FusionState, step
from gateway.fusion.evidence.order import in_order
from gateway.fusion.evidence.passages import passages
from gateway.fusion.rules import Rules
from gateway.model.detection import Detection
from gateway.model.event import Event
from gateway.model.place.site import Site
from gateway.model.target import TargetClass
from gateway.model.view import view_track
from tests.fusion.scenes import activity, in_time
from tests.fusion.walkers import Ground, S, alarmed, detections, line, run, walk

SITE = line()
UNKNOWN, PERSON = TargetClass.UNKNOWN, TargetClass.PERSON


def car(site: Site, speed_m_s: float = 10.0, names: tuple[str, ...] = ()) -> list[Detection]:
    """Each node from 3 s before it passes until 6 s after, loudest as it passes."""
    found = []
    for name in names or tuple(site.nodes)[:4]:
        passes_s = 20 + site.nodes[name].x_m / speed_m_s
        found.append(activity(site, name, passes_s - 3, (2.0, 9.0, 1.0)))
    return in_time(*found)


def merged(given: list[Detection]) -> Event:
    """The one event that all of these make, whatever the order of their arrival."""
    rules = Rules(silence_us=10**9, ended_us=10**9, stale_us=10**10)
    now_us, state = max(one.arrival_us for one in given), FusionState()
    for one in given:
        state, _ = step(state, SITE, rules, now_us, one)
    state, _ = step(state, SITE, rules, now_us + S, None)
    (event,) = state.events
    return event


@pytest.mark.parametrize("speed_m_s", [3.0, 6.0, 10.0, 15.0])
def test_unclassified_activities_of_four_nodes_in_order_are_an_alarm_with_the_reason(
    speed_m_s: float,
) -> None:
    (event,) = alarmed(run(SITE, car(SITE, speed_m_s)))
    assert event.target is UNKNOWN
    assert event.corroborated
    assert any(
        reason.startswith("four nodes in order at ") and reason.endswith(": something moves")
        for reason in event.reasons
    )


def test_unclassified_walk_along_the_line_is_an_alarm() -> None:
    given = detections(SITE, walk((-40, 6), (215, 9)), 230, 1, Ground(), UNKNOWN)
    (event,) = alarmed(run(SITE, given))
    assert event.target is UNKNOWN and any("in order" in one for one in event.reasons)


def test_order_of_arrival_changes_nothing_of_the_result() -> None:
    given = car(SITE)
    found = []
    for seed in range(4):
        mixed = list(given)
        random.Random(seed).shuffle(mixed)
        event = merged(mixed)
        found.append((event.confirmed, event.target, event.confidence, event.reasons))
    assert len(set(found)) == 1 and found[0][0]


def test_two_nodes_in_order_are_an_alarm_only_with_a_pir() -> None:
    given = car(SITE, 4.0, ("n01", "n02"))
    assert alarmed(run(SITE, given)) == []
    seen = in_time(
        activity(SITE, "n01", 17, (2.0, 9.0, 1.0), pir=2),
        activity(SITE, "n02", 17 + 25 / 4, (2.0, 9.0, 1.0)),
    )
    (event,) = alarmed(run(SITE, seen))
    assert any("two nodes in order" in reason for reason in event.reasons)


def test_unclassified_activity_of_one_node_for_ten_minutes_is_no_alarm_and_is_an_event() -> None:
    given = activity(SITE, "n03", 0, [4.0] * 120, confidence=0.95, pir=1)
    (versions,) = run(SITE, given)
    assert not any(one.confirmed for one in versions)
    assert versions[-1].target is UNKNOWN and versions[-1].nodes == ("n03",)
    assert len(versions) > 50  # each report is a change that is published


def test_unclassified_activity_again_and_again_at_one_node_is_no_alarm() -> None:
    given = in_time(*(activity(SITE, "n03", 60.0 * n, (4.0, 3.0)) for n in range(12)))
    events = run(SITE, given)
    assert len(events) == 12 and alarmed(events) == []


def test_nodes_that_report_often_what_nothing_confirms_count_half_in_an_order() -> None:
    given = passages_of(car(SITE))
    assert in_order(SITE, given) is not None
    assert in_order(SITE, given, worth=dict.fromkeys(SITE.nodes, 0.5)) is None


def passages_of(given: list[Detection]) -> tuple:
    return passages(merged(given).activities)


def test_unclassified_neighbour_of_a_classified_activity_supports_it() -> None:
    named = activity(SITE, "n03", 20, (3.0, 4.0, 3.0), PERSON, confidence=0.6)
    alone = merged(named)
    both = merged(in_time(named, activity(SITE, "n04", 26, (2.0, 3.0, 2.0))))
    assert both.target is PERSON
    assert both.confidence > alone.confidence
    assert any("did not classify" in reason for reason in both.reasons)


def test_event_of_a_class_takes_in_nothing_of_another_through_an_unclassified_activity() -> None:
    walker = activity(SITE, "n03", 20, (3.0, 4.0, 3.0), PERSON)
    unnamed = activity(SITE, "n04", 24, (3.0, 4.0, 3.0))
    driven = activity(SITE, "n05", 26, (30.0, 40.0, 30.0), TargetClass.VEHICLE)
    events = run(SITE, in_time(walker, unnamed, driven))
    for versions in events:
        classes = {one.target for one in versions[-1].activities}
        assert not {PERSON, TargetClass.VEHICLE} <= classes


def test_unclassified_event_is_in_the_picture_as_a_track_with_its_class() -> None:
    given = activity(SITE, "n03", 0, [4.0] * 3)[:2]
    track = view_track(SITE, merged(given))
    assert track.target is UNKNOWN and not track.confirmed and track.nodes == ("n03",)
