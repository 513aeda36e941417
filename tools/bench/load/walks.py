# SPDX-License-Identifier: MIT
"""Workbench, bench: walkers on a line of nodes, and the reports of the nodes.

Levels follow the law of `sim_hardware.world.soil` for loam: a footstep of ln 1.87 um/s at 1 m,
spread as a surface wave (1 / sqrt(r)), absorbed by 0.03 / m, with a loss drawn for each path. A
node detects above seven noise floors, reports every 5 s and ends 6 s after the last detected step,
like `ugs.detect`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.wire.messages import Phase

SPACING_M = 25
# One walker at a time in each zone. Walks of two zones stay 95 m apart, so they are two events:
# fusion joins walkers within 80 m of each other when one walk explains both.
ZONE_NODES = 7
FLOOR_UM_S = 0.08
_THRESHOLD_UM_S = 7 * FLOOR_UM_S
_LEVEL_LN = 1.87  # of a footstep at 1 m, um/s
_ABSORPTION_PER_M = 0.03
_MIN_DISTANCE_M = 1.5
_PATH_LN = 2.0 * math.log(10) / 20  # deviation of one path's loss: 2 dB
_SCATTER_LN = 0.15
_SPEED_M_S = 1.35
_PER_S = 2  # levels are computed for each half second
_ONSET_TICKS, _MIN_LOUD = 6, 4  # an onset: four loud half seconds within 3 s
_UPDATE_TICKS, _END_TICKS = 10, 12
_MIN_PAUSE_S, _MAX_PAUSE_S = 25.0, 60.0
_ENTRY_M, _EXIT_M = 10.0, 90.0  # along the line, of 175 m in a zone
_MIN_OFFSET_M, _MAX_OFFSET_M = 5.0, 40.0  # across the line, at both ends of the walk


@dataclass(frozen=True, slots=True)
class Report:
    """One report of one node; times in half seconds (ticks) of the load's own time."""

    tick: int  # when it is sent
    node: int
    walk: tuple[int, int]  # zone, number of the walk in it
    onset_tick: int
    phase: Phase
    peak_um_s: float
    confidence_pct: int


def zone_reports(zone: int, first_s: float, until_s: float, rng: random.Random) -> Iterator[Report]:
    """Reports of walks through one zone, one after another, the first starting by `first_s`."""
    start_s, number = rng.uniform(0, first_s), 0
    while start_s < until_s:
        offset_m = rng.uniform(_MIN_OFFSET_M, _MAX_OFFSET_M) * rng.choice((-1, 1))
        left_m = zone * ZONE_NODES * SPACING_M
        ends = [(left_m + _ENTRY_M, -offset_m), (left_m + _EXIT_M, offset_m)]
        if rng.random() < 0.5:
            ends.reverse()
        duration_s = math.dist(*ends) / _SPEED_M_S
        for node in range(zone * ZONE_NODES, (zone + 1) * ZONE_NODES):
            levels = _levels(node, ends, duration_s, rng)
            yield from _reports(node, (zone, number), int(start_s * _PER_S), levels)
        start_s += duration_s + rng.uniform(_MIN_PAUSE_S, _MAX_PAUSE_S)
        number += 1


def _levels(
    node: int, ends: Sequence[tuple[float, float]], duration_s: float, rng: random.Random
) -> list[float]:
    """Peak level at a node, um/s, for each half second of a walk and ten seconds after it."""
    loss = rng.gauss(0, _PATH_LN)
    (x0_m, y0_m), (x1_m, y1_m) = ends
    levels = []
    for tick in range(int((duration_s + 10) * _PER_S)):
        share = tick / _PER_S / duration_s
        level = 3.2 * FLOOR_UM_S * math.exp(rng.gauss(0, 0.1))
        if share <= 1:
            x_m, y_m = x0_m + share * (x1_m - x0_m), y0_m + share * (y1_m - y0_m)
            far_m = math.hypot(x_m - node * SPACING_M, y_m)
            step = math.exp(_LEVEL_LN + loss - _ABSORPTION_PER_M * far_m)
            step /= math.sqrt(math.hypot(far_m, _MIN_DISTANCE_M))
            level = math.hypot(level, step * math.exp(rng.gauss(0, _SCATTER_LN)))
        levels.append(level)
    return levels


def _reports(
    node: int, walk: tuple[int, int], start_tick: int, levels: Sequence[float]
) -> Iterator[Report]:
    loud = [level > _THRESHOLD_UM_S for level in levels]
    at = 0
    while at < len(levels):
        if sum(loud[at : at + _ONSET_TICKS]) < _MIN_LOUD:
            at += 1
            continue
        onset = at
        at += _ONSET_TICKS
        last_loud = reported = onset
        phase, number = Phase.ONSET, 0
        while True:
            peak_um_s = max(levels[reported:at], default=FLOOR_UM_S)
            confidence_pct = min(65 + 5 * number, 95)
            tick, onset_tick = start_tick + at, start_tick + onset
            yield Report(tick, node, walk, onset_tick, phase, peak_um_s, confidence_pct)
            if phase is Phase.END:
                break
            reported, number, phase = at, number + 1, Phase.UPDATE
            for _ in range(_UPDATE_TICKS):
                at += 1
                last_loud = at if at < len(levels) and loud[at] else last_loud
                if at - max(last_loud, onset + _ONSET_TICKS) >= _END_TICKS:
                    phase = Phase.END
                    break
