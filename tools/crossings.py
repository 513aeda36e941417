# SPDX-License-Identifier: MIT
"""Truth against alarms: which crossings were alarmed, when, and which alarms had no cause.

A crossing is one pass of an actor over the line of nodes. An alarm belongs to it when it is raised
while the actor is within REACH_M of a node that the alarm names, or GRACE_S later.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

# Nothing on foot is heard further away than this (51 m is the computed ceiling on a quiet site:
# Sabatier and Ekimov, SPIE 6963, 2008).
REACH_M = 60.0
# Reports lag the ground by up to one update.
GRACE_S = 10.0
# Half of the nodes hear a walker at 25 to 35 m, so an alert could begin here.
HEARD_M = 30.0
# What an operator wants to be told; an alarm on anything else has a real, harmless cause.
WANTED = frozenset({"person", "group", "vehicle", "digging"})


@dataclass(frozen=True)
class Point:
    """Where a node stands, metres east and north."""

    x_m: float
    y_m: float


@dataclass
class Score:
    """What became of the crossings. `false_alarms` had no cause, `nuisance_alarms` a harmless one,
    `repeated_alarms` an alarmed crossing."""

    crossings: int = 0
    crossings_alarmed: int = 0
    false_alarms: int = 0
    nuisance_alarms: int = 0
    repeated_alarms: int = 0
    first_alert_s: list[float] = field(default_factory=list)

    @property
    def first_alert_s_p50(self) -> float | None:
        """Median of the time from the actor's coming within HEARD_M of a node to its alarm."""
        return round(median(self.first_alert_s), 2) if self.first_alert_s else None


def score(
    truth: Mapping[str, Any],
    nodes: Mapping[str, Point],
    alarms: Iterable[Mapping[str, Any]],
    until_s: float,
) -> Score:
    """Match alarm lines (`t_s`, `nodes`) with the truth of a take up to `until_s`."""
    actors = {actor["id"]: actor for actor in truth["actors"]}
    crossed = {c["actor"]: c for c in truth["crossings"] if c["t_s"] <= until_s}
    wanted = [name for name in crossed if actors[name]["class"] in WANTED]
    result = Score(crossings=len(wanted))
    alarmed: set[str] = set()
    for alarm in alarms:
        named = [nodes[name] for name in alarm["nodes"]]
        causes = [name for name, actor in actors.items() if _may_cause(actor, named, alarm["t_s"])]
        wanted_causes = [name for name in causes if actors[name]["class"] in WANTED]
        fresh = [name for name in wanted_causes if name not in alarmed]
        if fresh:
            alarmed.add(fresh[0])
            if fresh[0] in crossed:
                heard_s = _first_within(actors[fresh[0]], nodes.values(), HEARD_M)
                result.first_alert_s.append(max(0.0, alarm["t_s"] - heard_s))
        elif wanted_causes:
            result.repeated_alarms += 1
        elif causes:
            result.nuisance_alarms += 1
        else:
            result.false_alarms += 1
    result.crossings_alarmed = len(alarmed & set(wanted))
    return result


def _may_cause(actor: Mapping[str, Any], nodes: list[Point], t_s: float) -> bool:
    return any(
        t_s - GRACE_S <= at_s <= t_s and math.hypot(x_m - node.x_m, y_m - node.y_m) <= REACH_M
        for at_s, x_m, y_m in _walk(actor)
        for node in nodes
    )


def _first_within(actor: Mapping[str, Any], nodes: Iterable[Point], reach_m: float) -> float:
    points = list(nodes)
    for at_s, x_m, y_m in _walk(actor):
        if any(math.hypot(x_m - node.x_m, y_m - node.y_m) <= reach_m for node in points):
            return at_s
    return math.inf


def _walk(actor: Mapping[str, Any]) -> list[tuple[float, float, float]]:
    # The path of a truth has corners only; half a second is finer than any distance asked for.
    path = actor["path"]
    steps = [tuple(path[0])]
    for (t0, x0, y0), (t1, x1, y1) in pairwise(path):
        count = max(1, math.ceil((t1 - t0) / 0.5))
        for i in range(1, count + 1):
            part = i / count
            steps.append((t0 + part * (t1 - t0), x0 + part * (x1 - x0), y0 + part * (y1 - y0)))
    return [(float(t), float(x), float(y)) for t, x, y in steps]
