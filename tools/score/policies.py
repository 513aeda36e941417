# SPDX-License-Identifier: MIT
"""Score: `groundwatch model policies` measures detections and unwanted alarms of each alarm policy.

Both are scored over the same reports of the same nodes, so the only difference is the policy.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

from gateway.alarms.confirmation import CONFIRMED, SINGLE
from tools import micropython, output
from tools.score.alarms import mark
from tools.score.intervals import Interval, rate, share
from tools.score.kept import kept
from tools.score.line import alarm_lines
from tools.score.observe import Observation
from tools.score.runs import each
from tools.score.suite import WorldJob, read_suite
from tools.score.truth import WANTED

POLICIES = (SINGLE, CONFIRMED)
_MILE_M = 1609.344
_DAY_S = 86400.0


@dataclass(frozen=True)
class Count:
    """Of one policy: crossings of wanted targets and how many raised an alarm; alarms that no
    wanted target caused; days, and days times miles of line."""

    crossings: int = 0
    detected: int = 0
    unwanted: int = 0
    days: float = 0.0
    mile_days: float = 0.0

    def plus(self, other: Count) -> Count:
        """Both together."""
        return Count(
            self.crossings + other.crossings,
            self.detected + other.detected,
            self.unwanted + other.unwanted,
            self.days + other.days,
            self.mile_days + other.mile_days,
        )


def counted(seen: Observation, policy: str) -> Count:
    """One run under one policy."""
    truth = seen.truth
    marks = mark(truth, seen.points, alarm_lines(seen, policy))
    crossed = {str(c["actor"]) for c in truth.crossings if c["class"] in WANTED}
    days = truth.duration_s / _DAY_S
    places = [(node.x_m, node.y_m) for node in seen.site.nodes]
    miles = max((math.dist(a, b) for a, b in combinations(places, 2)), default=0.0) / _MILE_M
    return Count(
        len(crossed),
        len(crossed & set(marks.hits)),
        marks.nuisance + len(marks.false),
        days,
        days * miles,
    )


def policies(suite: Path, doc: Path, workers: int, keep: Path, as_json: bool) -> None:
    """Score both policies and write the table."""
    output.check(doc)
    work = partial(_both, node=micropython.find(), keep=keep)
    total = dict.fromkeys(POLICIES, Count())
    for found in each(work, read_suite(suite), _weight, workers, "scoring"):
        total = {policy: total[policy].plus(found[policy]) for policy in POLICIES}
    text = page(total)
    counts = {policy: asdict(one) for policy, one in total.items()}
    facts = {"type": "policies", "doc": str(doc), "policies": counts}
    print(json.dumps(facts) if as_json else text)
    output.write(doc, text)


def _weight(job: WorldJob) -> float:
    return job.duration_s


def _both(job: WorldJob, node: Path, keep: Path) -> dict[str, Count]:
    seen = kept(job, node, keep)
    return {policy: counted(seen, policy) for policy in POLICIES}


_PAGE = """# Policies for alarms

Written by `groundwatch model policies`; not to be edited. Simulated sites, {hours:.1f} hours
of a line.

- `single`: one node may raise an alarm. It applies where nothing else is configured.
- `confirmed`: an alarm needs two nodes that do not depend on each other, one node and a PIR, or a
  plot that agrees. An event that waits for a second source stays on the map.

A sector has `confirmed` for the times that `gateway.toml` states, and `single` at all others:

    [[confirmation]]
    sectors = ["gate"]
    time_zone = "Europe/Berlin"
    confirmed = ["mon-fri 06:00-18:00"]

The console and the API (`policy` of each sector) show which one applies.

| policy | crossings that raise an alarm (95 %) | unwanted alarms per day | and mile (95 %) |
|---|---|---|---|
{rows}
"""


def page(total: dict[str, Count]) -> str:
    """The table in Markdown."""
    rows = []
    for policy, one in total.items():
        pd, per_day = share(one.detected, one.crossings), rate(one.unwanted, one.days)
        per_mile = rate(one.unwanted, one.mile_days)
        crossings = f"{one.detected} of {one.crossings}: {_percent(pd)}"
        rows.append(f"| `{policy}` | {crossings} | {_figure(per_day)} | {_figure(per_mile)} |")
    return _PAGE.format(hours=24 * total[SINGLE].days, rows="\n".join(rows))


def _percent(figure: Interval) -> str:
    return f"{100 * figure.value:.1f} % ({100 * figure.low:.1f}-{100 * figure.high:.1f})"


def _figure(figure: Interval) -> str:
    return f"{figure.value:.2f} ({figure.low:.2f}-{figure.high:.2f})"
