# SPDX-License-Identifier: MIT
"""What the publisher puts into the picture, and that one node costs one node."""

from __future__ import annotations

import time

import msgspec
from msgspec import structs

from gateway.alarms.rules import AlarmRules
from gateway.alarms.state import AlarmState
from gateway.intake.nodes.registry import NodeView as Report
from gateway.model import view
from gateway.model.actions.overrides import Mask, Override
from gateway.model.alarm import Alarm, AlarmChange, AlarmKind, Change
from gateway.model.event import Event
from gateway.model.place.site import Node, Sector, Site
from gateway.model.target import TargetClass
from gateway.ports.picture import Picture
from gateway.service.publisher import MAX_CLOSED, MAX_FLUSHED, Publisher

T0 = 1_800_000_000_000_000


def site_of(count: int) -> Site:
    nodes = {
        f"n{number:05}": Node(f"n{number:05}", 25.0 * number, 0.0, f"s{number % 50:02}")
        for number in range(count)
    }
    return Site("yard", nodes, {"s00": Sector("s00", ((0, 0), (10, 0), (10, 10)))})


class Stage:
    """A publisher and the reports that it reads."""

    def __init__(self, count: int = 4) -> None:
        self.site = site_of(count)
        self.reports = {name: Report() for name in self.site.nodes}
        self.picture = Picture()
        self.publisher = Publisher(self.picture, self.site, lambda name: (self.reports[name], ()))

    def node(self, name: str) -> view.NodeView:
        self.publisher.flush()
        found: view.NodeView = self.picture.get(view.NODE, name)
        return found


def alarm(number: int, **more: object) -> Alarm:
    plain = Alarm(
        id=number, kind=AlarmKind.TAMPER, key=f"n00000/{number}", priority=1, raised_us=T0,
        changed_us=T0, active=True, acknowledged=False, nodes=("n00000",), sectors=("s00",),
        reasons=("opened",),
    )  # fmt: skip
    return structs.replace(plain, **more)  # type: ignore[arg-type]  # fields of an alarm


def event(nodes: tuple[str, ...], **more: object) -> Event:
    plain = Event(
        id="e1", activities=(), sectors=("s00",), target=TargetClass.PERSON, confidence=0.9,
        first_us=T0, last_us=T0, touched_us=T0, x_m=3.0, y_m=4.0, track=None, confirmed=True,
        closed=False, reasons=(), error_m=7.5,
    )  # fmt: skip
    made = type("Played", (Event,), {"nodes": nodes})
    return made(**{name: getattr(plain, name) for name in plain.__dataclass_fields__} | more)


