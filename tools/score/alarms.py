# SPDX-License-Identifier: MIT
"""Score: which alarm answers which actor, and the errors of its position, direction and speed.

An alarm answers the nearest wanted actor that was within reach of one of its nodes when it was
raised, or up to LATE_S before. Hard ground carries far, so it may also answer an actor that was
farther away and comes within reach of the alarm's nodes while the alarm lasts.

Further alarms on an actor are repetitions, and so is one that only an actor beyond reach can have
caused. An alarm that only an animal can have caused is a nuisance. One without any actor is false.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.score.places import WalkerPlace, offs, walker_places
from tools.score.truth import (
    CAUSE_FOOT_M,
    CAUSE_M,
    REACH_FOOT_M,
    REACH_M,
    WANTED,
    Point,
    Span,
    Truth,
    merged,
    outside,
)

Line = Mapping[str, Any]
# A single node raises an alarm with its third report, 10 s after its first, which may look back 8 s
# (gateway.fusion.rules, ugs.detect.activity); rounded up.
LATE_S = 20.0
_STATES = frozenset({"alarm", "alarm_update"})


@dataclass
class AlarmMarks:
    """The alarms of one run, assessed. Errors have one entry for each alarm that states the value
    and answers an actor: seconds after the actor was near and audible, or audible at all, at any
    node; degrees off, share of the true speed, metres from the actor.

    `later` are actors whose alarm named a node within reach after it was raised; `repeats` counts
    by actor. `names` is the last class of each actor's first alarm, `unwanted` counts the classes
    of alarms that answer no actor. `places` are (metres off, metres stated) of each report inside
    the nodes' area, `walkers` those of persons anywhere."""

    hits: dict[str, Line] = field(default_factory=dict)
    later: set[str] = field(default_factory=set)
    repeats: Counter[str] = field(default_factory=Counter)
    names: dict[str, str] = field(default_factory=dict)
    unwanted: Counter[str] = field(default_factory=Counter)
    nuisance: int = 0
    false: list[float] = field(default_factory=list)
    after_near_s: list[float] = field(default_factory=list)
    after_audible_s: list[float] = field(default_factory=list)
    direction_deg: list[float] = field(default_factory=list)
    speed_share: list[float] = field(default_factory=list)
    location_m: list[float] = field(default_factory=list)
    places: list[tuple[float, float]] = field(default_factory=list)
    walkers: list[WalkerPlace] = field(default_factory=list)

    @property
    def repeated(self) -> int:
        """Alarms on actors that had one already."""
        return self.repeats.total()


def quiet_spans(truth: Truth) -> list[Span]:
    """When no actor was present, from LATE_S after the last one: only then is an alarm false."""
    causes = merged((p.cause[0], p.cause[1] + LATE_S) for p in truth.passes)
    return outside(causes, (0.0, truth.duration_s))


def mark(truth: Truth, points: Mapping[str, Point], lines: Sequence[Line]) -> AlarmMarks:
    """Match `alarm` lines with actors; `alarm_update` lines refine direction and speed."""
    marks = AlarmMarks(
        places=offs(truth, points, lines), walkers=walker_places(truth, points, lines)
    )
    last = {one["id"]: str(one["class"]) for one in lines if one["type"] in _STATES}
    for line in lines:
        if line["type"] != "alarm" or not 0 <= line["t_s"] < truth.duration_s + LATE_S:
            continue
        causes = _causes(truth, points, line)
        kinds = {name: str(truth.actors[name]["class"]) for name in causes}
        wanted = [name for name in causes if kinds[name] in WANTED]
        new = [name for name in wanted if name not in marks.hits]
        fresh = [name for name in new if causes[name] <= REACH_M.get(kinds[name], REACH_FOOT_M)]
        if not fresh:
            fresh = [name for name in new if _comes_near(truth, points, name, line, lines)]
            marks.later.update(fresh[:1])
        if fresh:
            marks.hits[fresh[0]] = line
            marks.names[fresh[0]] = last[line["id"]]
            _measure(marks, truth, fresh[0], line, lines)
        elif wanted:
            marks.repeats[wanted[0]] += 1
        elif causes:
            marks.nuisance += 1
            marks.unwanted[last[line["id"]]] += 1
        else:
            marks.false.append(float(line["t_s"]))
            marks.unwanted[last[line["id"]]] += 1
    return marks


