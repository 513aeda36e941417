# SPDX-License-Identifier: MIT
"""Model: views: what is true now, as the picture holds it and as consoles and partners read it.

Positions are local metres (`x_m` east, `y_m` north) and WGS 84 degrees (None when the site has no
origin or the position is unknown). `error_m` is the radius that holds the local position in 2 of 3
cases (the origin's error comes to the degrees), `ellipse` holds it in 95 of 100, `at_us` the
moment that the view is of. Times are UTC microseconds.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.model.actions.cue import Cue, CueKind, CueState
from gateway.model.alarm import Alarm, AlarmKind, Disposition
from gateway.model.days_left import DaysLeft
from gateway.model.detection import Detection
from gateway.model.ellipse import Ellipse
from gateway.model.event import Event
from gateway.model.observation import Contact
from gateway.model.place.site import Node, Sector, Site
from gateway.model.target import TargetClass

NODE, SECTOR, ALARM, TRACK = "node", "sector", "alarm", "track"
DETECTION, CONTACT, CUE, SITE = "detection", "contact", "cue", "site"
MASK, WALK, CONNECTOR, DELIVERY, SECTION = "mask", "walk", "connector", "delivery", "section"

Point = tuple[float, float]


class NodeView(msgspec.Struct, frozen=True, kw_only=True):
    """One node. `state`: normal, detecting, fault, offline or not_reporting.

    A node's own values are None until it has reported them. `gaps`: (boot, first, last) of durable
    messages that have not arrived although later ones have. `settings`: as the node states them;
    `contact_s`: the longest time between two contacts of a node in radio burst, 0 when it stays
    connected; `radio_share`, `asleep_share`: of the time that its radio was on and, of a
    sentinel, that it slept, as it measured them.
    `days_left`: until its battery is empty, a forecast and not a measurement (docs/power.md).
    `error_m` is of `latitude` and `longitude`; `local_error_m` is of `x_m` and `y_m`, None where
    they were measured.
    `reset_cause`: why the boot before this one ended; `reset_detail`: the stuck task, the
    exception, or what asked for the reboot.
    """

    id: str
    sector: str
    x_m: float
    y_m: float
    latitude: float | None
    longitude: float | None
    error_m: float | None
    at_us: int | None
    state: str
    local_error_m: float | None = None
    conditions: tuple[str, ...] = ()
    settings: dict[str, int | str] | None = None
    contact_s: int = 0
    radio_share: float | None = None
    asleep_share: float | None = None
    last_seen_us: int | None = None
    lost: bool = False
    forged: bool = False
    boot: int = 0
    fw: str = ""
    board: str = ""
    reset_cause: str = ""
    reset_detail: str = ""
    battery_mv: int | None = None
    days_left: DaysLeft | None = None
    rssi_dbm: int | None = None
    floor_um_s: float | None = None
    samples_missed: int | None = None
    ledger_pending: int | None = None
    records_dropped: int = 0
    backfilled: int = 0
    messages: int = 0
    duplicates: int = 0
    last_detection_us: int | None = None
    gaps: tuple[tuple[int, int, int], ...] = ()


class AlarmView(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm: the attributes of `Alarm`, its state in words, and where it is."""

    id: int
    kind: AlarmKind
    key: str
    state: str
    unacknowledged: bool
    open: bool
    priority: int
    active: bool
    acknowledged: bool
    raised_us: int
    changed_us: int
    at_us: int
    nodes: tuple[str, ...]
    sectors: tuple[str, ...]
    reasons: tuple[str, ...]
    detection_count: int
    target: TargetClass | None
    confidence: float
    x_m: float | None
    y_m: float | None
    latitude: float | None
    longitude: float | None
    error_m: float | None
    direction_deg: float | None
    speed_m_s: float | None
    acknowledged_by: str
    acknowledged_us: int | None
    disposition: Disposition | None
    assessed_by: str
    note: str
    notified_us: int
    late: bool
    unsure: bool
    masked: str
    suppressed: str
    walk: str
    escalation: int
    escalated_to: str
    claims: tuple[str, ...]
    sources: tuple[str, ...]
    ellipse: Ellipse | None = None


class TrackView(msgspec.Struct, frozen=True, kw_only=True):
    """One open event: what moves, where, and which nodes detect it."""

    id: str
    target: TargetClass
    confidence: float
    confirmed: bool
    x_m: float
    y_m: float
    latitude: float | None
    longitude: float | None
    error_m: float
    at_us: int
    first_us: int
    direction_deg: float | None
    speed_m_s: float | None
    nodes: tuple[str, ...]
    sectors: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    ellipse: Ellipse | None = None


class DetectionView(msgspec.Struct, frozen=True, kw_only=True):
    """One report of a node. The position is the node's: a detection has none of its own."""

    id: str
    node: str
    sector: str
    phase: str
    target: str
    confidence: float
    peak_um_s: float
    onset_us: int
    at_us: int
    uncertainty_us: int
    arrival_us: int
    x_m: float | None
    y_m: float | None
    latitude: float | None
    longitude: float | None
    error_m: float | None


class SectorView(msgspec.Struct, frozen=True, kw_only=True):
    """One sector, armed or not and why. `x_m`, `y_m`: the mean of its corners, or of its nodes."""

    id: str
    polygon: tuple[Point, ...]
    x_m: float | None
    y_m: float | None
    latitude: float | None
    longitude: float | None
    error_m: float | None
    at_us: int | None
    armed: bool
    schedule: str
    by: str
    reason: str
    until_us: int | None
    masked: bool
    policy: str = "single"


