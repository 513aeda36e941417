# SPDX-License-Identifier: MIT
"""What counts as quiet, what each detection was, and which of them a new threshold would remove."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.alarms import AlarmRules
from gateway.alarms.schedule import Schedule, parse_windows
from gateway.model.actions.overrides import Mask, Override, Purpose, Walk
from gateway.model.alarm import Alarm, AlarmKind, Disposition
from gateway.model.detection import ActivityId
from gateway.model.target import TargetClass
from gateway.tuning.activity import Activity, onset_limits, passes
from gateway.tuning.bounds import DAY_US, HOUR_US
from gateway.tuning.measure import Records, measure
from gateway.tuning.overrides import Overrides
from gateway.tuning.propose import Action
from gateway.tuning.report import NodeQuiet, Tuning
from gateway.tuning.timeline import Timeline

DAYS = 14
FROM_US = 1_790_035_200 * 1_000_000  # a midnight, UTC
UNTIL_US = FROM_US + DAYS * DAY_US


def activity(hour: float, peak_pct: int = 66, node: str = "n01", first_pct: int = 64) -> Activity:
    onset_us = FROM_US + int(hour * HOUR_US)
    name = ActivityId(node, 1, int(hour * 3_600_000))
    return Activity(name, onset_us, onset_us + 1, TargetClass.PERSON, first_pct, peak_pct)


def alarm(number: int, of: Activity, disposition: Disposition | None, **more: Any) -> Alarm:
    fields: dict[str, Any] = {
        "id": number,
        "kind": AlarmKind.INTRUSION,
        "key": f"e{number}",
        "priority": 1,
        "raised_us": of.onset_us + 5_000_000,
        "changed_us": of.onset_us,
        "active": False,
        "acknowledged": True,
        "nodes": (of.id.node,),
        "sectors": ("west",),
        "reasons": (),
        "detections": (of.id,),
        "disposition": disposition,
    }
    return Alarm(**{**fields, **more})


def records(*activities: Activity, **more: Any) -> Records:
    listened = {("n01", (FROM_US // HOUR_US) + h): 3600.0 for h in range(24 * DAYS)}
    given: dict[str, Any] = {
        "sector_of": {"n01": "west"},
        "activities": activities,
        "listened_s": listened,
        "thresholds": {"n01": Timeline([(0, 0)])},
        "overrides": Overrides(rules=[(0, AlarmRules({"n01": "west"}))]),
    }
    return Records(FROM_US, UNTIL_US, **{**given, **more})


def quiet(given: Records) -> NodeQuiet:
    return measure(given, UTC).nodes[0]


def noise(count: int) -> list[Activity]:
    return [activity(1 + 24 * DAYS * n / (count + 1)) for n in range(count)]


def test_quiet_of_nothing_is_measured_by_its_exposure() -> None:
    found = quiet(records())
    assert (found.listened_h, found.quiet_h, found.unwanted) == (336.0, 336.0, 0)
    assert found.per_day[0] == 0.0
    assert found.per_day[2] == pytest.approx(3.689 / 14, abs=1e-3)
    assert sum(found.quiet_by_hour_h) == 336.0


@pytest.mark.parametrize(
    ("disposition", "counted"),
    [
        (Disposition.UNKNOWN, ("false", "unwanted")),
        (Disposition.WEATHER, ("false", "unwanted")),
        (Disposition.ANIMAL, ("animal",)),
        (Disposition.PERSON, ("confirmed",)),
        (Disposition.VEHICLE, ("confirmed",)),
        (Disposition.OWN_PATROL, ("confirmed",)),
        (Disposition.TEST, ("confirmed",)),
        (None, ("unassessed",)),
    ],
)
def test_detection_of_an_alarm_counts_as_the_operator_assessed_it(
    disposition: Disposition | None, counted: tuple[str, ...]
) -> None:
    one = activity(30.5)
    found = quiet(records(one, alarms=[alarm(1, one, disposition)]))
    names = ("false", "unconfirmed", "unwanted", "animal", "confirmed", "unassessed")
    assert {name for name in names if getattr(found, name)} == set(counted)


def test_hours_in_which_people_cannot_be_separated_from_noise_do_not_count() -> None:
    times = [activity(hour + 0.5) for hour in range(10, 24 * DAYS, 24)]
    alarms = [alarm(1, times[0], None), alarm(2, times[1], Disposition.PERSON)]
    at_us = FROM_US + 58 * HOUR_US
    windows = parse_windows("mon-sun 00:00-20:00")
    schedule = Schedule(ZoneInfo("UTC"), windows, "")
    overrides = Overrides(
        walks={1: Walk(1, Purpose.PATROL, "Ben", "eva", at_us, at_us + HOUR_US, ("west",), 1)},
        masks={2: Mask(2, "eva", "cows", at_us + DAY_US, at_us + DAY_US + 1, (), ("n01",))},
        overrides={3: Override(3, "west", False, "eva", "fair", at_us + 2 * DAY_US,
                               at_us + 2 * DAY_US + HOUR_US)},
        rules=[(0, AlarmRules({"n01": "west"}, {"west": schedule}))],
    )  # fmt: skip
    found = quiet(records(*times, alarms=alarms, overrides=overrides))
    assert found.excluded_h == {
        "alarm not assessed": 1.0,
        "masked": 1.0,
        "authorised activity": 1.0,
        "people or vehicles confirmed": 1.0,
        "sector disarmed": 4 * 14 + 1.0,
    }
    assert found.quiet_h == 336 - 61
    # Of fourteen detections one each in these hours: the others are unconfirmed.
    assert (found.unconfirmed, found.unwanted) == (9, 9)
    assert (found.confirmed, found.unassessed) == (2, 1)


def test_alarms_that_no_one_assessed_leave_no_hour_to_tune_on() -> None:
    times = [activity(hour + 0.5) for hour in range(24 * DAYS)]
    alarms = [alarm(n + 1, one, None) for n, one in enumerate(times)]
    found = quiet(records(*times, alarms=alarms))
    assert (found.quiet_h, found.unwanted, found.unassessed) == (0.0, 0, 336)
    assert found.proposal.why == "too little quiet (0 of 72 hours)"
    assert found.excluded_h == {"alarm not assessed": 336.0}


def test_detections_without_heartbeats_are_left_out() -> None:
    given = records(activity(5.5), activity(6.5))
    hours = {key: 1800.0 for key in given.listened_s if key[1] != FROM_US // HOUR_US + 5}
    found = quiet(replace(given, listened_s=hours))
    assert (found.no_exposure, found.unwanted, found.quiet_h) == (1, 1, 167.5)


def test_only_time_at_the_present_threshold_counts() -> None:
    changed_us = FROM_US + 7 * DAY_US + 1
    line = Timeline([(0, 0), (changed_us, 5), (changed_us + 9, 5)])
    found = quiet(records(*noise(140), thresholds={"n01": line}))
    assert (found.threshold_x10, found.since_us) == (5, changed_us)
    assert found.listened_h == 7 * 24 - 1  # the hour of the change belongs to neither
    assert 60 < found.unwanted < 71


def test_raise_names_each_confirmed_detection_that_would_have_been_lost() -> None:
    people = [activity(20, 68), activity(44, 69), activity(68, 90)]
    alarms = [alarm(n + 1, one, Disposition.PERSON) for n, one in enumerate(people)]
    bad = noise(100)
    alarms += [alarm(n + 10, one, Disposition.UNKNOWN) for n, one in enumerate(bad)]
    found = quiet(records(*people, *bad, alarms=alarms))
    proposal = found.proposal
    assert (proposal.action, proposal.threshold_x10) == (Action.RAISE, 5)
    # An onset at 64 is the limit; a step of 5 tenths is 4 points.
    assert [(one.confidence_pct, one.because) for one in proposal.lost] == [(68, "alarm 1: person")]
    assert proposal.removed == found.unwanted


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(1, 100))
def test_more_false_detections_never_lower_the_proposed_threshold(few: int, more: int) -> None:
    def proposed(count: int) -> int:
        bad = noise(300)[:count]
        alarms = [alarm(n + 1, one, Disposition.UNKNOWN) for n, one in enumerate(bad)]
        threshold = quiet(records(*bad, alarms=alarms)).proposal.threshold_x10
        assert threshold is not None
        return threshold

    assert proposed(few) <= proposed(few + more)


@settings(deadline=None)
@given(st.integers(50, 97), st.integers(50, 97), st.integers(-10, 20), st.integers(0, 20))
def test_detection_that_passes_a_threshold_passes_every_lower_one(
    first: int, peak: int, threshold: int, lower_by: int
) -> None:
    one = activity(1, max(first, peak), first_pct=first)
    limits = onset_limits([one], {"n01": Timeline([(0, 0)])})
    if passes(one, threshold, limits):
        assert passes(one, threshold - lower_by, limits)


def test_limit_of_a_class_is_that_of_any_node_less_its_threshold() -> None:
    lines = {"n01": Timeline([(0, 10)]), "n02": Timeline([(0, 0)]), "n03": Timeline([(0, None)])}
    found = onset_limits(
        [
            activity(1, first_pct=73),
            activity(2, node="n02", first_pct=66),
            activity(3, node="n03", first_pct=50),
            activity(4, node="n04", first_pct=50),
        ],
        lines,
    )
    assert found == {TargetClass.PERSON: 65.0}


def tuning(until_us: int | None, after_x10: int = 5) -> Tuning:
    return Tuning(
        node="n01",
        before_x10=0,
        after_x10=after_x10,
        base_x10=0,
        by="ben",
        who="",
        reason="pump",
        at_us=FROM_US + DAY_US,
        until_us=until_us,
        command_id=1,
    )


def test_tuning_that_is_over_is_proposed_to_go_back() -> None:
    line = {"n01": Timeline([(0, 0), (FROM_US + DAY_US, 5)])}
    over = quiet(records(thresholds=line, tunings=[tuning(UNTIL_US)]))
    assert (over.proposal.action, over.proposal.threshold_x10) == (Action.RETURN, 0)
    in_force = quiet(records(thresholds=line, tunings=[tuning(UNTIL_US + 1)]))
    assert in_force.tuning == tuning(UNTIL_US + 1)
    assert in_force.proposal.action is not Action.RETURN
    for other in (tuning(UNTIL_US, after_x10=7), tuning(None)):
        found = quiet(records(thresholds=line, tunings=[tuning(UNTIL_US), other]))
        assert found.proposal.action is not Action.RETURN


def test_timeline_of_statements_in_any_order_is_sorted() -> None:
    line = Timeline([(30, 5), (10, 0), (20, 0), (40, 5)])
    assert [line.at(t) for t in (0, 10, 29, 30, 99)] == [0, 0, 0, 5, 5]
    assert (line.now, line.changed_us) == (5, 30)
    assert (Timeline([]).now, Timeline([]).at(1), Timeline([]).changed_us) == (None, None, None)
