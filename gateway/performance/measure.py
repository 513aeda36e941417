# SPDX-License-Identifier: MIT
"""Measured performance, from dispositions, walk tests and hours. Pure; figures with their counts.

Disposition person or vehicle: a valid alarm. Animal and weather: nuisance, a harmless cause.
Unknown, when no cause was found: false. Own patrol and test are neither. Alarms without a
disposition are counted beside them: a rate is not reliable while many are not assessed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gateway.model.alarm import Alarm, AlarmKind, Disposition
from gateway.performance.intervals import Interval, rate, share
from gateway.performance.monitored_time import Day, Gap, WalkTest, day_of

# A single node raises an alarm with its third report, which may be of the past: so long after a
# walk test an alarm may still be of it.
LATE_US = 20_000_000
_HOUR_S, _DAY_S = 3600.0, 86_400.0
_DAY_US = 86_400_000_000
_GAPS_SHOWN = 50

_MEANING = {
    Disposition.PERSON: "valid",
    Disposition.VEHICLE: "valid",
    Disposition.ANIMAL: "nuisance",
    Disposition.WEATHER: "nuisance",
    Disposition.UNKNOWN: "false",
    Disposition.OWN_PATROL: "authorised",
    Disposition.TEST: "authorised",
}

_WORDS = ("valid", "nuisance", "false", "authorised", "not_assessed")


def measure(
    alarms: Sequence[Alarm],
    walk_tests: Sequence[WalkTest],
    days: Mapping[str, Day],
    nodes: Sequence[str],
    now_us: int,
    gaps: Sequence[Gap] = (),
) -> dict[str, Any]:
    """Plain values, ready for JSON. `alarms` are those raised in the period that `days` covers, and
    `gaps` are those that reach into it."""
    monitored_days = sum(day.supervised_s for day in days.values()) / _DAY_S
    operator_h = sum(day.operator_s for day in days.values()) / _HOUR_S
    notified = [alarm for alarm in alarms if not alarm.is_suppressed]
    crossings = [alarm for alarm in notified if alarm.kind is AlarmKind.INTRUSION]
    meanings = Counter(meaning(alarm) for alarm in crossings)
    by_node = {
        name: Counter(meaning(a) for a in crossings if name in a.nodes) for name in sorted(nodes)
    }
    return {
        "monitored_days": round(monitored_days, 3),
        "operator_hours": round(operator_h, 2),
        "unwatched": {
            "hours": round(sum(gap.seconds for gap in gaps) / _HOUR_S, 3),
            "gaps": len(gaps),
            "newest": [asdict(gap) for gap in reversed(gaps[-_GAPS_SHOWN:])],
        },
        "alarms": {
            "notified": len(notified),
            "intrusion": len(crossings),
            "suppressed": len(alarms) - len(notified),
            **{word: meanings[word] for word in _WORDS},
        },
        "false_per_day": _interval(rate(meanings["false"], monitored_days)),
        "nuisance_per_day": _interval(rate(meanings["nuisance"], monitored_days)),
        "alarms_per_operator_hour": _interval(rate(len(notified), operator_h)),
        "time_to_acknowledge": _acknowledged(notified),
        "detection": _detection(alarms, walk_tests, now_us),
        "nodes": [
            {
                "node": name,
                "alarms": sum(counts.values()),
                "false": counts["false"],
                "nuisance": counts["nuisance"],
                "false_per_day": _interval(rate(counts["false"], monitored_days)),
                "nuisance_per_day": _interval(rate(counts["nuisance"], monitored_days)),
            }
            for name, counts in by_node.items()
        ],
        "days": _by_day(crossings, days, _unwatched(gaps)),
    }


def meaning(alarm: Alarm) -> str:
    """valid, nuisance, false, authorised or not_assessed."""
    if alarm.disposition is not None:
        return _MEANING[alarm.disposition]
    return "authorised" if alarm.walk else "not_assessed"


def _detection(
    alarms: Sequence[Alarm], walk_tests: Sequence[WalkTest], now_us: int
) -> dict[str, Any]:
    """Each crossing of a sector in a finished walk test was detected, or not."""
    hits: Counter[str] = Counter()
    trials: Counter[str] = Counter()
    over = [test for test in walk_tests if test.until_us + LATE_US <= now_us]
    for test in over:
        during = [
            alarm
            for alarm in alarms
            if alarm.kind is AlarmKind.INTRUSION
            and test.from_us <= alarm.raised_us <= test.until_us + LATE_US
        ]
        for sector in test.sectors:
            seen = sum(sector in alarm.sectors for alarm in during)
            hits[sector] += min(seen, test.crossings)
            trials[sector] += test.crossings
    return {
        "walk_tests": len(over),
        **_pd(sum(hits.values()), sum(trials.values())),
        "sectors": [{"sector": name, **_pd(hits[name], trials[name])} for name in sorted(trials)],
    }


def _pd(hits: int, trials: int) -> dict[str, Any]:
    return {"crossings": trials, "detected": hits, "pd": _interval(share(hits, trials))}


def _acknowledged(notified: Sequence[Alarm]) -> dict[str, Any]:
    """An unacknowledged alarm counts as the longest time: without it the figure would flatter."""
    waits = sorted(
        max(0, alarm.acknowledged_us - alarm.notified_us) / 1e6
        for alarm in notified
        if alarm.acknowledged and alarm.acknowledged_us is not None
    )
    # One that left a full queue was never acknowledged by an operator.
    waiting = sum(
        alarm.unacknowledged or (alarm.acknowledged and alarm.acknowledged_us is None)
        for alarm in notified
    )
    all_of_them = [*waits, *[math.inf] * waiting]
    return {
        "acknowledged": len(waits),
        "waiting": waiting,
        "p50_s": _quantile(all_of_them, 0.5),
        "p95_s": _quantile(all_of_them, 0.95),
    }


def _unwatched(gaps: Sequence[Gap]) -> Counter[str]:
    """Seconds by day; a gap over midnight counts for each of its days."""
    found: Counter[str] = Counter()
    for gap in gaps:
        from_us = gap.from_us
        while from_us < gap.until_us:
            end_us = min(gap.until_us, from_us - from_us % _DAY_US + _DAY_US)
            found[day_of(from_us)] += (end_us - from_us) // 1_000_000
            from_us = end_us
    return found


def _by_day(
    crossings: Sequence[Alarm], days: Mapping[str, Day], unwatched: Mapping[str, int]
) -> list[dict[str, Any]]:
    counts: dict[str, Counter[str]] = {name: Counter() for name in (*days, *unwatched)}
    for alarm in crossings:
        counts.setdefault(day_of(alarm.raised_us), Counter())[meaning(alarm)] += 1
    return [
        {
            "day": name,
            "monitored_h": round(days[name].supervised_s / _HOUR_S, 2) if name in days else 0.0,
            "unwatched_h": round(unwatched.get(name, 0) / _HOUR_S, 2),
            **{word: counts[name][word] for word in _WORDS},
        }
        for name in sorted(counts)
    ]


def _quantile(ordered: Sequence[float], part: float) -> float | None:
    """By nearest rank: one of the values; None without values, or for an unacknowledged one."""
    if not ordered:
        return None
    value = ordered[max(0, math.ceil(part * len(ordered)) - 1)]
    return round(value, 1) if math.isfinite(value) else None


def _interval(found: Interval) -> list[float | None]:
    """[value, low, high]; null where nothing was measured or there is no bound."""
    return [
        round(number, 6) if math.isfinite(number) else None
        for number in (found.value, found.low, found.high)
    ]
