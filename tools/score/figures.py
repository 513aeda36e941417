# SPDX-License-Identifier: MIT
"""Score: from counts to figures, each with its interval; plain values that JSON can hold."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gateway.model.target import TargetClass
from tools.score import goals
from tools.score.intervals import Interval, chance, rate, share
from tools.score.places import WalkerPlace
from tools.score.tally import NOTHING, Cell, Tally, class_names
from tools.score.truth import CLASSES, WANTED

DAY_S = 86_400.0
ALL = "all"
Figure = dict[str, Any]


def figures(tally: Tally) -> Figure:
    """All figures of a score, as `--json` prints them."""
    upper_per_s = _upper_rates(tally)
    score: Figure = {
        "type": "score",
        "confidence_level": 0.95,
        "runs": tally.runs,
        "hours": round(sum(tally.line_s.values()) / 3600, 2),
        "pd_by_ring": [
            {"condition": condition, "class": kind, "ring": ring}
            | _pd(cell, upper_per_s[condition])
            for (condition, kind, ring), cell in sorted(tally.rings.items(), key=_order)
        ],
        "pd_of_audible": [
            {"condition": condition, "class": kind} | _pd(cell, upper_per_s[condition])
            for (condition, kind), cell in sorted(tally.audible.items(), key=_order)
        ],
        "false_detections": _rates(tally.false, tally.quiet_s, "node_days"),
        "crossings_alarmed": _crossings(tally),
        "false_alarms": _rates(tally.false_alarms, tally.quiet_line_s, "days"),
        "repeated_detections": tally.repeated,
        "answered": {"actors": tally.answered, "near_node_named_later": tally.answered_later},
        "repeated_alarms": tally.repeated_alarms,
        "nuisance_alarms": tally.nuisance_alarms,
        "report_after_near_s": spread(tally.report_after_near_s),
        "report_after_audible_s": spread(tally.report_after_audible_s),
        "alarm_after_near_s": spread(tally.alarm_after_near_s),
        "alarm_after_audible_s": spread(tally.alarm_after_audible_s),
        "direction_off_deg": spread(tally.direction_deg)
        | _within(tally.direction_deg, goals.HEADING_OK_DEG),
        "speed_off_share": spread(tally.speed_share),
        "location_off_m": spread(tally.location_m),
        "cell_place_off_m": spread([off for off, _ in tally.cell_places]),
        "place_off_m": spread([off for off, _ in tally.places])
        | {"within_claim": _plain(share(sum(o <= c for o, c in tally.places), len(tally.places)))},
        "walker_place_off_m": _walkers(tally.walkers),
        "walker_place_enclosed_off_m": _walkers([w for w in tally.walkers if w.is_enclosed]),
        "walker_ellipse_m": spread([one.radius_m for one in tally.walkers]),
        "direction_stated": _plain(share(len(tally.direction_deg), tally.answered)),
        "crossings_once": _plain(share(tally.crossings_once.total(), tally.crossings.total())),
        "confusion": confusion(tally.confusion),
        "alarm_confusion": alarm_confusion(tally.alarm_confusion),
        "reliability": reliability(tally),
        "roc": roc(tally),
    }
    heads = ("figure", "goal", "measured", "of", "verdict")
    score["goals"] = [dict(zip(heads, row, strict=True)) for row in goals.rows(tally, score)]
    return score


def _order(item: tuple[tuple[str, ...], Cell]) -> tuple[Any, ...]:
    condition, kind, *ring = item[0]
    return (
        CLASSES.index(kind) if kind in CLASSES else len(CLASSES),
        condition != "calm",
        condition,
        ring,
    )


def _plain(interval: Interval, digits: int = 4) -> Figure:
    values = {"value": interval.value, "low": interval.low, "high": interval.high}
    return {k: round(v, digits) if math.isfinite(v) else None for k, v in values.items()}


def _upper_rates(tally: Tally) -> dict[str, float]:
    # The upper bound of the false rate, per node and second: at most this share is by chance.
    return {
        name: rate(tally.false[name], seconds, sides=1).high if seconds else math.nan
        for name, seconds in tally.line_s.items()
        for seconds in [tally.quiet_s[name]]
    }


def _pd(cell: Cell, upper_per_s: float) -> Figure:
    by_chance = float(np.mean([chance(upper_per_s, w) for w in cell.windows_s]))
    return {
        "passes": cell.passes,
        "detected": cell.hits,
        "pd": _plain(share(cell.hits, cell.passes)),
        "by_chance_at_most": round(by_chance, 4) if math.isfinite(by_chance) else None,
    }


def _rates(events: Counter[str], seconds: Counter[str], unit: str) -> list[Figure]:
    names = sorted(seconds, key=lambda name: (name != "calm", name))
    rows = [(name, events[name], seconds[name]) for name in names]
    if len(rows) > 1:
        rows.append((ALL, sum(r[1] for r in rows), sum(r[2] for r in rows)))
    return [
        {
            "condition": name,
            "events": count,
            unit: round(exposed / DAY_S, 4),
            "per_day": _plain(rate(count, exposed / DAY_S)),
        }
        for name, count, exposed in rows
    ]


def _crossings(tally: Tally) -> list[Figure]:
    keys = sorted(tally.crossings, key=lambda key: (key[1], key[0] != "calm", key))
    rows: list[tuple[str, str, int, int, int, int]] = [
        (
            *key,
            tally.crossings_alarmed[key],
            tally.crossings[key],
            tally.crossings_audible_alarmed[key],
            tally.crossings_audible[key],
        )
        for key in keys
    ]
    if len(rows) > 1:
        sums = [sum(int(row[column]) for row in rows) for column in range(2, 6)]
        rows.append((ALL, ALL, sums[0], sums[1], sums[2], sums[3]))
    return [
        {
            "condition": condition,
            "class": kind,
            "crossings": count,
            "alarmed": hits,
            "share": _plain(share(hits, count)),
            "audible": audible,
            "audible_alarmed": audible_hits,
            "audible_share": _plain(share(audible_hits, audible)),
        }
        for condition, kind, hits, count, audible_hits, audible in rows
    ]


def spread(values: Sequence[float]) -> Figure:
    """Median and 95th percentile; None where nothing was measured."""
    if not values:
        return {"count": 0, "p50": None, "p95": None}
    p50, p95 = np.percentile(values, [50, 95])
    return {"count": len(values), "p50": round(float(p50), 2), "p95": round(float(p95), 2)}


def _walkers(places: Sequence[WalkerPlace]) -> Figure:
    inside = _plain(share(sum(one.is_inside for one in places), len(places)))
    return spread([one.off_m for one in places]) | {"within_ellipse": inside}


def _within(values: Sequence[float], limit: float) -> Figure:
    return {"within_45": _plain(share(sum(v <= limit for v in values), len(values)))}


def alarm_confusion(pairs: Counter[tuple[str, str]]) -> Figure:
    """The same of alarms: rows are audible crossings of wanted classes, and "nothing" for alarms
    that answer none of these. The macro average is of the wanted classes."""
    found = confusion(pairs)
    wanted = [value for name, value in found["f1"].items() if name in WANTED]
    return found | {"macro_f1": round(float(np.mean(wanted)), 4) if wanted else None}


def confusion(pairs: Counter[tuple[str, str]]) -> Figure:
    """Matrix by event (rows truth, columns class reported) and F1. The macro average leaves out
    classes that never happened. An unclassified event counts as "nothing"."""
    names = class_names(pairs)
    matrix = [[pairs[(truth, stated)] for stated in names] for truth in names]
    scores: dict[str, float] = {}
    for i, name in enumerate(names):
        counted = [at for at, one in enumerate(names) if one == name or _is_none(one, name)]
        happened, stated = sum(matrix[i]), sum(row[at] for row in matrix for at in counted)
        if happened:
            right = sum(matrix[i][at] for at in counted)
            scores[name] = round(2 * right / (happened + stated), 4)
    known = [value for name, value in scores.items() if name in (*CLASSES, NOTHING)]
    return {
        "classes": names,
        "matrix": matrix,
        "f1": scores,
        "macro_f1": round(float(np.mean(known)), 4) if known else None,
    }


def _is_none(stated: str, name: str) -> bool:
    return name == NOTHING and stated == TargetClass.UNKNOWN.label


def reliability(tally: Tally) -> Figure:
    """How many events stated with each tenth of confidence were wanted. Brier's score and the
    expected calibration error (Naeini et al., AAAI 2015) over all."""
    rows = []
    off = brier = 0.0
    for tenth in range(10):
        there = [one for one in tally.beliefs if min(9, int(10 * one[0] + 1e-9)) == tenth]
        events = sum(weight for _, _, weight in there)
        if events:
            stated = sum(weight * confidence for confidence, _, weight in there) / events
            wanted = sum(weight for _, is_wanted, weight in there if is_wanted)
            off += abs(stated * events - wanted)
            brier += sum(w * (confidence - is_wanted) ** 2 for confidence, is_wanted, w in there)
            rows.append(
                {
                    "from_pct": 10 * tenth,
                    "events": round(events, 1),
                    "stated": round(stated, 3),
                    "wanted": _plain(share(round(wanted), round(events))),
                    "wanted_events": round(wanted, 1),
                }
            )
    total = sum(weight for _, _, weight in tally.beliefs)
    worth = {"brier": round(brier / total, 4), "ece": round(off / total, 4)} if total else {}
    return {"rows": rows, "events": round(total), "brier": None, "ece": None, **worth}


def roc(tally: Tally) -> list[Figure]:
    """One row for each threshold of confidence: false rates and shares detected."""
    node_days = sum(tally.quiet_s.values()) / DAY_S
    days = sum(tally.quiet_line_s.values()) / DAY_S
    rows = []
    for least_pct, point in sorted(tally.roc.items()):
        rows.append(
            {
                "confidence_pct": least_pct,
                "false_detections_per_node_day": _plain(rate(point.false_detections, node_days)),
                "pd_audible_persons": _plain(share(point.hits, point.passes)),
                "false_alarms_per_day": _plain(rate(point.false_alarms, days)),
                "crossings_alarmed": _plain(share(point.crossings_alarmed, point.crossings)),
            }
        )
    return rows


def bounds(figure: Mapping[str, Any]) -> tuple[float, float, float]:
    """Value, low, high of a figure for drawing; NaN where nothing was measured."""
    value, low, high = (
        math.nan if figure[k] is None else float(figure[k]) for k in ("value", "low", "high")
    )
    return value, low, high
