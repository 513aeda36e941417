# SPDX-License-Identifier: MIT
"""Fusion, stepped without a loop, a clock or a store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.fusion import FusionState, step
from gateway.fusion.rules import Rules
from gateway.model import text
from gateway.model.detection import ActivityId, Detection
from gateway.model.event import Event
from gateway.model.place.site import Node, Sector, Site
from gateway.model.target import Phase, TargetClass

S = 1_000_000
RULES = Rules()


def line(nodes: int = 4, spacing_m: float = 25.0, sectors: int = 2) -> Site:
    placed = {
        f"n{i:02}": Node(f"n{i:02}", spacing_m * i, 0.0, f"s{i * sectors // nodes}")
        for i in range(nodes)
    }
    return Site("yard", placed, {f"s{i}": Sector(f"s{i}") for i in range(sectors)})


def detected(
    site: Site,
    node: str,
    onset_s: float,
    *,
    phase: Phase = Phase.ONSET,
    elapsed_s: float = 0.0,
    target: TargetClass = TargetClass.PERSON,
    confidence: float = 0.5,
    pir: int = 0,
) -> Detection:
    onset_us = int(onset_s * S)
    report_us = onset_us + int(elapsed_s * S)
    return Detection(
        activity=ActivityId(node, 1, onset_us // 1000),
        seq=1,
        sector=site.nodes[node].sector,
        phase=phase,
        target=target,
        confidence=confidence,
        peak_um_s=1.0,
        cadence_hz=1.8,
        pir_count=pir,
        onset_us=onset_us,
        report_us=report_us,
        uncertainty_us=5000,
        arrival_us=report_us,
    )


def run(site: Site, *detections: Detection) -> tuple[FusionState, list[Event]]:
    """The state after the last evaluation, and the last version of every event."""
    state, seen = FusionState(), {}
    last_us = max(detection.arrival_us for detection in detections)
    for detection in sorted(detections, key=lambda d: d.report_us):
        state, changed = step(state, site, RULES, detection.arrival_us, detection)
        seen |= {event.id: event for event in changed}
    state, changed = step(state, site, RULES, last_us + RULES.settle_us, None)
    seen |= {event.id: event for event in changed}
    return state, list(seen.values())


def walk(site: Site, start_s: float, speed_m_s: float = 1.4, nodes: int = 4) -> list[Detection]:
    reports = []
    for i in range(nodes):
        onset_s = start_s + 25 * i / speed_m_s
        for elapsed_s, phase in ((0, Phase.ONSET), (5, Phase.UPDATE), (12, Phase.END)):
            reports.append(detected(site, f"n{i:02}", onset_s, phase=phase, elapsed_s=elapsed_s))
    return reports


def test_fusion_walk_along_the_line_is_one_event_with_direction_and_speed() -> None:
    site = line()
    _state, events = run(site, *walk(site, 100))
    assert len(events) == 1
    event = events[0]
    assert event.confirmed
    assert event.nodes == ("n00", "n01", "n02", "n03")
    assert event.sectors == ("s0", "s1")
    assert len(event.activities) == 4
    assert event.track is not None
    assert event.track.direction_deg == pytest.approx(90, abs=1)
    assert event.track.speed_m_s == pytest.approx(1.4, abs=0.05)


def test_fusion_one_node_of_low_confidence_is_an_unconfirmed_event() -> None:
    site = line()
    _state, (event,) = run(site, detected(site, "n00", 1), detected(site, "n00", 1, elapsed_s=5))
    assert not event.confirmed
    assert event.reasons == ()


def test_fusion_two_walkers_far_apart_are_two_events() -> None:
    site = line(nodes=12)
    _state, events = run(site, detected(site, "n00", 1), detected(site, "n11", 2))
    assert len(events) == 2


def test_fusion_two_crossings_with_a_pause_are_two_events() -> None:
    site = line()
    first = [detected(site, n, 1, elapsed_s=9, phase=Phase.END) for n in ("n00", "n01")]
    second = [detected(site, n, 40) for n in ("n00", "n01")]
    _state, events = run(site, *first, *second)
    assert [event.confirmed for event in events] == [True, True]
    assert events[0].closed


def test_fusion_detection_after_all_nodes_reported_the_end_is_a_new_event() -> None:
    site = line()
    first = [
        detected(site, node, 100, phase=phase, elapsed_s=elapsed_s)
        for node in ("n01", "n02")
        for elapsed_s, phase in ((0, Phase.ONSET), (30, Phase.END))
    ]
    _state, events = run(site, *first, detected(site, "n02", 140), detected(site, "n01", 141))
    assert [len(event.activities) for event in events] == [2, 2]
    _state, events = run(site, *first, detected(site, "n03", 136))
    assert len(events) == 1, "a detection at the next node at once is of the same walker"


def test_fusion_crossing_at_right_angles_has_no_direction() -> None:
    site = line()
    outwards = {"n01": (100, 6.0), "n02": (100.5, 5.0), "n03": (105, 1.5), "n00": (108, 1.0)}
    reports = [
        replace(detected(site, node, onset_s), peak_um_s=peak)
        for node, (onset_s, peak) in outwards.items()
    ]
    _state, events = run(site, *reports)
    assert len(events) == 1
    assert events[0].confirmed
    assert events[0].track is None or events[0].track.direction_deg is None


def test_fusion_pir_support_confirms_a_single_node() -> None:
    site = line()
    _state, (event,) = run(site, detected(site, "n00", 1, confidence=0.6, pir=2))
    assert event.confirmed
    assert "PIR" in event.reasons[0]


def test_fusion_lone_node_of_a_sector_confirms_by_repeated_high_confidence() -> None:
    site = line(nodes=1, sectors=1)
    first = detected(site, "n00", 1, confidence=0.9)
    assert not run(site, first)[1][0].confirmed
    for confidence, confirmed in ((0.7, False), (0.8, True)):
        update = detected(site, "n00", 1, elapsed_s=5, confidence=confidence, phase=Phase.UPDATE)
        weak = detected(site, "n00", 1, confidence=confidence)
        assert run(site, weak, update)[1][0].confirmed is confirmed


def test_fusion_animals_are_never_confirmed() -> None:
    site = line()
    deer = [
        detected(site, n, 1, target=TargetClass.ANIMAL, confidence=0.9, pir=3)
        for n in ("n00", "n01")
    ]
    _state, (event,) = run(site, *deer)
    assert not event.confirmed


def test_fusion_activity_takes_its_class_from_the_first_report_that_has_one() -> None:
    site, unknown = line(), TargetClass.UNKNOWN
    onset = detected(site, "n00", 1, target=unknown, confidence=0.9, pir=2)
    _state, (event,) = run(site, onset)
    assert event.target is unknown
    assert not event.confirmed
    classified = detected(site, "n00", 1, elapsed_s=1, confidence=0.6, pir=2, phase=Phase.UPDATE)
    _state, (event,) = run(site, onset, classified)
    assert event.target is TargetClass.PERSON
    assert event.confirmed
    late = detected(site, "n00", 1, elapsed_s=6, target=unknown, confidence=0.9, phase=Phase.UPDATE)
    _state, (event,) = run(site, onset, classified, late)
    assert event.target is TargetClass.PERSON


def test_fusion_silence_closes_the_event_of_a_node_that_reports_no_end() -> None:
    site = line()
    state, _events = run(site, detected(site, "n00", 1))
    state, changed = step(state, site, RULES, 30 * S, None)
    assert changed == ()
    state, changed = step(state, site, RULES, 60 * S, None)
    assert [event.closed for event in changed] == [True]
    assert state.events == ()


def test_fusion_open_events_are_bounded() -> None:
    site = line(nodes=200, spacing_m=1000)
    state, _events = run(site, *(detected(site, f"n{i:02}", 1 + i / 1000) for i in range(200)))
    assert len(state.events) == RULES.max_open


def test_event_survives_the_store_unchanged() -> None:
    site = line()
    _state, (event,) = run(site, *walk(site, 100))
    restored = text.parse_json(text.format_json(event), Event)
    assert restored == event
