# SPDX-License-Identifier: MIT
"""Fusion: the estimator's input: rows of peaks, silences, movements in view and positions."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.fusion.estimate.arrivals import Arrivals
from gateway.fusion.estimate.positions import FArray, Position
from gateway.fusion.floors import NoiseFloors
from gateway.model.event import Activity
from gateway.model.place.site import Site
from gateway.model.target import Phase

PEAK_OVER_FLOOR = 3.5  # the largest of a few hundred samples of noise over its rms
_DETECTS_OVER_FLOOR = 7.0  # a node starts to detect peaks that are so far over its floor
_REPORT_US = 5_500_000  # a running activity is reported every 5 s; more is lost on the way
_MEMORY_US = 60_000_000
_MAX_PEAKS = 36
_MAX_SILENT = 12
_BEFORE_US = 8_000_000  # a node that starts to detect did not so long before: its slowest onset
_SILENT_AT_US = (0, 8_000_000, 16_000_000)
_AFTER_US = 2_000_000
PIR_RANGE_M = 12.0

Row = tuple[str, float, float, float]  # name of a place, since, until, limit
Peak = tuple[int, Row]  # with the time by which the newest are kept


@dataclass(frozen=True, slots=True)
class Rows:
    """What one observation type adds to the estimator. A row names a node of the site or one of
    `places` (name: x_m, y_m); times in seconds, 0 at the event's newest observation."""

    peaks: tuple[Peak, ...] = ()
    silences: tuple[Row, ...] = ()
    views: tuple[Row, ...] = ()
    positions: tuple[Position, ...] = ()
    places: tuple[tuple[str, float, float], ...] = ()
    arrivals: Arrivals | None = None


@dataclass(frozen=True, slots=True)
class Measurements:
    """n places and rows about them: peaks first, then silences, then movements in view.

    Times in seconds, 0 at the newest observation; places in metres; levels ln um/s. `limit` is the
    peak of a peak row, what a silent node would have detected, or a sensor's range in metres.
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
    positions: tuple[Position, ...] = ()


def measurements(site: Site, floors: NoiseFloors, parts: Iterable[Rows]) -> Measurements:
    """All rows together, bounded: the newest peaks and movements, the first silences."""
    parts = tuple(parts)
    newest = sorted(peak for part in parts for peak in part.peaks)[-_MAX_PEAKS:]
    peaks = [row for _, row in newest]
    silences = [row for part in parts for row in part.silences][:_MAX_SILENT]
    views = [row for part in parts for row in part.views][-_MAX_SILENT:]
    rows = [*peaks, *silences, *views]
    index = {name: i for i, name in enumerate(dict.fromkeys(row[0] for row in rows))}
    elsewhere = {name: (x_m, y_m, 0.0) for part in parts for name, x_m, y_m in part.places}
    where = [elsewhere.get(name) or _of_node(site, name) for name in index]
    table = np.array([row[1:] for row in rows], float).reshape(-1, 3)
    return Measurements(
        nodes_m=np.array([one[:2] for one in where], float).reshape(-1, 2),
        gain=np.array([one[2] for one in where], float) * (math.log(10) / 20),
        peaks=len(peaks),
        silences=len(silences),
        who=np.array([index[row[0]] for row in rows], np.intp),
        since_s=table[:, 0],
        until_s=table[:, 1],
        limit=table[:, 2],
        noise_um_s=PEAK_OVER_FLOOR * np.array([floors.floor_um_s(row[0]) for row in peaks]),
        positions=tuple(position for part in parts for position in part.positions),
    )


def _of_node(site: Site, name: str) -> tuple[float, float, float]:
    node = site.nodes[name]
    return node.x_m, node.y_m, node.gain_db


def detects_from(floors: NoiseFloors, node: str) -> float:
    """The level, ln um/s, from which on a node's detector notices something."""
    return math.log(_DETECTS_OVER_FLOOR * floors.floor_um_s(node))


def node_rows(
    site: Site,
    floors: NoiseFloors,
    activities: Sequence[Activity],
    busy: Collection[str],
    at_us: int,
) -> Rows:
    """Peaks, silences and PIR movements; `busy` nodes detect something else and prove nothing."""
    peaks, views = _levels(site, activities, at_us)
    silences = _silences(site, floors, activities, busy, at_us)
    return Rows(peaks=tuple(peaks), silences=tuple(silences), views=tuple(views))


def _levels(site: Site, activities: Sequence[Activity], at_us: int) -> tuple[list[Peak], list[Row]]:
    peaks: list[Peak] = []
    seen: list[Row] = []
    for activity in activities:
        name = activity.id.node
        before_us, pir = activity.onset_us, 0
        for report in activity.levels:
            since_us = report.since_us
            if since_us is None:
                since_us = max(before_us, report.at_us - _REPORT_US)
            if since_us < report.at_us and at_us - report.at_us <= _MEMORY_US:
                span = ((since_us - at_us) / 1e6, (report.at_us - at_us) / 1e6)
                level = math.log(max(report.peak_um_s, 0.01))
                peaks.append((report.at_us, (name, *span, level)))
                if report.pir_count > pir:
                    seen.append((name, *span, site.nodes[name].pir_range_m or PIR_RANGE_M))
            before_us, pir = report.at_us, max(pir, report.pir_count)
    return peaks, seen


def _silences(
    site: Site,
    floors: NoiseFloors,
    activities: Sequence[Activity],
    busy: Collection[str],
    at_us: int,
) -> list[Row]:
    spans: dict[str, list[tuple[int, int]]] = {}
    for activity in activities:
        until_us = activity.report_us if activity.phase is Phase.END else at_us
        spans.setdefault(activity.id.node, []).append((activity.onset_us - _BEFORE_US, until_us))
    rows: list[Row] = []
    for name, detected in spans.items():
        # It was listening then: it reported the onset, and the end.
        first_us = min(start for start, _ in detected)
        over_us = max(until for _, until in detected) + _AFTER_US
        for moment_us in (first_us, over_us):
            if at_us - _MEMORY_US <= moment_us <= at_us:
                at_s = (moment_us - at_us) / 1e6
                rows.append((name, at_s, at_s, detects_from(floors, name)))
    for name in site.around(spans):
        if name in busy:
            continue
        for ago_us in _SILENT_AT_US:
            moment_us = at_us - ago_us
            if floors.listens(name, moment_us) and not any(
                start <= moment_us <= end for start, end in spans.get(name, ())
            ):
                rows.append((name, -ago_us / 1e6, -ago_us / 1e6, detects_from(floors, name)))
    return rows
