# SPDX-License-Identifier: MIT
"""Fusion: when each node detected an event: its onset, the time of its peak, how long it lasted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.model.event import Activity, LevelReport
from gateway.model.target import Phase

_REPORT_US = 5_000_000  # between reports of one activity (ugs.detect.activity)
_SLACK_US = 1_000_000
_ROSE = 1.4  # a later report this much louder than the first: 3 dB
_SHORT_US = 13_000_000  # one shock: a report, and the end that follows 6 s after the last belief


@dataclass(frozen=True, slots=True)
class Passage:
    """One node's part of an event. The peak lies within `peak_width_s` about `peak_us`."""

    node: str
    onset_us: int
    peak_us: int
    peak_width_s: float
    peak_um_s: float
    lasted_s: float
    abrupt: bool  # the first report is the loudest, and it did not last
    levels: tuple[tuple[int, float], ...] = ()  # time and peak of each report
    over: bool = False


def passages(activities: Sequence[Activity]) -> tuple[Passage, ...]:
    """One of each node, in order of onset."""
    by_node: dict[str, list[Activity]] = {}
    for activity in activities:
        by_node.setdefault(activity.id.node, []).append(activity)
    found = [_passage(node, of_node) for node, of_node in by_node.items()]
    return tuple(sorted(found, key=lambda one: (one.onset_us, one.node)))


def _passage(node: str, activities: Sequence[Activity]) -> Passage:
    onset_us = min(activity.onset_us for activity in activities)
    until_us = max(activity.report_us for activity in activities)
    levels = [(since_us, one) for activity in activities for since_us, one in _spans(activity)]
    if not levels:
        peak = max(activity.peak_um_s for activity in activities)
        return Passage(node, onset_us, onset_us, _REPORT_US / 1e6, peak, 0.0, True)
    since_us, loudest = max(levels, key=lambda pair: (pair[1].peak_um_s, -pair[1].at_us))
    first = min(levels, key=lambda pair: pair[1].at_us)[1]
    lasted_us = max(until_us, max(one.at_us for _since, one in levels)) - onset_us
    return Passage(
        node,
        onset_us,
        (since_us + loudest.at_us) // 2,
        max(0.0, (loudest.at_us - since_us) / 1e6),
        loudest.peak_um_s,
        (until_us - onset_us) / 1e6,
        loudest.peak_um_s < _ROSE * first.peak_um_s and lasted_us <= _SHORT_US,
        tuple(sorted((one.at_us, one.peak_um_s) for _since, one in levels)),
        all(activity.phase is Phase.END for activity in activities),
    )


def _spans(activity: Activity) -> list[tuple[int, LevelReport]]:
    """Each level report with the time from which on its peak is."""
    found = []
    before_us: int | None = None
    for one in activity.levels:
        since_us = one.since_us if one.since_us is not None else before_us
        found.append((one.at_us - _REPORT_US if since_us is None else since_us, one))
        before_us = one.at_us
    return found


def common_levels_um_s(given: Sequence[Passage]) -> list[float]:
    """The highest peak of each node until the last time that all of them reported: a level that
    rises is not compared with one that was reported before it rose."""
    until_us = min(
        (one.levels[-1][0] for one in given if one.levels and not one.over), default=None
    )
    found = []
    for one in given:
        peaks = [
            peak for at_us, peak in one.levels if until_us is None or at_us <= until_us + _SLACK_US
        ]
        found.append(max(peaks) if peaks else one.levels[0][1] if one.levels else one.peak_um_s)
    return found