class ContactView(msgspec.Struct, frozen=True, kw_only=True):
    """Authorised persons, by their call sign."""

    id: str
    source: str
    x_m: float
    y_m: float
    latitude: float | None
    longitude: float | None
    error_m: float
    at_us: int


class CueView(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a device."""

    id: int
    device: str
    kind: CueKind
    state: CueState
    alarm_id: int | None
    x_m: float
    y_m: float
    latitude: float | None
    longitude: float | None
    error_m: float
    at_us: int
    proposed_us: int
    proposed_by: str
    expires_us: int
    confirmed_by: tuple[str, ...]
    problem: str


class SiteView(msgspec.Struct, frozen=True, kw_only=True):
    """The site and its origin; degrees are None when it has none. `nodes` and `sectors` are their
    ids in the order of the site file."""

    name: str
    latitude: float | None
    longitude: float | None
    error_m: float | None
    nodes: tuple[str, ...]
    sectors: tuple[str, ...]


def _place(site: Site, x_m: float | None, y_m: float | None) -> dict[str, Any]:
    known = site.latlon(x_m, y_m) if x_m is not None and y_m is not None else None
    latitude, longitude = known or (None, None)
    return {"x_m": x_m, "y_m": y_m, "latitude": latitude, "longitude": longitude}


def view_site(site: Site) -> SiteView:
    """The site as a whole."""
    origin = site.origin
    return SiteView(
        name=site.name,
        latitude=origin.latitude if origin else None,
        longitude=origin.longitude if origin else None,
        error_m=origin.error_m if origin else None,
        nodes=tuple(site.nodes),
        sectors=tuple(dict.fromkeys([*site.sectors, *(n.sector for n in site.nodes.values())])),
    )


def place_node(site: Site, node: Node) -> dict[str, Any]:
    """The fields of a NodeView that change with the site only."""
    return {
        "id": node.id,
        "sector": node.sector,
        "error_m": site.origin.total_error_m(node.error_m or 0.0) if site.origin else None,
        "local_error_m": node.error_m,
        **_place(site, node.x_m, node.y_m),
    }


def place_sector(site: Site, sector: Sector) -> dict[str, Any]:
    """The fields of a SectorView that change with the site only."""
    nodes = [site.nodes[name] for name in site.sector_nodes(sector.id)]
    corners = sector.polygon or tuple((node.x_m, node.y_m) for node in nodes)
    x_m = sum(corner[0] for corner in corners) / len(corners) if corners else None
    y_m = sum(corner[1] for corner in corners) / len(corners) if corners else None
    return {
        "id": sector.id,
        "polygon": sector.polygon,
        "error_m": None,
        **_place(site, x_m, y_m),
    }


_SAME = tuple(
    name
    for name in AlarmView.__struct_fields__
    if name in Alarm.__struct_fields__ and name not in ("x_m", "y_m", "error_m")
)


def view_alarm(site: Site, alarm: Alarm, error_m: float | None = None) -> AlarmView:
    """`error_m` is that of the track it is about, for an alarm that has none of its own."""
    return AlarmView(
        **{name: getattr(alarm, name) for name in _SAME},
        **_place(site, alarm.x_m, alarm.y_m),
        state=alarm.state,
        unacknowledged=alarm.unacknowledged,
        open=alarm.open,
        at_us=alarm.changed_us,
        detection_count=len(alarm.detections),
        error_m=error_m if alarm.error_m is None else alarm.error_m,
    )


def view_track(site: Site, event: Event) -> TrackView:
    """An open event."""
    track = event.track
    return TrackView(
        id=event.id,
        target=event.target,
        confidence=event.confidence,
        confirmed=event.confirmed,
        error_m=event.error_m,
        ellipse=event.ellipse,
        at_us=track.at_us if track is not None and track.at_us else event.last_us,
        first_us=event.first_us,
        direction_deg=track.direction_deg if track is not None else None,
        speed_m_s=track.speed_m_s if track is not None else None,
        nodes=event.nodes,
        sectors=event.sectors,
        reasons=event.reasons,
        **_place(site, event.x_m, event.y_m),
    )


def view_detection(site: Site, detection: Detection) -> DetectionView:
    """A report of a node."""
    node = site.nodes.get(detection.node)
    return DetectionView(
        id=f"{detection.activity}/{detection.seq}",
        node=detection.node,
        sector=detection.sector,
        phase=detection.phase.label,
        target=detection.target.label,
        confidence=detection.confidence,
        peak_um_s=detection.peak_um_s,
        onset_us=detection.onset_us,
        at_us=detection.report_us,
        uncertainty_us=detection.uncertainty_us,
        arrival_us=detection.arrival_us,
        error_m=None,
        **_place(site, node.x_m if node else None, node.y_m if node else None),
    )


def view_contact(site: Site, contact: Contact) -> ContactView:
    """Authorised persons."""
    variance_m2 = max(contact.covariance.xx_m2, contact.covariance.yy_m2)
    return ContactView(
        id=contact.call_sign,
        source=contact.source,
        error_m=round(1.5 * variance_m2**0.5, 1),  # 2 of 3 cases in two dimensions: 1.5 deviations
        at_us=contact.at_us,
        **_place(site, contact.x_m, contact.y_m),
    )


def view_cue(site: Site, cue: Cue) -> CueView:
    """A request to a device."""
    return CueView(
        id=cue.id,
        device=cue.device,
        kind=cue.kind,
        state=cue.state,
        alarm_id=cue.alarm_id,
        error_m=cue.error_m,
        at_us=cue.changed_us,
        proposed_us=cue.proposed_us,
        proposed_by=cue.proposed_by,
        expires_us=cue.expires_us,
        confirmed_by=cue.confirmed_by,
        problem=cue.problem,
        **_place(site, cue.x_m, cue.y_m),
    )
