# SPDX-License-Identifier: MIT
"""When events are evaluated, that JSON between any two steps changes nothing, and failing fits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.fusion import HANDLED, FusionState, step
from gateway.model import text
from gateway.model.detection import Detection
from gateway.model.event import Event
from gateway.model.footfalls import Footfalls
from gateway.model.observation import (
    Claim,
    ClaimKind,
    Contact,
    Covariance,
    NoiseFloor,
    Observation,
    Plot,
    Presence,
)
from gateway.model.place.site import Site
from gateway.model.target import Phase, TargetClass
from tests.fusion.walkers import FLOOR_UM_S, RULES, T0, Ground, S, detections, line, walk

SITE = line()
REPORTS = detections(SITE, walk((88, -55), (92, 55)), 100, 3, Ground(louder_db=6))


def stepped(
    given: list[tuple[int, Observation | None]], site: Site = SITE, as_json: bool = False
) -> tuple[FusionState, list[tuple[Event, ...]]]:
    """The last state and what each step changed; through JSON between steps if so."""
    state, changes = FusionState(), []
    for now_us, one in given:
        state, changed = step(state, site, RULES, now_us, one)
        if as_json:
            state = text.parse_json(text.format_json(state), FusionState)
        changes.append(changed)
    return state, changes


def burst() -> list[tuple[int, Observation | None]]:
    """All reports of a crossing within a second of arrival each, four times too fast to evaluate
    each; floors, ticks and other sensors between."""
    given: list[tuple[int, Observation | None]] = []
    for name in SITE.nodes:
        given.append((T0, NoiseFloor(name, T0, FLOOR_UM_S)))
    for number, one in enumerate(REPORTS):
        now_us = one.arrival_us
        given.append((now_us, replace(one, arrival_us=now_us)))
        error = Covariance.of_error(6.0)
        if number % 5 == 0:
            given.append((now_us + 1000, Plot("radar1", now_us, 90.0, 0.0, error, "1")))
            given.append((now_us + 2000, Contact("tak", now_us, 80.0, 0.0, error, "blue1")))
            given.append((now_us + 3000, Presence("pir9", now_us, 88.0, 5.0, 12.0)))
        if number % 2:
            given.append((now_us + 400_000, None))
    return sorted(given, key=lambda item: item[0])


def test_state_written_as_json_between_any_two_steps_changes_nothing() -> None:
    plain, changes = stepped(burst())
    again, changes_again = stepped(burst(), as_json=True)
    assert changes == changes_again and plain == again
    assert any(event.pending for event in plain.events) or any(changes)
    assert any(event.presences and event.plots and event.own for c in changes for event in c)


def test_reports_within_the_interval_are_merged_at_once_and_evaluated_by_the_next_tick() -> None:
    first = [one for one in REPORTS if one.node == REPORTS[0].node][:3]
    state, changes = stepped([(T0 + number, one) for number, one in enumerate(first)])
    assert [len(changed) for changed in changes] == [1, 0, 0]
    (event,) = state.events
    assert event.pending and event.activities[0].reports == 3
    assert event.last_us == first[-1].report_us
    state, (evaluated,) = step(state, SITE, RULES, T0 + S, None)
    assert not evaluated.pending and evaluated.evaluated_us == T0 + S
    assert step(state, SITE, RULES, T0 + 2 * S, None) == (state, ())


def test_report_after_the_interval_is_evaluated_at_once() -> None:
    first, second, *_ = REPORTS
    late_us = T0 + RULES.evaluate_us
    _, changes = stepped([(T0, first), (late_us, replace(second, arrival_us=late_us))])
    assert [len(changed) for changed in changes] == [1, 1]


def test_clock_set_back_does_not_delay_an_evaluation() -> None:
    first, second = [one for one in REPORTS if one.node == REPORTS[0].node][:2]
    _, changes = stepped([(T0 + 30 * S, first), (T0, second)])
    assert [len(changed) for changed in changes] == [1, 1]


def test_second_node_is_evaluated_in_its_own_step_and_confirmed_when_it_is_no_shock() -> None:
    onsets = [one for one in REPORTS if one.phase is Phase.ONSET]
    first, second = next(
        (a, b)
        for a, b in zip(onsets, onsets[1:], strict=False)
        if b.onset_us - a.onset_us <= 15 * S
    )
    now_us, settled_us = second.arrival_us, second.onset_us + RULES.settle_us
    given: list[tuple[int, Observation | None]] = [(now_us, first), (now_us + 1, second)]
    # Without a heartbeat no other node is known to listen: nothing is waited for.
    _, changes = stepped(given)
    assert [event.confirmed for event in changes[-1]] == [True]
    floors = [(now_us, NoiseFloor(name, now_us, FLOOR_UM_S)) for name in SITE.nodes]
    # A report of steps comes so late after their onset that it hardly waits.
    assert second.arrival_us - second.onset_us >= RULES.settle_gait_us
    _, changes = stepped([*floors, *given])
    assert [(event.confirmed, event.corroborated) for event in changes[-1]] == [(True, True)]
    first, second = (replace(one, target=TargetClass.VEHICLE) for one in (first, second))
    given = [(now_us, first), (now_us + 1, second)]
    _, changes = stepped([*floors, *given])
    assert [(event.confirmed, event.corroborated) for event in changes[-1]] == [(False, True)]
    _, changes = stepped([*floors, *given, (settled_us, None)])
    assert [event.confirmed for event in changes[-1]] == [True]


def test_pending_event_that_falls_silent_is_evaluated_before_it_closes() -> None:
    reports = [one for one in REPORTS if one.node == REPORTS[0].node][:2]
    sure = replace(reports[1], pir_count=2, confidence=0.9)
    state, _ = stepped([(T0, reports[0]), (T0 + 1, sure)])
    assert state.events[0].pending and not state.events[0].confirmed
    # The next step comes long after: no tick was between.
    stranger = replace(reports[0], activity=type(sure.activity)("n08", 1, 5))
    state, changed = step(state, SITE, RULES, T0 + 600 * S, stranger)
    mine = [event for event in changed if event.nodes == (reports[0].node,)]
    assert [(event.confirmed, event.closed) for event in mine] == [(True, False), (True, True)]


def test_observation_types_that_are_not_for_fusion_leave_the_state_as_it_is() -> None:
    state, _ = stepped([(T0, REPORTS[0])])
    claim = Claim("partner", T0, 1, ClaimKind.CONFIRMED, "eva")
    assert step(state, SITE, RULES, T0, claim) == (state, ())
    assert set(HANDLED) == {Detection, Footfalls, NoiseFloor, Plot, Presence, Contact}


def test_event_whose_fit_fails_is_confirmed_without_a_path_and_counted() -> None:
    # No deviation at all of a path's loss: the estimator divides by it.
    broken = replace(SITE, ground=replace(SITE.ground, path_db=0.0))
    state, changes = stepped([(one.arrival_us, one) for one in REPORTS[:12]], broken)
    assert state.failures > 0
    last = next(changed[-1] for changed in reversed(changes) if changed)
    assert last.confirmed and last.fix is None
    assert last.problem == "no place: ZeroDivisionError in the estimator"
    # The next evaluation that works ends the problem.
    state, changed = step(state, SITE, RULES, REPORTS[12].arrival_us + S, REPORTS[12])
    assert [event.problem for event in changed] == [""]


@pytest.mark.parametrize("limit", [1, 2])
def test_events_over_the_bound_are_closed_the_oldest_without_a_node_first(limit: int) -> None:
    rules = replace(RULES, max_open=limit)
    state = FusionState()
    error = Covariance.of_error(3.0)
    state, _ = step(state, SITE, rules, REPORTS[0].arrival_us, REPORTS[0])
    for number in range(3):
        at_us = REPORTS[0].arrival_us
        plot = Plot("radar1", at_us, 5000.0 * (number + 1), 0.0, error, str(number))
        state, _ = step(state, SITE, rules, at_us, plot)
    assert [bool(event.activities) for event in state.events] == [True, False][:limit]
