# SPDX-License-Identifier: MIT
"""The map table: an event's reports as arrays: peaks, silences, movements in view."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.fusion.ears import Ears
from gateway.model.event import Activity
from gateway.model.site import Site
from gateway.model.target import Phase

FArray = NDArray[np.float64]

PEAK_OVER_FLOOR = 3.5  # the largest of a few hundred samples of noise over its rms
_BEGINS_OVER_FLOOR = 7.0  # a node begins to hear somebody whose peaks are so far over its floor
_REPORT_US = 5_500_000  # a running activity is told of every 5 s; more is lost on the way
_MEMORY_US = 60_000_000
_PEAKS_MOST = 36
_SILENT_MOST = 12
_BEFORE_US = 8_000_000  # a node that begins to hear did not hear so long before: its slowest onset
_SILENT_AT_US = (0, 8_000_000, 16_000_000)
_AFTER_US = 2_000_000
_PIR_RANGE_M = 12.0


@dataclass(frozen=True, slots=True)
class Heard:
    """n nodes and rows about them: peaks first, then silences, then movements in view.

    Times in seconds, 0 at the newest report; places in metres; levels ln um/s. `limit` is the
    peak of a peak row, what a silent node would have heard, or the range of the PIR in metres.
    """

    nodes_m: FArray  # (n, 2)
    gain: FArray  # (n,)
    peaks: int
    silences: int
    who: NDArray[np.intp]  # (rows,)
    since_s: FArray  # (rows,)
    until_s: FArray  # (rows,)
    limit: FArray  # (rows,)
    noise_um_s: FArray  # (peaks,)


Row = tuple[str, float, float, float]  # node, since, until, limit


def heard(
    site: Site, ears: Ears, activities: Sequence[Activity], busy: Collection[str], at_us: int
) -> Heard:
    """What is known of an event at a time; `busy` nodes hear something else and prove nothing."""
    peaks, seen = _sounds(site, activities, at_us)
    silences = _silences(site, ears, activities, busy, at_us)[:_SILENT_MOST]
    rows = [*peaks, *silences, *seen]
    names = list(dict.fromkeys(row[0] for row in rows))
    index = {name: i for i, name in enumerate(names)}
    nodes = [site.nodes[name] for name in names]
    table = np.array([row[1:] for row in rows], float).reshape(-1, 3)
    return Heard(
        nodes_m=np.array([(node.x_m, node.y_m) for node in nodes], float).reshape(-1, 2),
        gain=np.array([node.gain_db for node in nodes], float) * (math.log(10) / 20),
        peaks=len(peaks),
        silences=len(silences),
        who=np.array([index[row[0]] for row in rows], np.intp),
        since_s=table[:, 0],
        until_s=table[:, 1],
        limit=table[:, 2],
        noise_um_s=PEAK_OVER_FLOOR * np.array([ears.floor_um_s(row[0]) for row in peaks]),
    )


def begins_to_hear(ears: Ears, node: str) -> float:
    """The level, ln um/s, from which on a node's detector takes note."""
    return math.log(_BEGINS_OVER_FLOOR * ears.floor_um_s(node))


def _sounds(site: Site, activities: Sequence[Activity], at_us: int) -> tuple[list[Row], list[Row]]:
    peaks: list[tuple[int, Row]] = []
    seen: list[Row] = []
    for activity in activities:
        name = activity.id.node
        before_us, pir = activity.onset_us, 0
        for sound in activity.sounds:
            since_us = sound.since_us
            if since_us is None:
                since_us = max(before_us, sound.at_us - _REPORT_US)
            if since_us < sound.at_us and at_us - sound.at_us <= _MEMORY_US:
                span = ((since_us - at_us) / 1e6, (sound.at_us - at_us) / 1e6)
                level = math.log(max(sound.peak_um_s, 0.01))
                peaks.append((sound.at_us, (name, *span, level)))
                if sound.pir_count > pir:
                    seen.append((name, *span, site.nodes[name].pir_range_m or _PIR_RANGE_M))
            before_us, pir = sound.at_us, max(pir, sound.pir_count)
    peaks.sort()
    return [row for _, row in peaks[-_PEAKS_MOST:]], seen[-_SILENT_MOST:]


def _silences(
    site: Site, ears: Ears, activities: Sequence[Activity], busy: Collection[str], at_us: int
) -> list[Row]:
    spans: dict[str, list[tuple[int, int]]] = {}
    for activity in activities:
        until_us = activity.report_us if activity.phase is Phase.END else at_us
        spans.setdefault(activity.id.node, []).append((activity.onset_us - _BEFORE_US, until_us))
    rows: list[Row] = []
    for name, told in spans.items():
        # It listened then: it said when it began, and when it heard no more.
        first_us = min(begin for begin, _ in told)
        over_us = max(until for _, until in told) + _AFTER_US
        for moment_us in (first_us, over_us):
            if at_us - _MEMORY_US <= moment_us <= at_us:
                at_s = (moment_us - at_us) / 1e6
                rows.append((name, at_s, at_s, begins_to_hear(ears, name)))
    for name in site.around(spans):
        if name in busy:
            continue
        for ago_us in _SILENT_AT_US:
            moment_us = at_us - ago_us
            if ears.hears(name, moment_us) and not any(
                begin <= moment_us <= end for begin, end in spans.get(name, ())
            ):
                rows.append((name, -ago_us / 1e6, -ago_us / 1e6, begins_to_hear(ears, name)))
    return rows
