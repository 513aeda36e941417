# SPDX-License-Identifier: MIT
"""`groundwatch model score`: detections and classes of the node's model on recorded takes.

A stretch from one mark to the next is one trial. It is detected in two cases: an activity starts in
it, or up to two seconds before, since a key is pressed late; or an activity lasts through at least
half of it, without its last GRACE_S, since a node ends an activity late. The class is right when
the last class of one of these activities is a class of the take.

On null stretches each activity that starts is a false detection. They start and end GRACE_S away
from marks, when the person may be near. The detector starts on synthetic quiet ground before each
take, so the first seconds do not count.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from sim_hardware import take
from sim_hardware.take import Take
from tools import micropython
from tools.batch import Refused, attempt, divided, sum_up
from tools.errors import UserError
from tools.record.recording import Recording, find_takes, read_recording, read_take_marks
from tools.record.truth import Stretch, stretches
from tools.score.intervals import Interval, rate, share
from tools.score.matching import OVERLAP, Activity
from tools.score.observe import activities, observe_take
from tools.score.truth import GRACE_S, common_s

SETTLE_S = 10.0
_LATE_S = 2.0
_BOARD = "pico_w"  # the fast path's front end; the samples of a take are ground velocity
_RIGHT = {"person": ("person", "group"), "group": ("person", "group")}
_EMPTY = {"version": 1, "actors": [], "crossings": [], "conditions": []}
_HEADS = ("by", "", "stretches", "detected (95 %)", "right class (95 %)")


@dataclass(frozen=True)
class Trial:
    """One stretch with something to detect. `classes`: the last class of each activity in it."""

    take: str
    label: str
    people: tuple[str, ...]
    classes: tuple[str, ...]
    is_right: bool

    @property
    def is_hit(self) -> bool:
        """Whether any activity answers it."""
        return bool(self.classes)


@dataclass(frozen=True)
class Scored:
    """One take: its trials, its null time in node-hours, the activities that start in it."""

    name: str
    trials: list[Trial]
    null_hours: float
    false: list[str]


def score_takes(takes: Path, seed: int, as_json: bool) -> int:
    """Score every take below the folder. 1 when some were refused."""
    if seed < 0:
        raise UserError("--seed must be 0 or more")
    folders = find_takes(takes)
    node = micropython.find()
    console = Console(stderr=True)
    scored, refused = divided(
        [
            attempt(lambda path: score(take.load(path), path, node, seed), folder)
            for folder in track(folders, "scores", console=console, transient=True)
        ]
    )
    if as_json:
        _print_json(scored, refused)
    else:
        _print_tables(scored)
    return sum_up(len(scored), refused)


def score(given: Take, folder: Path, node: Path, seed: int) -> Scored:
    """One take through the node's detector. Raises UserError, SimError."""
    recording, marks = read_recording(folder), read_take_marks(folder)
    found = _activities(given, folder.name, node, seed)
    trials, false, null_s = [], [], 0.0
    for one in stretches(marks, given.duration_s, recording.background):
        stretch = _counted(one, given.duration_s)
        if stretch.start_s >= stretch.end_s:
            continue
        if stretch.is_null:
            null_s += stretch.end_s - stretch.start_s
            false += [a.class_name for a in found if _starts_in(a, stretch, 0.0)]
        else:
            trials.append(_trial(recording, folder.name, stretch, found))
    return Scored(folder.name, trials, null_s / 3600, false)


def _activities(given: Take, name: str, node: Path, seed: int) -> list[Activity]:
    spec = replace(given.nodes[0], board=_BOARD)
    alone = replace(given, site=replace(given.site, nodes=(spec,)), truth=_EMPTY)
    return activities(observe_take(alone, name, node, seed))


def _trial(recording: Recording, name: str, stretch: Stretch, given: Sequence[Activity]) -> Trial:
    length_s = stretch.end_s - stretch.start_s
    span = (stretch.start_s, stretch.end_s)
    found = tuple(
        one.class_name
        for one in given
        if _starts_in(one, stretch, _LATE_S)
        or common_s((one.start_s, one.end_s - GRACE_S), span) >= OVERLAP * length_s
    )
    right = _RIGHT.get(recording.class_name, (recording.class_name,))
    is_right = any(one in right for one in found)
    return Trial(name, stretch.label, tuple(recording.people), found, is_right)


