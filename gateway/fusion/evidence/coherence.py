# SPDX-License-Identifier: MIT
"""Fusion: what many nodes measure alike at once is far away or in the air, and no walker.

Wind, thunder, blasts, quakes and aircraft reach many nodes at once and about as loud: nothing that
walks or drives among the nodes can be near to all of them. It lowers confidence and is listed as a
reason; it never suppresses an alarm by itself, for an intruder may use the storm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gateway.fusion.evidence.passages import passages
from gateway.fusion.evidence.wave import IN_AIR, wave_reason
from gateway.fusion.floors import NoiseFloors
from gateway.fusion.gating import agree
from gateway.fusion.rules import SPEED_MAX_M_S
from gateway.model.event import Activity
from gateway.model.place.site import Site
from gateway.model.target import TargetClass

_NODES = 4
_SHARE = 0.6  # of the nodes around that listen
_APERTURE_M = 60.0
_FLAT_DB = 5.0  # coupling and path losses among nodes equally far; near ones differ by 10 and more
_BLAST_S = 3.0  # a blast's onsets, as nodes report them; a person who crosses takes longer
_WAVE_US = 8_000_000  # between the first and the last onset of one wave
_RECENT_US = 15_000_000
_AT_ONCE = 2.0  # times the fastest of the class: no way to be at one node after the other


@dataclass(frozen=True, slots=True)
class Doubt:
    """A sign of a cause that is no crossing; `kind` names its weight."""

    kind: str
    reason: str


FAR = "AGAINST: simultaneous, equal level at all nodes (thunder, aircraft)"
# Of these, all reports together are one witness: no node confirms another.
ONE_WITNESS = frozenset({"far", "wave"})


def doubts(
    site: Site,
    floors: NoiseFloors,
    activities: Sequence[Activity],
    target: TargetClass,
    at_us: int,
    others: Sequence[Activity] = (),
) -> tuple[Doubt, ...]:
    """Signs that these activities have a cause far away or in the air. `others` are those of other
    events: a wave over a long line may start several."""
    found: list[Doubt] = []
    first = _first_onsets(activities)
    # A person who stands and digs is detected at once by all nodes in range.
    stands = target is TargetClass.DIGGING
    wave = wave_reason(site, passages(activities), stands)
    # Nodes that name different kinds do not state one wave: each may be real.
    alike = [one for one in others if agree(one.target, target)]
    near = _started_with(alike, first)
    if not wave and near:
        wave = wave_reason(site, passages((*activities, *near)), stands)
    at_once = not stands and _is_everywhere(site, floors, first, at_us)
    at_once = at_once and _is_at_once(site, first, target)
    # Alike alone is no sign: so is a person who walks along the nodes.
    if at_once and _is_flat(site, activities, at_us):
        found.append(Doubt("far", IN_AIR if wave == IN_AIR else FAR))
    elif wave:
        found.append(Doubt("wave", wave))
    elif at_once and _spread_s(first) <= _BLAST_S:
        found.append(Doubt("blast", "AGAINST: simultaneous at all nodes (blast, gust)"))
    if floors.are_noisy(site.around(first)):
        found.append(Doubt("noisy", "AGAINST: noisy ground at most nodes (wind, rain)"))
    return tuple(found)


def _started_with(others: Sequence[Activity], first: dict[str, int]) -> list[Activity]:
    """Those of other nodes that started within seconds of all of these."""
    if not first or max(first.values()) - min(first.values()) > _WAVE_US:
        return []
    from_us, until_us = max(first.values()) - _WAVE_US, min(first.values()) + _WAVE_US
    return [
        one for one in others if from_us <= one.onset_us <= until_us and one.id.node not in first
    ]


def _first_onsets(activities: Sequence[Activity]) -> dict[str, int]:
    first: dict[str, int] = {}
    for activity in activities:
        node = activity.id.node
        first[node] = min(first.get(node, activity.onset_us), activity.onset_us)
    return first


def _is_everywhere(site: Site, floors: NoiseFloors, first: dict[str, int], at_us: int) -> bool:
    if len(first) < _NODES:
        return False
    listening = sum(floors.listens(node, at_us) or node in first for node in site.around(first))
    if len(first) < _SHARE * listening:
        return False
    return _aperture_m(site, first) >= _APERTURE_M


def _aperture_m(site: Site, nodes: dict[str, int]) -> float:
    places = [(site.nodes[node].x_m, site.nodes[node].y_m) for node in nodes]
    return max(math.dist(a, b) for a, b in combinations(places, 2))


def _is_at_once(site: Site, first: dict[str, int], target: TargetClass) -> bool:
    return _aperture_m(site, first) > _AT_ONCE * SPEED_MAX_M_S[target] * _spread_s(first)


def _spread_s(first: dict[str, int]) -> float:
    return (max(first.values()) - min(first.values())) / 1e6


def _is_flat(site: Site, activities: Sequence[Activity], at_us: int) -> bool:
    loudest: dict[str, float] = {}
    for activity in activities:
        node = activity.id.node
        for report in activity.levels:
            if at_us - report.at_us <= _RECENT_US and report.at_us > activity.onset_us:
                loudest[node] = max(loudest.get(node, 0.0), report.peak_um_s)
    levels = [
        20 * math.log10(max(peak, 0.01)) - site.nodes[node].gain_db
        for node, peak in loudest.items()
    ]
    return len(levels) >= _NODES and float(np.std(levels)) < _FLAT_DB
