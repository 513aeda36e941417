# SPDX-License-Identifier: MIT
"""Fusion of walks whose truth is known: place, direction, speed, one event for each."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from statistics import median

import pytest
from msgspec import structs

from gateway.fusion import FusionState, step
from gateway.fusion.rules import Rules
from gateway.model.event import Event
from gateway.model.target import Phase
from tests.fusion.walkers import (
    T0,
    Ground,
    S,
    alarmed,
    detections,
    line,
    over_bad_link,
    run,
    site_of,
    walk,
)

CELL = site_of((0, 0), (40, 0), (40, 40), (0, 40))


def off_deg(estimate: float, true: float) -> float:
    return abs((estimate - true + 180) % 360 - 180)


@pytest.mark.parametrize(("start_m", "end_m", "heading"), [(-40, 215, 90), (215, -40, 270)])
def test_walk_along_the_line_gives_direction_and_speed(
    start_m: float, end_m: float, heading: float
) -> None:
    place = walk((start_m, 6), (end_m, 9), 1.2)
    (event,) = alarmed(run(line(), detections(line(), place, 230, 1)))
    assert event.track is not None and event.track.direction_deg is not None
    assert off_deg(event.track.direction_deg, heading) < 20
    assert event.track.speed_m_s == pytest.approx(1.2, rel=0.15)


def test_slow_and_fast_walkers_are_distinguished_against_the_prior() -> None:
    speeds = []
    for pace in (0.8, 2.0):
        (event,) = alarmed(run(line(), detections(line(), walk((-40, 6), (215, 9), pace), 330, 2)))
        assert event.track is not None and event.track.speed_m_s is not None
        speeds.append(event.track.speed_m_s)
    # Drawn towards 1.35 m/s by the prior, and yet not held there by it.
    assert speeds == [pytest.approx(0.8, rel=0.35), pytest.approx(2.0, rel=0.3)]
    assert speeds[1] > 1.5 * speeds[0]


def test_straight_line_crossed_at_right_angles_gives_speed_but_no_side() -> None:
    place = walk((88, -60), (88, 60))
    versions = run(line(), detections(line(), place, 100, 3))
    (event,) = alarmed(versions)
    assert event.track is not None
    assert event.track.direction_deg is None
    assert event.track.speed_m_s == pytest.approx(1.35, rel=0.25)
    (whole,) = versions
    for one in whole:
        if one.confirmed and one.fix is not None:
            _x, y_m = place((one.last_us - T0) / S)
            assert abs(one.y_m) < abs(y_m) + 10  # between the two sides, never far on one


def test_crossing_detected_by_luck_of_paths_is_no_walk_along_the_line() -> None:
    site, lucky = line(), Ground(path_db=6.0)
    for seed in range(5):
        place = walk((40 + 20 * seed, -55), (36 + 20 * seed, 55))
        for event in alarmed(run(site, detections(site, place, 100, seed, lucky))):
            assert event.track is None or event.track.direction_deg is None


def test_direction_of_a_walk_that_two_nodes_detected_is_not_stated() -> None:
    site = site_of((0, 0), (25, 0))
    for event in alarmed(run(site, detections(site, walk((-40, 5), (65, 7)), 100, 1))):
        assert event.track is None or event.track.direction_deg is None


def test_zigzag_of_nodes_gives_the_side() -> None:
    site = line(zigzag_m=20)
    loud, right, wrong = Ground(louder_db=6), 0, 0
    for seed in range(6):
        up = seed % 2
        ends = ((88, -50), (84, 70)) if up else ((84, 70), (88, -50))
        (event,) = alarmed(run(site, detections(site, walk(*ends), 100, seed, loud)))
        if event.track is not None and event.track.direction_deg is not None:
            is_right = off_deg(event.track.direction_deg, 358 if up else 178) <= 45
            right, wrong = right + is_right, wrong + (not is_right)
    assert right >= 4 and wrong == 0


def test_place_amid_four_nodes_is_within_what_it_claims() -> None:
    offs, claims = [], []
    for seed in range(6):
        place = walk((-20, 10 + 4 * seed), (60, 30 - 4 * seed))
        for versions in run(CELL, detections(CELL, place, 90, seed)):
            for event in versions:
                x_m, y_m = place((event.last_us - T0) / S)
                if event.fix is not None and 0 <= x_m <= 40 and 0 <= y_m <= 40:
                    offs.append(math.hypot(event.x_m - x_m, event.y_m - y_m))
                    claims.append(event.error_m)
    assert len(offs) > 50
    assert median(offs) < 11
    inside = sum(off <= claim for off, claim in zip(offs, claims, strict=True)) / len(offs)
    assert 0.5 < inside < 0.9  # two thirds, if the claim is honest


def test_calibrated_ground_places_better_than_guessed() -> None:
    gains = {"n01": 7.0, "n02": -6.0, "n03": 5.0, "n04": -7.0}
    loud = Ground(path_db=1.0)
    known = replace(
        CELL,
        nodes={name: replace(CELL.nodes[name], gain_db=gain) for name, gain in gains.items()},
        ground=replace(CELL.ground, path_db=2.0, walker_sigma_db=4.0),
    )
    offs = {}
    for name, site in (("guessed", CELL), ("known", known)):
        offs[name] = []
        for seed in range(4):
            place = walk((-20, 12 + 5 * seed), (60, 32 - 5 * seed))
            given = [
                replace(one, peak_um_s=round(one.peak_um_s * 10 ** (gains[one.node] / 20), 2))
                for one in detections(CELL, place, 90, seed, loud)
            ]
            for versions in run(site, given):
                for event in versions:
                    x_m, y_m = place((event.last_us - T0) / S)
                    if event.fix is not None and 0 <= x_m <= 40 and 0 <= y_m <= 40:
                        offs[name].append(math.hypot(event.x_m - x_m, event.y_m - y_m))
    assert median(offs["known"]) < 0.8 * median(offs["guessed"])


def test_two_walkers_at_opposite_ends_are_two_alarms() -> None:
    site = line()
    both = [
        *detections(site, walk((10, -50), (14, 50)), 90, 4),
        *detections(site, walk((165, 50), (160, -50)), 90, 5),
    ]
    both.sort(key=lambda one: (one.arrival_us, one.node))
    events = alarmed(run(site, both))
    assert len(events) == 2
    assert sorted(round(event.x_m / 170) for event in events) == [0, 1]


def test_one_walker_detected_first_at_far_nodes_is_one_alarm() -> None:
    # A lucky path to n04 and none to n02 and n03, at first.
    site = line()
    given = detections(site, walk((20, -45), (40, 45)), 90, 6, Ground(path_db=0))
    first = next(one for one in given if one.node == "n02")
    lucky = replace(
        first,
        activity=structs.replace(first.activity, node="n05"),
        onset_us=first.onset_us - 2 * S,
        report_us=first.onset_us - 2 * S,
        arrival_us=first.arrival_us - 2 * S,
    )
    events = alarmed(run(site, sorted([*given, lucky], key=lambda one: one.arrival_us)))
    assert len(events) == 1


def test_crossings_over_a_bad_link_with_a_dead_node_raise_one_alarm_each() -> None:
    site, once = line(), 0
    rng = random.Random(7)
    for seed in range(8):
        at_m = rng.uniform(10, 165)
        place = walk((at_m, -55), (at_m + rng.uniform(-20, 20), 55), rng.uniform(1.1, 1.6))
        given = detections(site, place, 120, seed, sensors_off=["n04"])
        once += len(alarmed(run(site, over_bad_link(given, seed), dead=["n04"]))) == 1
    assert once >= 7


def test_order_in_which_reports_come_changes_neither_place_nor_direction() -> None:
    site = line(zigzag_m=20)
    given = detections(site, walk((60, -50), (100, 70)), 120, 8)
    now_us = given[-1].arrival_us
    ends: list[Event] = []
    for seed in range(3):
        mixed = list(given)
        random.Random(seed).shuffle(mixed)
        state = FusionState()
        # As late as from a ledger; nothing closes in between.
        rules = Rules(silence_us=10**9, ended_us=10**9, stale_us=10**10)
        for one in mixed:
            state, _ = step(state, site, rules, now_us, replace(one, arrival_us=now_us))
        state, _ = step(state, site, rules, now_us + S, None)
        (event,) = state.events
        ends.append(event)
    assert len({(one.x_m, one.y_m, one.error_m, one.fix) for one in ends}) == 1
    assert len({one.activities[0].levels for one in ends}) == 1


def test_late_reports_fill_the_past_of_an_event_and_add_no_alarm() -> None:
    site = line()
    given = detections(site, walk((88, -55), (92, 55)), 100, 9)
    node = next(one.node for one in given if one.phase is Phase.UPDATE)
    late = [
        replace(one, arrival_us=one.arrival_us + 30 * S) if one.node == node else one
        for one in given
    ]
    late.sort(key=lambda one: (one.arrival_us, one.node))
    (event,) = alarmed(run(site, late))
    assert node in event.nodes


def test_two_runs_over_one_input_give_the_same_values() -> None:
    given = detections(line(), walk((88, -55), (92, 55)), 100, 10)
    assert run(line(), given) == run(line(), given)


def test_dead_neighbour_is_no_evidence_of_absence() -> None:
    site = site_of((0, 0), (25, 0), (50, 0), (75, 0))
    loud = Ground(0, 0, louder_db=9)
    given = detections(site, walk((62, -40), (62, 40)), 80, 11, loud, sensors_off=["n04"])
    places = {}
    for dead in ((), ("n04",)):
        (versions,) = run(site, given, dead=dead)
        places[dead] = median(one.x_m for one in versions if one.fix is not None)
    # n04 works and reports nothing: the walker passed further west than if n04 were dead.
    assert places[()] < places[("n04",)] - 1


def test_direction_is_not_stated_before_it_fades_at_a_node() -> None:
    site = line(zigzag_m=20)
    stated = 0
    for seed in range(3):
        versions = run(site, detections(site, walk((60, -50), (100, 70)), 110, seed))[0]
        for version in versions:
            fades = any(
                one.phase is Phase.END
                or one.levels[-1].peak_um_s < max(level.peak_um_s for level in one.levels)
                for one in version.activities
            )
            knows = version.track is not None and version.track.direction_deg is not None
            assert fades or not knows
            stated += knows
    assert stated
