# SPDX-License-Identifier: MIT
"""A bare recording through one node and the gateway: the reports, and the alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sim_hardware import recordings
from sim_hardware.fastpath import Report
from sim_hardware.take import Take
from sim_hardware.virtual import Pace
from tools import micropython
from tools.score.line import alarm_lines
from tools.score.observe import observe_take

# The recording has no ground truth.
_NO_TRUTH: dict[str, Any] = {"actors": []}


@dataclass(frozen=True)
class Alarm:
    """An intrusion alarm: seconds of the recording, and the class when it was raised."""

    t_s: float
    name: str


@dataclass(frozen=True)
class Observed:
    """Of one recording: the node's reports, times in ms of its uptime, and the gateway's alarms."""

    reports: Sequence[Report]
    alarms: tuple[Alarm, ...]


def observe(take: Take, name: str) -> Observed:
    """`take` has one node. Nothing confirms what that node reports, as at the end of a line."""
    unknown = replace(take, truth=_NO_TRUTH)
    seen = observe_take(unknown, name, micropython.find(), seed=0)
    lines = [line for line in alarm_lines(seen) if line["type"] == "alarm"]
    alarms = tuple(Alarm(round(line["t_s"], 1), line["class"]) for line in lines)
    return Observed(seen.reports[recordings.NODE], alarms)


def uptime_s(ms: int) -> float:
    """Seconds of the recording: a node starts `Pace().lead_s` before it."""
    return ms / 1000 - Pace().lead_s
