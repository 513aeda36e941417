# SPDX-License-Identifier: MIT
"""Score: counts of one run, and their sum over runs. Everything shown is worked out from these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tools.score.alarms import AlarmMarks, Line, beliefs, mark, quiet_spans, surer_alarms
from tools.score.line import alarm_lines
from tools.score.matching import Matches, match
from tools.score.observe import Observation, activities
from tools.score.places import WalkerPlace, is_cell
from tools.score.truth import CLASSES, RINGS_M, WANTED, NodePass, Truth, common_s, label, outside

NOTHING = "nothing"
QUIET_S = 600.0  # a quiet stretch of a node that counts as one event "nothing"
THRESHOLDS_PCT = (0, 55, 60, 65, 70, 75, 80, 85, 90, 95)
FARTHEST_RING_M = RINGS_M[-1][1]


@dataclass
class Cell:
    """Passes of one kind: how many there were, how many a node detected, their windows in s."""

    passes: int = 0
    hits: int = 0
    windows_s: list[float] = field(default_factory=list)

    def add(self, one: NodePass, is_hit: bool) -> None:
        """Count one pass."""
        self.passes += 1
        self.hits += is_hit
        self.windows_s.append(one.window[1] - one.window[0])

    def __iadd__(self, other: Cell) -> Cell:
        """Sum, in place."""
        self.passes += other.passes
        self.hits += other.hits
        self.windows_s += other.windows_s
        return self


@dataclass
class RocPoint:
    """At one threshold of a node's confidence false detections and hits of audible persons; at the
    same one of an alarm's false alarms and crossings alarmed."""

    false_detections: int = 0
    hits: int = 0
    passes: int = 0
    false_alarms: int = 0
    crossings_alarmed: int = 0
    crossings: int = 0


@dataclass
class Tally:
    """Sums over runs. Keys of `rings` and `audible`: (condition, class[, ring]); seconds and false
    counts by condition; `confusion` of activities by (truth, class reported), `alarm_confusion` of
    alarms."""

    runs: list[str] = field(default_factory=list)
    rings: dict[tuple[str, str, str], Cell] = field(default_factory=dict)
    audible: dict[tuple[str, str], Cell] = field(default_factory=dict)
    false: Counter[str] = field(default_factory=Counter)
    quiet_s: Counter[str] = field(default_factory=Counter)
    line_s: Counter[str] = field(default_factory=Counter)
    quiet_line_s: Counter[str] = field(default_factory=Counter)
    false_alarms: Counter[str] = field(default_factory=Counter)
    crossings: Counter[tuple[str, str]] = field(default_factory=Counter)
    crossings_alarmed: Counter[tuple[str, str]] = field(default_factory=Counter)
    crossings_once: Counter[tuple[str, str]] = field(default_factory=Counter)
    # of crossings that were audible at a node on the way
    crossings_audible: Counter[tuple[str, str]] = field(default_factory=Counter)
    crossings_audible_alarmed: Counter[tuple[str, str]] = field(default_factory=Counter)
    crossings_audible_once: Counter[tuple[str, str]] = field(default_factory=Counter)
    answered: int = 0
    answered_later: int = 0
    repeated: int = 0
    repeated_alarms: int = 0
    nuisance_alarms: int = 0
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    alarm_confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    report_after_near_s: list[float] = field(default_factory=list)
    report_after_audible_s: list[float] = field(default_factory=list)
    alarm_after_near_s: list[float] = field(default_factory=list)
    alarm_after_audible_s: list[float] = field(default_factory=list)
    direction_deg: list[float] = field(default_factory=list)
    speed_share: list[float] = field(default_factory=list)
    location_m: list[float] = field(default_factory=list)
    places: list[tuple[float, float]] = field(default_factory=list)
    walkers: list[WalkerPlace] = field(default_factory=list)
    # those of cells that a walk test has calibrated
    cell_places: list[tuple[float, float]] = field(default_factory=list)
    beliefs: list[tuple[float, bool, float]] = field(default_factory=list)
    roc: dict[int, RocPoint] = field(default_factory=dict)


def tally(seen: Observation) -> Tally:
    """Everything to be counted in one run."""
    out = Tally(runs=[seen.name])
    found = match(seen.truth, activities(seen))
    _count_passes(out, seen.truth, found)
    _count_quiet(out, seen, found)
    _count_confusion(out, seen, found)
    lines = alarm_lines(seen)
    _count_alarms(out, seen.truth, mark(seen.truth, seen.points, lines))
    if seen.calibration is not None and is_cell(seen.points):
        out.cell_places = list(out.places)
    out.beliefs = beliefs(seen.truth, seen.points, lines)
    for least_pct in THRESHOLDS_PCT:
        out.roc[least_pct] = _roc_point(seen, lines, least_pct)
    return out


def _counts(one: NodePass) -> bool:
    # Beyond the last ring a miss is no evidence: the world calls few of these passes audible.
    return one.distance_m < FARTHEST_RING_M


def _count_passes(out: Tally, truth: Truth, found: Matches) -> None:
    hit = {id(one) for one, _ in found.hits}
    for one in truth.passes:
        if not _counts(one):
            continue
        kind = (truth.condition(one.t_cpa_s), label(truth.actors[one.actor]))
        out.rings.setdefault((*kind, one.ring), Cell()).add(one, id(one) in hit)
        if one.audible:
            out.audible.setdefault(kind, Cell()).add(one, id(one) in hit)
    for one, activity in found.hits:
        if not _counts(one):
            continue
        if one.near_from_s is not None:
            out.report_after_near_s.append(max(0.0, activity.reported_s - one.near_from_s))
        if one.audible_from_s is not None:
            out.report_after_audible_s.append(max(0.0, activity.reported_s - one.audible_from_s))
    out.repeated += len(found.repeated)


