# SPDX-License-Identifier: MIT
"""Service: the publisher keeps the picture current from the output of the stages.

Each thing has its own kind and id, so that one changed node costs one node, whatever the size of
the site. Alarms and tracks are published at once. Nodes are collected and published by `flush`,
because a node may report many times in the time that a console takes to show it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from gateway.alarms.confirmation import policy_text
from gateway.alarms.rules import AlarmRules
from gateway.alarms.state import AlarmState
from gateway.alarms.suppression import armed
from gateway.model import view
from gateway.model.actions.cue import CueChange
from gateway.model.actions.overrides import Walk
from gateway.model.alarm import Alarm, AlarmChange
from gateway.model.days_left import DaysLeft
from gateway.model.detection import Detection
from gateway.model.event import Event
from gateway.model.node_settings import shown
from gateway.model.observation import Contact
from gateway.model.place.site import Sector, Site
from gateway.ports.picture import Picture

MAX_CLOSED = 50  # closed alarms in the picture; older ones are in the store
MAX_DETECTIONS = 40
MAX_FLUSHED = 32  # nodes in one flush: about half a millisecond between two looks at the links


class NodeReport(Protocol):
    """What intake knows of one node (gateway.intake.nodes.registry.NodeView)."""

    boot: int
    last_seen_us: int | None
    lost: bool
    forged: bool
    fw: str
    board: str
    reset_cause: str
    reset_detail: str
    battery_mv: int | None
    rssi_dbm: int | None
    floor_um_s: float | None
    samples_missed: int | None
    ledger_pending: int | None
    records_dropped: int
    backfilled: int
    messages: int
    duplicates: int
    last_detection_us: int | None
    settings: dict[str, int] | None
    radio_share: float | None
    asleep_share: float | None
    conditions: dict[str, int]

    @property
    def contact_s(self) -> int: ...


_REPORTED = tuple(
    name for name in NodeReport.__annotations__ if name not in ("conditions", "settings")
)
ENDED_CUES_MAX = 50

# The report of a node, and its gaps: (boot, first, last).
ReadNode = Callable[[str], tuple[NodeReport, Sequence[tuple[int, int, int]]]]


class Publisher:
    """Written to in the event loop by the stages; only it writes to the picture."""

    def __init__(
        self,
        picture: Picture,
        site: Site,
        read_node: ReadNode,
        read_days_left: Callable[[str], DaysLeft | None] = lambda _name: None,
    ) -> None:
        self._read_days_left = read_days_left
        self.picture = picture
        self._site = site
        self._read_node = read_node
        self._places: dict[str, dict[str, Any]] = {}
        self._sectors: dict[str, dict[str, Any]] = {}
        self._dirty: dict[str, None] = {}
        self._alarms: dict[int, Alarm] = {}
        self._closed: deque[int] = deque()
        self._ended_cues: deque[str] = deque()
        self._tracks: dict[str, view.TrackView] = {}
        self._detecting: defaultdict[str, set[str]] = defaultdict(set)  # tracks by node
        self._detections: deque[str] = deque()
        self._named: defaultdict[str, set[str]] = defaultdict(set)  # ids by kind, of `things`
        self.site(site)

    def site(self, site: Site) -> None:
        """The site as it is now, and all its nodes."""
        before, self._site = self._places, site
        self._places = {node.id: view.place_node(site, node) for node in site.nodes.values()}
        for name in before.keys() - self._places.keys():
            self._dirty.pop(name, None)
            self.picture.remove(view.NODE, name)
        names = dict.fromkeys([*site.sectors, *(node.sector for node in site.nodes.values())])
        gone = self._sectors.keys() - names.keys()
        self._sectors = {
            name: view.place_sector(site, site.sectors.get(name, Sector(name))) for name in names
        }
        for name in gone:
            self.picture.remove(view.SECTOR, name)
        self.picture.put(view.SITE, site.name, view.view_site(site))
        for name in self._places:
            self._node(name)

    def nodes(self, names: Iterable[str]) -> None:
        """These have changed; the next `flush` publishes them."""
        for name in names:
            if name in self._places:
                self._dirty[name] = None

    def flush(self) -> bool:
        """Publish nodes that have changed, at most MAX_FLUSHED of them, the longest first; whether
        more wait."""
        for name in list(self._dirty)[:MAX_FLUSHED]:
            del self._dirty[name]
            self._node(name)
        return bool(self._dirty)

    def alarms(self, changes: Iterable[AlarmChange]) -> None:
        """Alarms that have changed, in order."""
        for change in changes:
            self._alarm(change.alarm)

    def events(self, changed: Iterable[Event], closed: Iterable[str] = ()) -> None:
        """Open events that have changed, and the ids of those that are closed."""
        for event in changed:
            if event.closed:
                self._untrack(event.id)
                continue
            track = view.view_track(self._site, event)
            known = self._tracks.get(event.id)
            self._tracks[event.id] = track
            self.picture.put(view.TRACK, event.id, track)
            before = set(known.nodes) if known else set()
            for name in before.symmetric_difference(track.nodes):
                self._detects(name, event.id, name in track.nodes)
        for name in closed:
            self._untrack(name)

    def detections(self, fresh: Iterable[Detection]) -> None:
        """Reports as they came; the newest MAX_DETECTIONS are kept."""
        for detection in fresh:
            made = view.view_detection(self._site, detection)
            if self.picture.get(view.DETECTION, made.id) is None:
                self._detections.append(made.id)
            self.picture.put(view.DETECTION, made.id, made)
        while len(self._detections) > MAX_DETECTIONS:
            self.picture.remove(view.DETECTION, self._detections.popleft())

    def contacts(self, latest: Iterable[Contact]) -> None:
        """Authorised persons as last reported; those not named are gone."""
        views = {one.call_sign: view.view_contact(self._site, one) for one in latest}
        self.things(view.CONTACT, views)

    def cues(self, changes: Iterable[CueChange]) -> None:
        """Cues after a change; of those that are over, the newest are kept."""
        for change in changes:
            cue = change.cue
            self.picture.put(view.CUE, str(cue.id), view.view_cue(self._site, cue))
            if cue.state.final:
                self._ended_cues.append(str(cue.id))
        while len(self._ended_cues) > ENDED_CUES_MAX:
            self.picture.remove(view.CUE, self._ended_cues.popleft())

    def policy(self, state: AlarmState, rules: AlarmRules, now_us: int) -> None:
        """Arming, masks, walks and escalation, and the alarms that are open: whatever left the
        queue without a change of its own leaves the picture too."""
        self._reconcile(state)
        overrides = {override.sector: override for override in state.overrides}
        masked = {sector for mask in state.masks for sector in mask.sectors}
        for name, placed in self._sectors.items():
            override, schedule = overrides.get(name), rules.schedules.get(name)
            sector = view.SectorView(
                **placed,
                at_us=override.from_us if override else None,
                armed=armed(state, rules, name, now_us),
                schedule=schedule.text if schedule else "always",
                by=override.by if override else "",
                reason=override.reason if override else "",
                until_us=override.until_us if override else None,
                masked=name in masked,
                policy=policy_text(rules, name, now_us),
            )
            self.picture.put(view.SECTOR, name, sector)
        self.things(view.MASK, {str(mask.id): mask for mask in state.masks})
        self.things(view.WALK, {str(w.id): w for w in _walks(state, now_us)})
        self.sections({"escalation": rules.escalation})

    def sections(self, values: Mapping[str, Any]) -> None:
        """Counters, store, links and the like: each a value of its own; equal ones cost nothing.
        The caller keeps the rate: at most twice a second."""
        for name, value in values.items():
            self.picture.put(view.SECTION, name, value)

    def things(self, kind: str, values: Mapping[str, Any]) -> None:
        """All of one kind, by id; what is not named is gone."""
        for name in self._named[kind] - values.keys():
            self.picture.remove(kind, name)
        self._named[kind] = set(values)
        for name, value in values.items():
            self.picture.put(kind, name, value)

    def _node(self, name: str) -> None:
        report, gaps = self._read_node(name)
        made = view.NodeView(
            **self._places[name],
            **{field: getattr(report, field) for field in _REPORTED},
            at_us=report.last_seen_us,
            state=_state(report, name in self._detecting),
            conditions=tuple(report.conditions),
            settings=None if report.settings is None else shown(report.settings),
            contact_s=report.contact_s,
            days_left=self._read_days_left(name),
            gaps=tuple(gaps),
        )
        self.picture.put(view.NODE, name, made)

    def _alarm(self, alarm: Alarm) -> None:
        name, known = str(alarm.id), self._alarms.get(alarm.id)
        if known is alarm:
            return
        self._alarms[alarm.id] = alarm
        self.picture.put(view.ALARM, name, view.view_alarm(self._site, alarm))
        self.nodes(alarm.nodes)
        if alarm.open:
            if known is not None and not known.open:
                self._closed.remove(alarm.id)
        elif known is None or known.open:
            self._closed.append(alarm.id)
        while len(self._closed) > MAX_CLOSED:
            self._drop(self._closed.popleft())

    def _drop(self, alarm_id: int) -> None:
        del self._alarms[alarm_id]
        self.picture.remove(view.ALARM, str(alarm_id))

    def _reconcile(self, state: AlarmState) -> None:
        open_now = {alarm.id for alarm in state.open}
        for alarm_id in [a.id for a in self._alarms.values() if a.open and a.id not in open_now]:
            self._drop(alarm_id)
        for alarm in (*state.closed[-MAX_CLOSED:], *state.open):
            if alarm.open or alarm.id in self._alarms or len(self._closed) < MAX_CLOSED:
                self._alarm(alarm)

    def _untrack(self, name: str) -> None:
        track = self._tracks.pop(name, None)
        if track is None:
            return
        self.picture.remove(view.TRACK, name)
        for node in track.nodes:
            self._detects(node, name, False)

    def _detects(self, node: str, track: str, begins: bool) -> None:
        if begins:
            self._detecting[node].add(track)
        else:
            self._detecting[node].discard(track)
            if not self._detecting[node]:
                del self._detecting[node]
        self.nodes((node,))


def _state(report: NodeReport, detecting: bool) -> str:
    if report.last_seen_us is None:
        return "not_reporting"
    if report.lost:
        return "offline"
    if detecting:
        return "detecting"
    return "fault" if report.conditions or report.forged else "normal"


def _walks(state: AlarmState, now_us: int) -> list[Walk]:
    return [walk for walk in state.walks if now_us < walk.until_us]
