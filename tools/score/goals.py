# SPDX-License-Identifier: MIT
"""Score: the goals of the project beside what was measured.

A goal is reached when the whole interval meets its limit, missed when no part of it does, and open
otherwise: then there is too little evidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.score.intervals import Interval, rate, share
from tools.score.tally import NOTHING, Tally
from tools.score.truth import CALM, RINGS_M

_NEAREST = f"{RINGS_M[0][0]:.0f}-{RINGS_M[0][1]:.0f} m"
_ON_FOOT = ("person", "group")
HEADING_OK_DEG = 45.0
ELLIPSE_HOLDS = (0.90, 0.99)  # less is false, more is wider than it has to be
_DAY_S = 86_400.0
_FALSE_GOALS = ((CALM, 0.5), ("wind 8-12 m/s", 3.0), ("rain 5-15 mm/h", 3.0))


@dataclass(frozen=True)
class Goal:
    """One line: at least (or at most) `limit`, and what was measured of how many."""

    name: str
    at_least: bool
    limit: float
    unit: str
    measured: Interval
    of: str

    @property
    def verdict(self) -> str:
        """reached, missed, open, or not measured."""
        if math.isnan(self.measured.value):
            return "not measured"
        low, high = self.measured.low, self.measured.high
        if (low >= self.limit) if self.at_least else (high <= self.limit):
            return "reached"
        if (high < self.limit) if self.at_least else (low > self.limit):
            return "missed"
        return "open"


def goals(tally: Tally) -> list[Goal]:
    """Every goal that a tally can measure."""
    audible = tally.audible.get((CALM, "person"))
    nearest = tally.rings.get((CALM, "person", _NEAREST))
    rows = [
        _share("audible passes of a person, one node, calm", 95, _cell(audible)),
        _share("passes of a person within 10 m, one node, calm", 97, _cell(nearest)),
        _share("crossings of a person that raise an alarm, calm", 98, _crossed(tally, _is_calm)),
        _share("the same, all conditions", 95, _crossed(tally, lambda _name: True)),
        _share("the same, of those audible at a node", 95, _crossed_audible(tally)),
    ]
    for name, limit in _FALSE_GOALS:
        counts = (tally.false[name], tally.quiet_s[name])
        rows.append(_rate(f"false detections per node-day, {name}", limit, counts))
    once = (tally.crossings_once.total(), tally.crossings.total())
    once_audible = (tally.crossings_audible_once.total(), tally.crossings_audible.total())
    right = (sum(off <= HEADING_OK_DEG for off in tally.direction_deg), len(tally.direction_deg))
    rows += [
        _share("crossings of wanted targets that raise exactly one alarm", 95, once),
        _share("the same, of those audible at a node", 95, once_audible),
        _share("directions stated that are right within 45 degrees", 98, right),
    ]
    alarms = (sum(tally.false_alarms.values()), sum(tally.quiet_line_s.values()))
    rows.append(_rate("false alarms per day of the line, all conditions", 0.2, alarms))
    rows += [
        _share("person or group and not animal, or the reverse", 93, _apart(tally, ("animal",))),
        _share("person or group and not digging, or the reverse", 95, _apart(tally, ("digging",))),
        _share(
            "vehicle within 50 m detected and named vehicle", 98, _named_right(tally, "vehicle")
        ),
    ]
    return rows


def _is_calm(condition: str) -> bool:
    return condition == CALM


def _cell(cell: Any) -> tuple[int, int]:
    return (cell.hits, cell.passes) if cell is not None else (0, 0)


def _crossed(tally: Tally, wanted: Callable[[str], bool]) -> tuple[int, int]:
    keys = [key for key in tally.crossings if key[1] == "person" and wanted(key[0])]
    return sum(tally.crossings_alarmed[key] for key in keys), sum(tally.crossings[k] for k in keys)


def _crossed_audible(tally: Tally) -> tuple[int, int]:
    keys = [key for key in tally.crossings_audible if key[1] == "person"]
    hits = sum(tally.crossings_audible_alarmed[key] for key in keys)
    return hits, sum(tally.crossings_audible[key] for key in keys)


def _apart(tally: Tally, others: Iterable[str]) -> tuple[int, int]:
    # Of the passes that a node detected: those of either kind not classified as the other.
    right = total = 0
    names = tuple(others)
    for (truth, stated), count in tally.confusion.items():
        if stated == NOTHING or truth not in (*_ON_FOOT, *names):
            continue
        total += count
        right += count * (stated in (names if truth in names else _ON_FOOT))
    return right, total


def _named_right(tally: Tally, name: str) -> tuple[int, int]:
    total = sum(count for (truth, _), count in tally.confusion.items() if truth == name)
    return tally.confusion[(name, name)], total


def _share(name: str, limit_pct: float, counts: tuple[int, int]) -> Goal:
    found = share(*counts)
    pct = Interval(100 * found.value, 100 * found.low, 100 * found.high)
    return Goal(name, True, limit_pct, "%", pct, f"{counts[0]} of {counts[1]}")


def _rate(name: str, limit: float, counts: tuple[int, int]) -> Goal:
    events, seconds = counts
    exposed = f"{events} in {seconds / _DAY_S:.2f} days"
    return Goal(name, False, limit, "", rate(events, seconds / _DAY_S), exposed)


def rows(tally: Tally, score: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The goals as words: figure, goal, measured with its interval, of how many, verdict."""
    found: list[tuple[str, ...]] = []
    for goal in goals(tally):
        sign, unit = (">=" if goal.at_least else "<="), (f" {goal.unit}" if goal.unit else "")
        digits = 1 if goal.at_least else 2
        value, low, high = (
            f"{v:.{digits}f}" for v in (goal.measured.value, goal.measured.low, goal.measured.high)
        )
        measured = "-" if value == "nan" else f"{value}{unit} ({low}-{high})"
        found.append((goal.name, f"{sign} {goal.limit:g}{unit}", measured, goal.of, goal.verdict))
    macro = score["confusion"]["macro_f1"]
    if macro is not None:
        events = sum(map(sum, score["confusion"]["matrix"]))
        found.append(
            _plain_row("macro-F1 of six classes, by event", ">= 0.85", macro, events, 0.85)
        )
    macro = score["alarm_confusion"]["macro_f1"]
    if macro is not None:
        events = sum(map(sum, score["alarm_confusion"]["matrix"]))
        found.append(
            _plain_row("macro-F1 of four wanted classes, by alarm", ">= 0.85", macro, events, 0.85)
        )
    for name, key, limit, unit in (
        ("speed off, share of the true one, P50", "speed_off_share", 0.15, ""),
        ("location off, calibrated cell of 40 m, each report, P50", "cell_place_off_m", 5.0, " m"),
        ("place of a walker, each report, P50", "walker_place_off_m", 10.0, " m"),
        ("the same, where nodes enclose an area", "walker_place_enclosed_off_m", 10.0, " m"),
    ):
        figure = score[key]
        if figure["p50"] is not None:
            row = (name, f"<= {limit:g}{unit}", figure["p50"], figure["count"], limit)
            found.append(_plain_row(*row, below=True, unit=unit))
    found += _ellipse_rows(score)
    alert = score["alarm_after_near_s"]
    for key, limit in (("p50", 4.0), ("p95", 7.0)):
        if alert[key] is not None:
            name = f"alarm after audible within 30 m of a node, {key.upper()}"
            found.append(
                _plain_row(
                    name,
                    f"<= {limit:g} s",
                    alert[key],
                    alert["count"],
                    limit,
                    below=True,
                    unit=" s",
                )
            )
    return found


def _ellipse_rows(score: Mapping[str, Any]) -> list[tuple[str, ...]]:
    # Reports of one walk are not independent of one another: no interval.
    figure = score["walker_place_off_m"]
    inside = figure["within_ellipse"]["value"]
    if inside is None:
        return []
    low, high = ELLIPSE_HOLDS
    verdict = "reached" if low <= inside <= high else "missed"
    return [
        (
            "truth inside the stated 95 % ellipse",
            f"{100 * low:.0f}-{100 * high:.0f} %",
            f"{100 * inside:.1f} %",
            str(figure["count"]),
            verdict,
        )
    ]


def _plain_row(
    name: str,
    goal: str,
    value: float,
    count: int,
    limit: float,
    *,
    below: bool = False,
    unit: str = "",
) -> tuple[str, ...]:
    # No interval is worked out for these: the verdict is of the value alone.
    good = value <= limit if below else value >= limit
    return (name, goal, f"{value:.2f}{unit}", str(count), "reached" if good else "missed")
