# SPDX-License-Identifier: MIT
"""A PIR of another system counts like a node's own; authorised persons mark events, hide none."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from gateway.fusion import FusionState, step
from gateway.model.detection import Detection
from gateway.model.event import Event
from gateway.model.observation import Contact, Covariance, NoiseFloor, Observation, Presence
from tests.fusion.walkers import FLOOR_UM_S, RULES, T0, Ground, S, detections, line, walk

SITE = line()
CROSSING = walk((88, -60), (92, 60))
REPORTS = detections(SITE, CROSSING, 90, 3)
NODE = REPORTS[0].node
# One node that is not sure: it raises no alarm by itself.
UNSURE = [replace(one, confidence=0.65) for one in REPORTS if one.node == NODE]
AT_S = (UNSURE[0].arrival_us - T0) / S


def movement(t_s: float, x_m: float, y_m: float) -> Presence:
    return Presence("pir9", T0 + round(t_s * S), x_m, y_m, 12.0)


def patrol(t_s: float, x_m: float, y_m: float, call_sign: str = "blue1") -> Contact:
    return Contact("tak", T0 + round(t_s * S), x_m, y_m, Covariance.of_error(5.0), call_sign)


def played(*given: Observation, until_s: float = 120.0) -> list[Event]:
    """Every version of every event; a tick each second."""
    state, versions = FusionState(), list[Event]()
    for name in SITE.nodes:
        state, _ = step(state, SITE, RULES, T0, NoiseFloor(name, T0, FLOOR_UM_S))
    arriving = sorted(given, key=_arrival_us)
    for second in range(round(until_s)):
        now_us = T0 + second * S
        while arriving and _arrival_us(arriving[0]) <= now_us:
            one = arriving.pop(0)
            state, changed = step(state, SITE, RULES, _arrival_us(one), one)
            versions += changed
        state, changed = step(state, SITE, RULES, now_us, None)
        versions += changed
    return versions


def _arrival_us(one: Observation) -> int:
    return one.arrival_us if isinstance(one, Detection) else one.at_us  # type: ignore[union-attr]  # these have no arrival


@pytest.mark.parametrize("after_s", [-6.0, 2.0])
def test_presence_near_an_event_confirms_it_whether_it_comes_before_or_after(
    after_s: float,
) -> None:
    assert not any(event.confirmed for event in played(*UNSURE))
    node = SITE.nodes[NODE]
    versions = played(*UNSURE, movement(AT_S + after_s, node.x_m + 10, node.y_m))
    (first, *_) = [event for event in versions if event.confirmed]
    assert any("pir9: saw movement" in reason for reason in first.reasons)


@pytest.mark.parametrize(("after_s", "off_m"), [(2.0, 90.0), (-40.0, 10.0)])
def test_presence_of_elsewhere_or_of_another_time_changes_no_event(
    after_s: float, off_m: float
) -> None:
    node = SITE.nodes[NODE]
    versions = played(*UNSURE, movement(AT_S + after_s, node.x_m + off_m, node.y_m))
    assert versions == played(*UNSURE)


def test_presence_alone_is_no_event_and_is_kept_bounded() -> None:
    state = FusionState()
    for number in range(1000):
        one = movement(number / 100, 0.0, 0.0)
        state, changed = step(state, SITE, RULES, one.at_us, one)
        assert changed == ()
    assert state.events == ()
    assert len(state.presences) == RULES.max_recent


def test_presence_draws_the_place_into_its_field_of_view() -> None:
    # On the side that he comes from, which a straight line of nodes cannot know.
    reports = detections(SITE, CROSSING, 90, 3, Ground(louder_db=6))
    seen = [movement(t_s, *CROSSING(t_s)) for t_s in (27.0, 31.0)]
    off_m = {}
    for name, given in (("with", seen), ("without", [])):
        last = next(e for e in reversed(played(*reports, *given, until_s=36)) if e.fix)
        x_m, y_m = CROSSING((last.last_us - T0) / S)
        off_m[name] = math.hypot(last.x_m - x_m, last.y_m - y_m)
    assert off_m["with"] < off_m["without"]


def test_contact_at_an_event_marks_it_and_its_alarm_stands() -> None:
    plain = played(*REPORTS)
    marked = played(*REPORTS, *(patrol(t_s, *CROSSING(t_s)) for t_s in range(20, 80, 10)))
    assert any(event.own == "blue1 (tak)" for event in marked)
    assert [e.confirmed for e in plain if e.closed] == [e.confirmed for e in marked if e.closed]
    assert max(e.confidence for e in plain) == max(e.confidence for e in marked)


def test_contact_known_before_the_event_marks_its_first_version() -> None:
    versions = played(patrol(AT_S - 10, *CROSSING(AT_S - 10)), *UNSURE)
    assert versions[0].own == "blue1 (tak)"


@pytest.mark.parametrize("given", [patrol(40, 500.0, 500.0), patrol(-200, *CROSSING(40))])
def test_contact_of_elsewhere_or_long_ago_marks_nothing(given: Contact) -> None:
    assert not any(event.own for event in played(given, *REPORTS))


def test_contact_that_moves_away_ends_its_mark() -> None:
    here = [patrol(t_s, *CROSSING(t_s)) for t_s in (40.0, 50.0)]
    versions = played(*REPORTS, *here, patrol(60.0, 400.0, 0.0), until_s=75)
    assert [bool(event.own) for event in versions][-1] is False
    assert any(event.own for event in versions)


def test_contacts_kept_are_the_newest_of_each_call_sign() -> None:
    state = FusionState()
    for number in range(300):
        one = patrol(number / 10, 0.0, 0.0, f"blue{number % 150}")
        state, _ = step(state, SITE, RULES, one.at_us, one)
    assert len(state.contacts) == RULES.max_recent
    assert len({one.call_sign for one in state.contacts}) == RULES.max_recent


@pytest.mark.parametrize(
    "given",
    [
        Presence("pir9", T0, math.nan, 0.0, 12.0),
        Presence("pir9", T0, 0.0, 0.0, math.inf),
        Presence("pir9", T0, 0.0, 0.0, 0.0),
        Presence("pir9", T0 + 60 * S, 0.0, 0.0, 12.0),
        Contact("tak", T0, math.inf, 0.0, Covariance.of_error(5.0), "blue1"),
        Contact("tak", T0, 0.0, 0.0, Covariance(-1.0, -1.0), "blue1"),
        Contact("tak", T0 + 60 * S, 0.0, 0.0, Covariance.of_error(5.0), "blue1"),
    ],
)
def test_presence_or_contact_that_is_no_place_or_of_the_future_changes_nothing(
    given: Presence | Contact,
) -> None:
    assert step(FusionState(), SITE, RULES, T0, given) == (FusionState(), ())