def test_publisher_one_changed_node_among_10000_is_fast_and_small() -> None:
    stage = Stage(10_000)
    spent_s, sizes = [], []
    for number in range(0, 9000, 300):
        name = f"n{number:05}"
        stage.reports[name].last_seen_us = T0 + number
        stage.reports[name].battery_mv = 3900
        version = stage.picture.version
        started_s = time.perf_counter()
        stage.publisher.nodes([name])
        stage.publisher.flush()
        delta = stage.picture.since(version)
        sent = msgspec.json.encode(delta.changes)
        spent_s.append(time.perf_counter() - started_s)
        sizes.append(len(sent))
        assert [change.id for change in delta.changes] == [name]
    assert sorted(spent_s)[len(spent_s) // 2] < 0.001
    assert max(sizes) < 2000


def test_publisher_node_states_follow_its_reports_and_tracks() -> None:
    stage = Stage()
    assert stage.node("n00000").state == "not_reporting"
    report = stage.reports["n00000"]
    report.last_seen_us = T0
    stage.publisher.nodes(["n00000", "no such node"])
    assert stage.node("n00000").state == "normal"
    stage.publisher.events([event(("n00000", "n00001"))])
    assert stage.node("n00000").state == "detecting"
    stage.publisher.events([event(("n00001",))])
    assert stage.node("n00000").state == "normal"
    stage.publisher.events([], ["e1"])
    assert stage.picture.get(view.TRACK, "e1") is None
    report.conditions["tamper"] = 0
    stage.publisher.nodes(["n00000"])
    assert (stage.node("n00000").state, stage.node("n00000").conditions) == ("fault", ("tamper",))
    report.lost = True
    stage.publisher.nodes(["n00000"])
    assert stage.node("n00000").state == "offline"


def test_publisher_flush_is_bounded_and_nothing_is_left_out() -> None:
    stage = Stage(MAX_FLUSHED + 10)
    for report in stage.reports.values():
        report.last_seen_us = T0
    version = stage.picture.version
    stage.publisher.nodes(stage.reports)
    stage.publisher.flush()
    assert len(stage.picture.since(version).changes) == MAX_FLUSHED
    stage.publisher.flush()
    assert len(stage.picture.since(version).changes) == MAX_FLUSHED + 10


def test_publisher_track_has_its_place_error_and_age_and_is_taken_back_when_closed() -> None:
    stage = Stage()
    stage.publisher.events([event(("n00000",))])
    track: view.TrackView = stage.picture.get(view.TRACK, "e1")
    assert (track.x_m, track.y_m, track.error_m, track.at_us) == (3.0, 4.0, 7.5, T0)
    stage.publisher.events([event(("n00000",), closed=True)])
    assert stage.picture.get(view.TRACK, "e1") is None


def test_publisher_closed_alarms_are_kept_up_to_the_limit() -> None:
    stage = Stage()
    for number in range(1, MAX_CLOSED + 4):
        raised = alarm(number)
        over = structs.replace(raised, active=False, acknowledged=True)
        changes = [AlarmChange(Change.RAISED, raised, T0), AlarmChange(Change.CLEARED, over, T0)]
        stage.publisher.alarms(changes)
    kept = dict(stage.picture.all(view.ALARM))
    assert len(kept) == MAX_CLOSED
    assert "1" not in kept
    assert kept[str(MAX_CLOSED + 3)].state == "cleared_acked"


def test_publisher_alarm_that_left_the_queue_unseen_leaves_the_picture() -> None:
    stage = Stage()
    one, two = alarm(1), alarm(2)
    stage.publisher.policy(AlarmState(open=(one, two)), AlarmRules(), T0)
    assert {name for name, _ in stage.picture.all(view.ALARM)} == {"1", "2"}
    stage.publisher.policy(AlarmState(open=(two,)), AlarmRules(), T0)
    assert {name for name, _ in stage.picture.all(view.ALARM)} == {"2"}


def test_publisher_policy_shows_arming_and_masks_and_takes_them_back() -> None:
    stage = Stage()
    mask = Mask(1, "eva", "cows", T0, T0 + 10, ("s01",), ())
    override = Override(2, "s00", False, "eva", "school class", T0, T0 + 10)
    stage.publisher.policy(AlarmState(masks=(mask,), overrides=(override,)), AlarmRules(), T0)
    sector: view.SectorView = stage.picture.get(view.SECTOR, "s00")
    assert (sector.armed, sector.by, sector.masked) == (False, "eva", False)
    assert stage.picture.get(view.SECTOR, "s01").masked
    assert stage.picture.get(view.MASK, "1") == mask
    stage.publisher.policy(AlarmState(), AlarmRules(), T0)
    assert stage.picture.get(view.SECTOR, "s00").armed
    assert stage.picture.get(view.MASK, "1") is None


def test_publisher_site_that_lost_a_node_takes_it_back() -> None:
    stage = Stage()
    nodes = {name: node for name, node in stage.site.nodes.items() if name != "n00003"}
    stage.publisher.site(Site("yard", nodes, {}))
    assert stage.picture.get(view.NODE, "n00003") is None
    assert stage.picture.get(view.SITE, "yard").nodes == ("n00000", "n00001", "n00002")
