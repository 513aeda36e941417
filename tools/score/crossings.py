# SPDX-License-Identifier: MIT
"""Score: which crossings of the line raised alarms, for the summaries of demo and replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from tools.score.alarms import mark
from tools.score.truth import WANTED, Point, read_truth


def crossing_facts(
    truth: Mapping[str, Any],
    nodes: Mapping[str, Point],
    alarms: Sequence[Mapping[str, Any]],
    until_s: float,
) -> dict[str, Any]:
    """Counts as tools/score/alarms.py matches them, for the alarm lines of `until_s` seconds.

    `first_alert_s_p50`: median time from when an actor is within NEAR_M of a node to its alarm,
    None without any. Raises UserError for an invalid truth.
    """
    known = read_truth(truth, nodes, until_s, "the take")
    marks = mark(known, nodes, alarms)
    wanted = {c["actor"] for c in known.crossings if c["class"] in WANTED}
    waits = marks.after_near_s
    return {
        "crossings": len(wanted),
        "crossings_alarmed": len(wanted & marks.hits.keys()),
        "false_alarms": len(marks.false),
        "nuisance_alarms": marks.nuisance,
        "repeated_alarms": marks.repeated,
        "first_alert_s_p50": round(median(waits), 2) if waits else None,
    }
