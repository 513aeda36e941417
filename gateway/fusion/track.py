# SPDX-License-Identifier: MIT
"""The map table: where an event is and how it moves, from onsets and amplitudes of its nodes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gateway.fusion.rules import SPEED_MAX_M_S, Rules
from gateway.model.event import Activity, Track
from gateway.site import Site
from gateway.wire.messages import TargetClass

_LEAST_SPEED_M_S = 0.2


def place(site: Site, activities: Sequence[Activity], recent_us: int) -> tuple[float, float]:
    """Amplitude-weighted middle, metres, of nodes heard within `recent_us` of the newest report."""
    newest = max(activity.report_us for activity in activities)
    heard = [a for a in activities if newest - a.report_us <= recent_us]
    weights = [max(activity.peak_um_s, 0.01) for activity in heard]
    nodes = [site.nodes[activity.id.node] for activity in heard]
    total = sum(weights)
    x_m = sum(w * node.x_m for w, node in zip(weights, nodes, strict=True)) / total
    y_m = sum(w * node.y_m for w, node in zip(weights, nodes, strict=True)) / total
    return x_m, y_m


def motion(
    site: Site, activities: Sequence[Activity], target: TargetClass, rules: Rules
) -> Track | None:
    """Straight-line regression of node positions on first onsets; None when it says nothing.

    Nodes of one kind begin to hear a walker at one distance, so the differences of their onsets are
    those of its closest approaches.
    """
    first: dict[str, int] = {}
    for activity in activities:
        onset = first.get(activity.id.node)
        first[activity.id.node] = min(onset or activity.onset_us, activity.onset_us)
    if (
        len(first) < rules.track_nodes
        or max(first.values()) - min(first.values()) < rules.track_least_us
    ):
        return None
    times = [us / 1e6 for us in first.values()]
    nodes = [site.nodes[node] for node in first]
    mean_t = sum(times) / len(times)
    spread = sum((t - mean_t) ** 2 for t in times)
    vx = sum((t - mean_t) * node.x_m for t, node in zip(times, nodes, strict=True)) / spread
    vy = sum((t - mean_t) * node.y_m for t, node in zip(times, nodes, strict=True)) / spread
    speed = math.hypot(vx, vy)
    if not _LEAST_SPEED_M_S <= speed <= SPEED_MAX_M_S[target]:
        return None
    mean_x = sum(node.x_m for node in nodes) / len(nodes)
    mean_y = sum(node.y_m for node in nodes) / len(nodes)
    scatter = sum((node.x_m - mean_x) ** 2 + (node.y_m - mean_y) ** 2 for node in nodes)
    if speed**2 * spread < rules.track_explained * scatter:
        return None
    return Track(round(math.degrees(math.atan2(vx, vy)) % 360, 1), round(speed, 2))
