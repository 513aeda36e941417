# SPDX-License-Identifier: MIT
"""Claims that must hold after any schedule, counted at the gateway."""

from __future__ import annotations

import re

from tests.node_faults.bench import SETTLE_S, Played

_TRUTH = re.compile(r"sim: samples due=(\d+) read=(\d+)")
_REPORTED = re.compile(r"sampling rate_hz_x100=\d+ missed=(\d+)")
# Samples that may be on their way at the instant of the count: the sampler's slack, and an erase.
_UNDER_WAY = 36
# How a node ends a start, and whether power or it was the cause.
_OWN_RESETS = ("node restarts", "node stops", "sim: watchdog", "watchdog starved")


def check(played: Played) -> list[str]:
    """Every claim that does not hold, in words; none is good."""
    return [*_detections(played), *_samples(played), *_life(played)]


def _detections(played: Played) -> list[str]:
    made = {(made.boot, made.seq) for made in played.made}
    found = [f"doubled at the gateway: {key}" for key, count in played.rows.items() if count > 1]
    lost = made - played.rows.keys() - played.damaged
    if lost:
        found.append(f"{len(lost)} detections of {len(made)} lost: {sorted(lost)[:5]}")
    return found


def _samples(played: Played) -> list[str]:
    """The reported missed samples are between the true counts a second before and after."""
    found, before, reported = [], 0, list[int]()
    for t_s, line in played.lines:
        if " started node=" in line:
            before, reported = 0, []
        elif match := _REPORTED.match(line):
            reported.append(int(match[1]))
        elif match := _TRUTH.fullmatch(line):
            missed = int(match[1]) - int(match[2])
            for one in reported:
                if not before - _UNDER_WAY <= one <= missed + _UNDER_WAY:
                    found.append(f"{t_s:.1f} s: {one} samples reported as missed, {missed} were")
            before, reported = missed, []
    return found[:3]


def _life(played: Played) -> list[str]:
    found = []
    lines = [line for _t_s, line in played.lines]
    if any("fw=safe-" in line for line in lines):
        found.append("safe mode")
    if played.settled_s is None:
        found.append(
            f"not connected, or records missing, within {SETTLE_S:.0f} s of the last fault"
        )
    short = bool(played.schedule.of("low memory"))
    for t_s, line in played.lines:
        if line.startswith(("sim: watchdog", "watchdog starved", "bench: the ", "sim: every task")):
            if "last fault" not in line:
                found.append(f"{t_s:.1f} s: {line}")
        elif line.startswith(("task failed", "node stops", "firmware raised")) and not short:
            found.append(f"{t_s:.1f} s: {line}")
    return found


def resets(played: Played) -> int:
    """Starts that the node brought about itself."""
    return sum(line.startswith(_OWN_RESETS) for _t_s, line in played.lines)