def _count_quiet(out: Tally, seen: Observation, found: Matches) -> None:
    truth = seen.truth
    for activity in found.false:
        out.false[truth.condition(activity.start_s)] += 1
    for condition in truth.conditions:
        out.line_s[condition.name] += round(condition.span[1] - condition.span[0])
        quiet = sum(common_s(condition.span, span) for span in quiet_spans(truth))
        out.quiet_line_s[condition.name] += round(quiet)
        for node in seen.points:
            spans = outside(truth.causes(node), condition.span)
            out.quiet_s[condition.name] += round(sum(end - start for start, end in spans))


def _count_confusion(out: Tally, seen: Observation, found: Matches) -> None:
    answers = {id(one): activity.class_name for one, activity in found.hits}
    for one in seen.truth.passes:
        if _counts(one) and one.audible is not False:
            out.confusion[(one.class_name, answers.get(id(one), NOTHING))] += 1
    for activity in found.false:
        out.confusion[(NOTHING, activity.class_name)] += 1
    for node in seen.points:
        spans = outside(seen.truth.causes(node), (0.0, seen.truth.duration_s))
        stretches = sum(int((end - start) // QUIET_S) for start, end in spans)
        spoiled = sum(activity.node == node for activity in found.false)
        out.confusion[(NOTHING, NOTHING)] += max(0, stretches - spoiled)


def _wanted_crossings(truth: Truth) -> dict[str, float]:
    return {
        str(c["actor"]): float(c["t_s"])
        for c in truth.crossings
        if truth.actors[str(c["actor"])]["class"] in WANTED
    }


def _count_alarms(out: Tally, truth: Truth, marks: AlarmMarks) -> None:
    audible = {one.actor for one in truth.passes if one.audible}
    for actor, t_s in _wanted_crossings(truth).items():
        key = (truth.condition(t_s), label(truth.actors[actor]))
        out.crossings[key] += 1
        is_once = actor in marks.hits and not marks.repeats[actor]
        out.crossings_alarmed[key] += actor in marks.hits
        out.crossings_once[key] += is_once
        if actor in audible:
            out.crossings_audible[key] += 1
            out.crossings_audible_alarmed[key] += actor in marks.hits
            out.crossings_audible_once[key] += is_once
            named = str(truth.actors[actor]["class"]), marks.names.get(actor, NOTHING)
            out.alarm_confusion[named] += 1
    for name, count in marks.unwanted.items():
        out.alarm_confusion[(NOTHING, name)] += count
    for t_s in marks.false:
        out.false_alarms[truth.condition(t_s)] += 1
    out.answered += len(marks.hits)
    out.answered_later += len(marks.later)
    out.repeated_alarms += marks.repeated
    out.nuisance_alarms += marks.nuisance
    out.alarm_after_near_s += marks.after_near_s
    out.alarm_after_audible_s += marks.after_audible_s
    out.direction_deg += marks.direction_deg
    out.speed_share += marks.speed_share
    out.location_m += marks.location_m
    out.places += marks.places
    out.walkers += marks.walkers


def _roc_point(seen: Observation, lines: Sequence[Line], least_pct: int) -> RocPoint:
    found = match(seen.truth, activities(seen, least_pct))
    hit = {id(one) for one, _ in found.hits}
    persons = [p for p in seen.truth.passes if p.class_name == "person" and _counts(p)]
    audible = [p for p in persons if p.audible is not False]
    marks = mark(seen.truth, seen.points, surer_alarms(lines, least_pct))
    crossed = _wanted_crossings(seen.truth)
    return RocPoint(
        len(found.false),
        sum(id(one) in hit for one in audible),
        len(audible),
        len(marks.false),
        sum(actor in marks.hits for actor in crossed),
        len(crossed),
    )


def total(tallies: Iterable[Tally]) -> Tally:
    """The sum over runs; nothing is averaged twice."""
    out = Tally()
    for one in tallies:
        for name, value in vars(one).items():
            mine = getattr(out, name)
            if isinstance(value, int):
                setattr(out, name, mine + value)
            elif isinstance(value, list):
                mine += value
            elif isinstance(value, Counter):
                mine.update(value)
            else:
                _merge(mine, value)
    return out


def _merge(mine: dict[object, object], given: Mapping[object, object]) -> None:
    for key, value in given.items():
        held = mine.get(key)
        if isinstance(value, Cell):
            cell = held if isinstance(held, Cell) else mine.setdefault(key, Cell())
            assert isinstance(cell, Cell)
            cell += value
        elif isinstance(value, RocPoint):
            before = held if isinstance(held, RocPoint) else RocPoint()
            sums = (a + b for a, b in zip(vars(before).values(), vars(value).values(), strict=True))
            mine[key] = RocPoint(*sums)


def class_names(confusion: Mapping[tuple[str, str], int]) -> list[str]:
    """Rows and columns of the confusion matrix: the six classes, then any other reported class."""
    known = [*CLASSES, NOTHING]
    return known + sorted({name for pair in confusion for name in pair} - set(known))
