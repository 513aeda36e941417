# SPDX-License-Identifier: MIT
"""Detections alike at all nodes count against, with a reason, and hide no intruder."""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs

from gateway.fusion.evidence.coherence import doubts
from gateway.fusion.floors import NoiseFloors, update_floors
from gateway.model.detection import Detection
from gateway.model.event import Event
from gateway.model.observation import NoiseFloor
from gateway.model.place.site import Site
from gateway.model.target import TargetClass
from tests.fusion.walkers import (
    FLOOR_UM_S,
    T0,
    Ground,
    S,
    alarmed,
    detections,
    line,
    run,
    site_of,
    walk,
)

SITE = line()


def overhead(site: Site, seed: int, at_s: float = 20.0) -> list:
    """Something far above: every node detects it at once and alike, for half a minute."""
    one = site_of((0, 0))
    found = []
    for number, name in enumerate(site.nodes):
        loud = Ground(path_db=1.5, louder_db=6)
        reports = detections(one, walk((-8, 20), (30, 20), at_s=at_s), 80, seed + number, loud)
        found += [replace(r, activity=structs.replace(r.activity, node=name)) for r in reports]
    return sorted(found, key=lambda r: (r.arrival_us, r.node))


def test_detection_alike_at_all_nodes_at_once_is_doubted_with_a_reason() -> None:
    (versions,) = run(SITE, overhead(SITE, 1))
    assert any("simultaneous" in reason for reason in versions[-1].reasons)
    assert versions[-1].confidence < 0.5


def test_walker_with_pir_raises_an_alarm_while_an_aircraft_passes() -> None:
    seen = [
        replace(one, pir_count=2) if one.node == "n04" and number > 30 else one
        for number, one in enumerate(overhead(SITE, 1))
    ]
    events = alarmed(run(SITE, seen))
    assert len(events) == 1
    assert any("PIR" in reason for reason in events[0].reasons)


def test_walker_among_nodes_is_not_doubted() -> None:
    (event,) = alarmed(run(SITE, detections(SITE, walk((88, -55), (92, 55)), 100, 3)))
    assert not any("simultaneous" in reason for reason in event.reasons)


def test_floors_that_rise_together_are_doubted_and_one_that_rises_alone_is_not() -> None:
    floors = NoiseFloors()
    for beat in range(3):
        for name in SITE.nodes:
            floors = update_floors(floors, NoiseFloor(name, T0 + 60 * beat * S, FLOOR_UM_S))
    event: Event = run(SITE, detections(SITE, walk((88, -55), (92, 55)), 100, 3))[0][5]

    def reasons(given: NoiseFloors) -> list[str]:
        found = doubts(SITE, given, event.activities, TargetClass.PERSON, event.last_us)
        return [doubt.reason for doubt in found]

    alone = update_floors(floors, NoiseFloor("n04", T0 + 180 * S, 4 * FLOOR_UM_S))
    stormy = floors
    for name in SITE.nodes:
        stormy = update_floors(stormy, NoiseFloor(name, T0 + 180 * S, 4 * FLOOR_UM_S))
    assert reasons(floors) == reasons(alone) == []
    assert any("noisy" in reason for reason in reasons(stormy))


def digging(seed: int, *names: str) -> list[Detection]:
    """A person who digs amid these nodes: each detects from the same second on."""
    one = site_of((0, 0))
    found = []
    for number, name in enumerate(names):
        reports = detections(
            one, walk((8, 1), (9, 1), 0.02), 40, seed + number, target=TargetClass.DIGGING
        )
        found += [
            replace(r, activity=structs.replace(r.activity, node=name), confidence=0.7)
            for r in reports
        ]
    return sorted(found, key=lambda r: (r.arrival_us, r.node))


def test_digging_detected_by_two_nodes_on_quiet_ground_raises_an_alarm_by_one_not_yet() -> None:
    assert alarmed(run(SITE, digging(4, "n04")[:3])) == []
    (event,) = alarmed(run(SITE, digging(4, "n04", "n05")[:4]))
    assert any("together on quiet ground" in reason for reason in event.reasons)


def test_reason_that_another_node_gives_too_stands_once() -> None:
    events = alarmed(run(SITE, detections(SITE, walk((-40, 6), (215, 9)), 230, 1)))
    assert len({one.id.node for one in events[0].activities if one.confidence > 0.75}) > 1
    assert sum("repeated high-confidence reports" in reason for reason in events[0].reasons) == 1
