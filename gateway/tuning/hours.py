# SPDX-License-Identifier: MIT
"""Tuning: the hours in which a node's detections can be separated from people, and why others
cannot. An hour that does not count is never tuned on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from gateway.model.alarm import Alarm, AlarmKind
from gateway.model.detection import ActivityId
from gateway.tuning.bounds import HOUR_US
from gateway.tuning.labels import is_confirmed
from gateway.tuning.overrides import Overrides

_QUARTERS_US = tuple(quarter * HOUR_US // 4 for quarter in range(4))


class Excluded(Enum):
    """Why an hour does not count."""

    AUTHORISED = "authorised activity"
    PEOPLE = "people or vehicles confirmed"
    UNASSESSED = "alarm not assessed"
    MASKED = "masked"
    DISARMED = "sector disarmed"


class Hours:
    """Hours are numbered from 1970 (UTC). `onsets_us` gives the onset of each known activity."""

    def __init__(
        self,
        overrides: Overrides,
        alarms: Iterable[Alarm],
        onsets_us: Mapping[ActivityId, int],
        first_us: int,
        end_us: int,
    ) -> None:
        self._overrides = overrides
        self._first, self._last = first_us // HOUR_US, (end_us - 1) // HOUR_US
        self._sectors: dict[tuple[str, int], Excluded] = {}
        self._nodes: dict[tuple[str, int], Excluded] = {}
        self._armed: dict[tuple[str, int], bool] = {}
        for walk in overrides.walks.values():
            for sector in walk.sectors:
                self._mark(self._sectors, sector, walk.from_us, walk.until_us, Excluded.AUTHORISED)
        # The first reason stays: confirmed people before alarms that are not assessed.
        found = [alarm for alarm in alarms if alarm.kind is AlarmKind.INTRUSION]
        for alarm in found:
            if is_confirmed(alarm):
                self._mark_alarm(alarm, onsets_us, Excluded.PEOPLE)
        for alarm in found:
            if alarm.disposition is None and not is_confirmed(alarm):
                self._mark_alarm(alarm, onsets_us, Excluded.UNASSESSED)
        for mask in overrides.masks.values():
            for sector in mask.sectors:
                self._mark(self._sectors, sector, mask.from_us, mask.until_us, Excluded.MASKED)
            for node in mask.nodes:
                self._mark(self._nodes, node, mask.from_us, mask.until_us, Excluded.MASKED)

    def excluded(self, node: str, sector: str, hour: int) -> Excluded | None:
        """Why this hour of the node does not count; None: it counts."""
        why = self._sectors.get((sector, hour)) or self._nodes.get((node, hour))
        if why is not None:
            return why
        key = (sector, hour)
        if key not in self._armed:
            self._armed[key] = all(
                self._overrides.is_armed(sector, hour * HOUR_US + quarter_us)
                for quarter_us in _QUARTERS_US
            )
        return None if self._armed[key] else Excluded.DISARMED

    def _mark(
        self,
        into: dict[tuple[str, int], Excluded],
        name: str,
        from_us: int,
        until_us: int,
        why: Excluded,
    ) -> None:
        first = max(self._first, from_us // HOUR_US)
        for hour in range(first, min(self._last, (until_us - 1) // HOUR_US) + 1):
            into.setdefault((name, hour), why)

    def _mark_alarm(self, alarm: Alarm, onsets_us: Mapping[ActivityId, int], why: Excluded) -> None:
        times_us = [onsets_us[one] for one in alarm.detections if one in onsets_us]
        for at_us in (alarm.raised_us, *times_us):
            for sector in alarm.sectors:
                self._sectors.setdefault((sector, at_us // HOUR_US), why)