def _counted(given: Stretch, duration_s: float) -> Stretch:
    start_s, end_s = given.start_s, given.end_s
    if given.is_null and start_s > 0:
        start_s += GRACE_S
    if given.is_null and end_s < duration_s:
        end_s -= GRACE_S
    return replace(given, start_s=max(start_s, SETTLE_S), end_s=end_s)


def _starts_in(one: Activity, stretch: Stretch, late_s: float) -> bool:
    return stretch.start_s - late_s <= one.start_s < stretch.end_s


_BY: tuple[tuple[str, Callable[[Trial], Iterable[str]]], ...] = (
    ("label", lambda one: (one.label,)),
    ("person", lambda one: one.people),
    ("session", lambda one: (one.take,)),
    ("all", lambda _one: ("all",)),
)


def groups(scored: Sequence[Scored]) -> list[dict[str, Any]]:
    """A row for each label, person and session, and one for all."""
    trials = [trial for one in scored for trial in one.trials]
    rows = []
    for by, keys in _BY:
        for name in sorted({key for one in trials for key in keys(one)}):
            own = [one for one in trials if name in keys(one)]
            hits, right = sum(one.is_hit for one in own), sum(one.is_right for one in own)
            rows.append(
                {
                    "by": by,
                    "name": name,
                    "stretches": len(own),
                    "detected": hits,
                    "detected_share": _shown(share(hits, len(own))),
                    "right_class": right,
                    "right_class_share": _shown(share(right, len(own))),
                }
            )
    return rows


def null(scored: Sequence[Scored]) -> dict[str, Any]:
    """False detections on stretches of background."""
    count, hours = sum(len(one.false) for one in scored), sum(one.null_hours for one in scored)
    return {
        "node_hours": round(hours, 4),
        "false_detections": count,
        "per_node_hour": _shown(rate(count, hours)),
    }


def _shown(given: Interval) -> dict[str, float | None]:
    def number(value: float) -> float | None:
        return round(value, 4) if math.isfinite(value) else None

    return {"value": number(given.value), "low": number(given.low), "high": number(given.high)}


def _print_json(scored: Sequence[Scored], refused: Sequence[Refused]) -> None:
    for bad in refused:
        print(json.dumps(bad.to_json()))
    for one in scored:
        for trial in one.trials:
            facts: dict[str, Any] = {
                "take": trial.take,
                "label": trial.label,
                "people": trial.people,
            }
            facts |= {"classes": trial.classes, "right_class": trial.is_right}
            print(json.dumps({"type": "stretch", **facts}))
        if one.null_hours:
            facts = {"take": one.name, "node_hours": one.null_hours, "classes": one.false}
            print(json.dumps({"type": "null", **facts}))
    print(json.dumps({"type": "summary", "groups": groups(scored), "null": null(scored)}))


def _print_tables(scored: Sequence[Scored]) -> None:
    table = Table(*_HEADS)
    for row in groups(scored):
        table.add_row(
            row["by"],
            row["name"],
            str(row["stretches"]),
            _percent(row["detected"], row["detected_share"]),
            _percent(row["right_class"], row["right_class_share"]),
        )
    console = Console(highlight=False)
    console.print(table)
    found = null(scored)
    if not found["node_hours"]:
        console.print("no null stretch: nothing is known of false detections")
        return
    per_h = found["per_node_hour"]
    console.print(
        f"background: {found['false_detections']} false detections in {found['node_hours']:.3f} "
        f"node-hours, {per_h['value']:.2f} per node-hour ({per_h['low']:.2f}-{per_h['high']:.2f})"
    )


def _percent(count: int, given: dict[str, float]) -> str:
    low, high = 100 * given["low"], 100 * given["high"]
    return f"{count}, {100 * given['value']:.0f} % ({low:.0f}-{high:.0f})"