def is_wanted(truth: Truth, points: Mapping[str, Point], line: Line) -> bool | None:
    """Whether a wanted actor was within reach of nodes that a line names. None when a wanted actor
    was present but beyond reach: then it is unknown what the nodes detected."""
    kinds = {
        name: (str(truth.actors[name]["class"]), distance_m)
        for name, distance_m in _causes(truth, points, line).items()
    }
    wanted = [pair for pair in kinds.values() if pair[0] in WANTED]
    if any(far_m <= REACH_M.get(kind, REACH_FOOT_M) for kind, far_m in wanted):
        return True
    return None if wanted else False


def beliefs(
    truth: Truth, points: Mapping[str, Point], lines: Sequence[Line]
) -> list[tuple[float, bool, float]]:
    """(confidence stated, whether it was wanted, weight) of each `event` line. The lines of one
    event have a total weight of 1."""
    stated: dict[str, list[tuple[float, bool]]] = {}
    for line in lines:
        if line["type"] == "event":
            wanted = is_wanted(truth, points, line)
            if wanted is not None:
                stated.setdefault(line["event"], []).append((line["confidence"], wanted))
    return [(*one, 1 / len(reports)) for reports in stated.values() for one in reports]


def surer_alarms(lines: Sequence[Line], least_pct: int) -> list[Line]:
    """The `alarm` lines of alarms that reached this confidence at any time."""
    best: dict[int, float] = {}
    for line in lines:
        alarm = line["alarm"] if line["type"] == "event" else line["id"]
        if alarm is not None:
            best[alarm] = max(best.get(alarm, 0.0), line["confidence"])
    return [
        line
        for line in lines
        if line["type"] == "alarm" and 100 * best[line["id"]] >= least_pct - 1e-9
    ]


def _comes_near(
    truth: Truth, points: Mapping[str, Point], actor: str, alarm: Line, lines: Sequence[Line]
) -> bool:
    reach_m = REACH_M.get(str(truth.actors[actor]["class"]), REACH_FOOT_M)
    return any(
        _causes(truth, points, line).get(actor, math.inf) <= reach_m
        for line in lines
        if line["type"] == "alarm_update" and line["id"] == alarm["id"]
    )


def _causes(truth: Truth, points: Mapping[str, Point], line: Line) -> dict[str, float]:
    # name and distance, nearest first
    named = [points[name] for name in line["nodes"]]
    found = []
    for name, steps in truth.walks.items():
        away = [
            math.hypot(x - node.x_m, y - node.y_m)
            for t, x, y in steps
            if line["t_s"] - LATE_S <= t <= line["t_s"]
            for node in named
        ]
        cause_m = CAUSE_M.get(str(truth.actors[name]["class"]), CAUSE_FOOT_M)
        if away and min(away) <= cause_m:
            found.append((min(away), name))
    return {name: distance_m for distance_m, name in sorted(found)}


def _measure(
    marks: AlarmMarks, truth: Truth, actor: str, alarm: Line, lines: Sequence[Line]
) -> None:
    passes = [p for p in truth.passes if p.actor == actor]
    for times, starts in (
        (marks.after_near_s, [p.near_from_s for p in passes]),
        (marks.after_audible_s, [p.audible_from_s for p in passes]),
    ):
        known = [t_s for t_s in starts if t_s is not None]
        if known:
            times.append(max(0.0, alarm["t_s"] - min(known)))
    steps = truth.walks[actor]
    if "x_m" in alarm and "y_m" in alarm:
        _, x_m, y_m = min(steps, key=lambda step: abs(step[0] - alarm["t_s"]))
        marks.location_m.append(math.hypot(alarm["x_m"] - x_m, alarm["y_m"] - y_m))
    # The last value counts: direction and speed come with the second and third node.
    last_s = steps[-1][0] + LATE_S
    later = [line for line in lines if line.get("id") == alarm["id"] and line["t_s"] <= last_s]
    stated = {
        key: line[key] for line in later for key in ("direction_deg", "speed_m_s") if key in line
    }
    (t0, x0, y0), (t1, x1, y1) = steps[0], steps[-1]
    way_m = math.hypot(x1 - x0, y1 - y0)
    if way_m == 0 or t1 <= t0:
        return
    if "direction_deg" in stated:
        heading = math.degrees(math.atan2(x1 - x0, y1 - y0))
        marks.direction_deg.append(abs((stated["direction_deg"] - heading + 180) % 360 - 180))
    if "speed_m_s" in stated:
        true_m_s = way_m / (t1 - t0)
        marks.speed_share.append(abs(stated["speed_m_s"] - true_m_s) / true_m_s)
