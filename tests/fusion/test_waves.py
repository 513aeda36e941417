# SPDX-License-Identifier: MIT
"""One wave over many nodes is no target, whatever the nodes call it; and what endures is one."""

from __future__ import annotations

import math
import random

import pytest

from gateway.fusion.evidence import wave
from gateway.fusion.evidence.coherence import FAR
from gateway.model.detection import Detection
from gateway.model.event import Event
from gateway.model.place.site import Site
from gateway.model.target import TargetClass
from tests.fusion.scenes import activity, in_time
from tests.fusion.walkers import alarmed, line, run, site_of

SITE = line()
DIGGING, PERSON = TargetClass.DIGGING, TargetClass.PERSON
VEHICLE, UNKNOWN = TargetClass.VEHICLE, TargetClass.UNKNOWN


def shock(
    site: Site,
    speed_m_s: float,
    target: TargetClass,
    jitter_s: float = 0.2,
    peaks: tuple[float, ...] = (20.0, 4.0),
    seed: int = 1,
) -> list[Detection]:
    """A front from the west; coupling of the nodes differs by 3 dB."""
    rng = random.Random(seed)
    found = []
    for name, node in site.nodes.items():
        gain = math.exp(rng.gauss(0, 3) * math.log(10) / 20)
        onset_s = 20 + node.x_m / speed_m_s + rng.uniform(-jitter_s, jitter_s)
        found.append(activity(site, name, onset_s, [gain * one for one in peaks], target))
    return in_time(*found)


def reasons(events: list[list[Event]]) -> set[str]:
    return {reason for versions in events for reason in versions[-1].reasons}


@pytest.mark.parametrize("target", [PERSON, DIGGING, VEHICLE, UNKNOWN])
@pytest.mark.parametrize("count", [3, 4, 8])
def test_quake_at_all_nodes_within_a_third_of_a_second_is_no_alarm_and_the_reason_is_stated(
    target: TargetClass, count: int
) -> None:
    site = line(count)
    events = run(site, shock(site, 3000, target, 0.15))
    assert alarmed(events) == []
    assert any(reason.startswith("AGAINST") for reason in reasons(events))


@pytest.mark.parametrize("target", [DIGGING, VEHICLE, UNKNOWN])
def test_quake_that_lasts_half_a_minute_is_no_alarm(target: TargetClass) -> None:
    given = shock(SITE, 3000, target, 0.15, (6.0, 20.0, 18.0, 12.0, 8.0, 5.0))
    assert alarmed(run(SITE, given)) == []


@pytest.mark.parametrize("speed_m_s", [160, 340, 1500])
@pytest.mark.parametrize("target", [VEHICLE, UNKNOWN])
def test_shock_over_five_stations_within_seconds_is_no_alarm(
    speed_m_s: float, target: TargetClass
) -> None:
    site = site_of(*((140.0 * i, 30.0 * (i % 2)) for i in range(5)))
    events = run(site, shock(site, speed_m_s, target))
    assert alarmed(events) == []
    assert {wave.IN_AIR, wave.IN_GROUND, FAR} & reasons(events)


def test_front_at_the_speed_of_sound_over_a_kilometre_is_stated_as_such() -> None:
    site = site_of(*((140.0 * i, 30.0 * (i % 2)) for i in range(9)))
    events = run(site, shock(site, 340, VEHICLE))
    assert alarmed(events) == [] and wave.IN_AIR in reasons(events)


@pytest.mark.parametrize("target", [DIGGING, VEHICLE, UNKNOWN])
def test_shock_that_five_near_nodes_report_within_seven_seconds_is_no_alarm(
    target: TargetClass,
) -> None:
    site, late_s = line(5), (3.5, 0.0, 6.8, 1.2, 4.0)
    given = in_time(
        *(
            activity(site, name, 20 + late, (15.0, 3.0), target)
            for name, late in zip(site.nodes, late_s, strict=True)
        )
    )
    events = run(site, given)
    assert alarmed(events) == []
    assert {wave.SHOCK, FAR} & reasons(events)


def test_one_knock_called_digging_is_no_alarm_however_sure_the_node_is() -> None:
    for peaks in ((9.0, 2.0), (9.0, 8.0, 2.0), (9.0, 8.0, 8.0, 2.0)):
        given = activity(SITE, "n03", 20, peaks, DIGGING, confidence=0.97)
        assert alarmed(run(SITE, given)) == []


def test_digging_that_one_node_reports_for_seventy_seconds_is_an_alarm() -> None:
    given = activity(SITE, "n03", 20, [5.0] * 15, DIGGING, confidence=0.8)
    (event,) = alarmed(run(SITE, given))
    assert "n03: digging for a minute or longer" in event.reasons
    assert not event.corroborated


def test_digging_with_rests_is_an_alarm_after_a_minute_as_well() -> None:
    spells = [
        activity(SITE, "n03", start, [5.0] * 4, DIGGING, confidence=0.65) for start in (20, 43, 66)
    ]
    (event,) = alarmed(run(SITE, in_time(*spells)))
    assert "n03: digging for a minute or longer" in event.reasons


def test_digging_before_a_pir_is_an_alarm_after_a_minute_and_not_before() -> None:
    short = activity(SITE, "n03", 20, [5.0] * 6, DIGGING, confidence=0.97, pir=3)
    assert alarmed(run(SITE, short)) == []
    long = activity(SITE, "n03", 20, [5.0] * 15, DIGGING, confidence=0.8, pir=3)
    assert len(alarmed(run(SITE, long))) == 1


def test_tree_that_sways_before_a_pir_in_the_wind_is_no_alarm_however_long() -> None:
    swaying = activity(SITE, "n03", 20, [5.0] * 30, DIGGING, confidence=0.8, pir=9)
    events = run(SITE, swaying, noisy_from_s=10)
    assert alarmed(events) == []
    assert any("in wind or rain" in reason for reason in reasons(events))
    person = activity(SITE, "n03", 20, [5.0] * 6, PERSON, confidence=0.8, pir=9)
    assert len(alarmed(run(SITE, person, noisy_from_s=10))) == 1


def test_knocks_that_last_for_less_than_half_of_a_minute_are_none() -> None:
    knocks = [activity(SITE, "n03", start, (9.0, 2.0), DIGGING) for start in (20, 38, 56, 74)]
    assert alarmed(run(SITE, in_time(*knocks))) == []


def test_knocks_again_and_again_at_one_node_are_stated_against_its_next_one() -> None:
    knocks = [activity(SITE, "n03", 300.0 * n, (9.0, 2.0), DIGGING) for n in range(5)]
    events = run(SITE, in_time(*knocks))
    assert alarmed(events) == []
    first, *_, latest = events
    assert not any("often report" in reason for reason in first[-1].reasons)
    assert any("often report" in reason for reason in latest[-1].reasons)
    assert latest[-1].confidence < first[-1].confidence
