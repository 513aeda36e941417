# SPDX-License-Identifier: MIT
"""Record: marks become stretches, and the truth of a take as far as marks state it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tools.record.marks import BACKGROUND, END, Mark


@dataclass(frozen=True)
class Stretch:
    """From one mark to the next, or to the end of the take."""

    label: str
    start_s: float
    end_s: float

    @property
    def is_null(self) -> bool:
        """Whether nothing was there to detect."""
        return self.label == BACKGROUND


def stretches(marks: Sequence[Mark], duration_s: float, background: bool) -> list[Stretch]:
    """The stretches of a take. Marks `end` start none; a take of background is one."""
    if background:
        return [Stretch(BACKGROUND, 0.0, duration_s)]
    ends = [*(mark.t_s for mark in marks[1:]), duration_s]
    return [
        Stretch(mark.label.text, mark.t_s, end_s)
        for mark, end_s in zip(marks, ends, strict=False)
        if mark.label.text != END and mark.t_s < end_s
    ]


def truth_of(
    marks: Sequence[Mark], duration_s: float, background: bool, class_name: str, count: int
) -> dict[str, Any] | None:
    """The content of truth.json: background, or the walks between marks with a place. None where
    the marks state no place: a score must not treat such a take as empty ground."""
    walks = [] if background else walks_of(marks)
    if not walks and not background:
        return None
    actors = [
        {"id": f"walk_{number}", "class": class_name, "count": count, "detail": "", "path": path}
        for number, path in enumerate(walks, 1)
    ]
    return {
        "version": 1,
        "duration_s": duration_s,
        "actors": actors,
        "crossings": [],
        "conditions": [],
    }


def walks_of(marks: Sequence[Mark]) -> list[list[list[float]]]:
    """Paths of [t_s, x_m, y_m]: marks with places in a row. A mark without one ends the walk."""
    walks: list[list[list[float]]] = [[]]
    for mark in marks:
        if mark.label.place is None:
            walks.append([])
        else:
            walks[-1].append([round(mark.t_s, 3), *mark.label.place])
    return [path for path in walks if len(path) > 1 and all(a[0] < b[0] for a, b in pairwise(path))]
