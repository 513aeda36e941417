# SPDX-License-Identifier: MIT
"""Score: the truth of a take as passes (one actor, one node), conditions and quiet time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tools.errors import UserError

CLASSES = ("person", "group", "animal", "vehicle", "digging")
# What an operator must know of; an alarm on anything else has a real, harmless cause.
WANTED = frozenset({"person", "group", "vehicle", "digging"})
# A report is late by up to one update.
GRACE_S = 10.0
# Half of the nodes detect a walker at 25 to 35 m, so an alarm is possible from here on.
NEAR_M = 30.0
RINGS_M = ((0.0, 10.0), (10.0, 20.0), (20.0, 30.0), (30.0, 50.0))
# Detection may be required within this: footsteps are detected to 51 m at best (Sabatier and
# Ekimov, SPIE 6963, 2008), vehicles at two to three times that.
REACH_M = {"vehicle": 150.0}
REACH_FOOT_M = 60.0
# A report has no cause when no actor is within this. Beyond it simulated footsteps are zero
# (sim_hardware.world.soil.FARTHEST_M) and a truck is below the noise of a quiet night.
CAUSE_M = {"vehicle": 400.0}
CAUSE_FOOT_M = 150.0
# Counted apart from their class, because no goal includes them: one hundredth of a step's force.
APART = frozenset({"sneaker"})
_STEP_S = 0.5
_FILE_STEP_S = 2.2  # between members of a group, 1..3 m at walking pace
# Weather by the class it falls in; below the first one is calm.
_WIND_M_S = ((5.0, ""), (8.0, "wind 5-8 m/s"), (12.0, "wind 8-12 m/s"), (999.0, "wind over 12 m/s"))
_RAIN_MM_H = (
    (0.5, ""),
    (5.0, "light rain"),
    (15.0, "rain 5-15 mm/h"),
    (999.0, "rain over 15 mm/h"),
)
CALM = "calm"
Span = tuple[float, float]


@dataclass(frozen=True)
class Point:
    """Where a node stands, metres east and north."""

    x_m: float
    y_m: float


@dataclass(frozen=True)
class NodePass:
    """One actor passes one node. A report within `window` may answer the pass; a report within the
    longer `cause` may be caused by it.

    `audible` is None where the take's truth does not state it; `audible_from_s` is the first time.
    `near_from_s`: when the actor was first within NEAR_M and audible, None if it never was.
    """

    actor: str
    class_name: str
    node: str
    t_cpa_s: float
    distance_m: float
    window: Span
    cause: Span
    audible: bool | None = None
    audible_from_s: float | None = None
    near_from_s: float | None = None

    @property
    def ring(self) -> str:
        """Name of the distance ring, empty beyond the last one."""
        for low, high in RINGS_M:
            if low <= self.distance_m < high:
                return f"{low:.0f}-{high:.0f} m"
        return ""


@dataclass(frozen=True)
class Condition:
    """A stretch of one kind of weather."""

    span: Span
    name: str


@dataclass(frozen=True)
class Truth:
    """What happened, as the scores need it; `walks` has (t_s, x_m, y_m) every half second."""

    duration_s: float
    actors: Mapping[str, Mapping[str, Any]]
    walks: Mapping[str, Sequence[tuple[float, float, float]]]
    passes: tuple[NodePass, ...]
    conditions: tuple[Condition, ...]
    crossings: tuple[Mapping[str, Any], ...]
    dead_from_s: Mapping[str, float]
    cut_from_s: Mapping[str, float]  # the geophone's cable

    def condition(self, t_s: float) -> str:
        """The weather at a time."""
        for condition in self.conditions:
            if condition.span[0] <= t_s < condition.span[1]:
                return condition.name
        return self.conditions[-1].name

    def causes(self, node: str) -> list[Span]:
        """When a node had something to detect, and GRACE_S after it; merged and sorted."""
        spans = [p.cause for p in self.passes if p.node == node]
        silent_s = min(self.dead_from_s.get(node, math.inf), self.cut_from_s.get(node, math.inf))
        spans.append((silent_s, math.inf))  # from then on no detection is required of it
        return merged((start, end + GRACE_S) for start, end in spans)


def label(actor: Mapping[str, Any]) -> str:
    """The class under which an actor is counted."""
    detail = str(actor.get("detail", ""))
    return f"{actor['class']} ({detail})" if detail in APART else str(actor["class"])


def merged(spans: Iterable[Span]) -> list[Span]:
    """The union of time spans, sorted."""
    out: list[Span] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def outside(spans: Sequence[Span], whole: Span) -> list[Span]:
    """What is left of `whole` without `spans` (merged and sorted)."""
    left, at = [], whole[0]
    for start, end in spans:
        if start > at:
            left.append((at, min(start, whole[1])))
        at = max(at, end)
    if at < whole[1]:
        left.append((at, whole[1]))
    return [(start, end) for start, end in left if end > start]


def common_s(a: Span, b: Span) -> float:
    """Seconds two spans share."""
    return max(0.0, min(a[1], b[1]) - max(a[0], b[0]))


def read_truth(
    given: Mapping[str, Any] | None, nodes: Mapping[str, Point], duration_s: float, name: str
) -> Truth:
    """The truth of a take in the form of truth.json. Raises UserError with one line."""
    if given is None:
        raise UserError(f"{name}: has no truth.json to score against; `replay` plays it without")
    try:
        actors = {str(actor["id"]): actor for actor in given["actors"]}
        walks = {key: walk(actor["path"]) for key, actor in actors.items()}
        stated = {(p["actor"], p["node"]): p for p in given.get("passes", ())}
        dead, cut = (_silent(given, key) for key in ("dead_from_s", "deaf_from_s"))
        passes = tuple(
            found
            for key, actor in actors.items()
            for node, place in nodes.items()
            if (found := _pass(actor, walks[key], node, place, stated.get((key, node)))) is not None
            and 0 <= found.t_cpa_s < min(duration_s, dead.get(node, math.inf))
            and found.t_cpa_s < cut.get(node, math.inf)
        )
        crossings = tuple(c for c in given.get("crossings", ()) if c["t_s"] < duration_s)
        conditions = _conditions(given, duration_s)
        return Truth(duration_s, actors, walks, passes, conditions, crossings, dead, cut)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise UserError(f"{name}: truth.json is invalid ({error!r})") from None


def walk(path: Sequence[Sequence[float]]) -> list[tuple[float, float, float]]:
    """A path of corners as points every half second."""
    steps = [tuple(map(float, path[0]))]
    for (t0, x0, y0), (t1, x1, y1) in pairwise(path):
        count = max(1, math.ceil((t1 - t0) / _STEP_S))
        for i in range(1, count + 1):
            part = i / count
            steps.append((t0 + part * (t1 - t0), x0 + part * (x1 - x0), y0 + part * (y1 - y0)))
    return [(t, x, y) for t, x, y in steps]


def _pass(
    actor: Mapping[str, Any],
    steps: Sequence[tuple[float, float, float]],
    node: str,
    place: Point,
    stated: Mapping[str, Any] | None,
) -> NodePass | None:
    class_name = str(actor["class"])
    reach_m = REACH_M.get(class_name, REACH_FOOT_M)
    away = [(math.hypot(x - place.x_m, y - place.y_m), t) for t, x, y in steps]
    cause_m = CAUSE_M.get(class_name, CAUSE_FOOT_M)
    cause = [t for distance_m, t in away if distance_m <= cause_m]
    if not cause:
        return None
    distance_m, t_cpa_s = min(away)
    near = [t for distance_m, t in away if distance_m <= reach_m] or [t_cpa_s]
    late_s = _FILE_STEP_S * (int(actor.get("count", 1)) - 1)
    near_from_s = next((t for distance, t in away if distance <= NEAR_M), None)
    audible: bool | None = None
    audible_from_s: float | None = None
    if stated is not None:
        t_cpa_s, distance_m = float(stated["t_cpa_s"]), float(stated["distance_m"])
        audible = bool(stated["audible"])
        if "audible_from_s" in stated:
            audible_from_s = float(stated["audible_from_s"])
        if near_from_s is not None:
            both = audible_from_s is not None
            near_from_s = max(near_from_s, audible_from_s or 0.0) if both else None
    return NodePass(
        actor=str(actor["id"]),
        class_name=class_name,
        node=node,
        t_cpa_s=t_cpa_s,
        distance_m=distance_m,
        window=(near[0], near[-1] + late_s),
        cause=(cause[0], cause[-1] + late_s),
        audible=audible,
        audible_from_s=audible_from_s,
        near_from_s=near_from_s,
    )


def _conditions(given: Mapping[str, Any], duration_s: float) -> tuple[Condition, ...]:
    stated = given.get("conditions", ())
    edges = {0.0, duration_s}
    for one in stated:
        edges |= {float(one["t0_s"]), float(one["t1_s"])}
    out = []
    for start, end in pairwise(sorted(edge for edge in edges if 0 <= edge <= duration_s)):
        there = [one for one in stated if one["t0_s"] <= start and one["t1_s"] >= end]
        levels = {str(one["kind"]): float(one["level"]) for one in there}
        wind, rain = levels.pop("wind_m_s", 0.0), levels.pop("rain_mm_h", 0.0)
        levels.pop("ambient_nm_s", None)
        words = [_class(wind, _WIND_M_S), _class(rain, _RAIN_MM_H), *sorted(levels)]
        out.append(Condition((start, end), ", ".join(w for w in words if w) or CALM))
    return tuple(out)


def _class(level: float, classes: Sequence[tuple[float, str]]) -> str:
    return next((name for below, name in classes if level < below), classes[-1][1])


def _silent(given: Mapping[str, Any], key: str) -> dict[str, float]:
    return {
        str(f["node"]): float(f[key]) for f in given.get("faults", ()) if f.get(key) is not None
    }
