# SPDX-License-Identifier: MIT
"""Score: the effect of sentinel mode on a site: delayed and missing alarms.

The same walks past the same two nodes: as sentinels, whole nodes in virtual time; in continuous
mode with the radio always on, their detectors alone, as all scores are made; both through the real
gateway. The table stands in docs/power.md.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.model import node_settings
from sim_hardware.site import NodeSpec, SectorSpec
from sim_hardware.world import World
from sim_hardware.world.ambient import Weather
from sim_hardware.world.scenario import ActorSpec, Scenario
from tools import micropython
from tools.bench.report import write_into
from tools.errors import UserError
from tools.replay import replay
from tools.score.line import ZERO_US, played
from tools.score.observe import observe_take

BOARD = "esp32_s3"
SPACING_M = 25.0
WALKS_OF_A_RUN = 8
SOILS = ("loam", "sand", "firm")
FIRST_S, EVERY_S = 100.0, 130.0
SEED = 35
_BEFORE_M = 40.0
SETTINGS = {
    node_settings.HEARTBEAT_S.name: 1_800,
    node_settings.RADIO.name: 1,
    node_settings.SAMPLING.name: 1,
}
MODES = ("continuous", "sentinel")
Lines = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Walk:
    """One walk: where it crosses the line, and when it starts."""

    x_m: float
    start_s: float

    @property
    def nearest_m(self) -> float:
        """Metres from the nearer node where it crosses the line."""
        return min(abs(self.x_m), abs(self.x_m - SPACING_M))


@dataclass(frozen=True)
class Found:
    """When the alarm of each walk was raised in each mode, s after the start of the walk."""

    walk: Walk
    soil: str
    after_s: Mapping[str, float | None]
    is_reported: Mapping[str, bool]  # whether a node's detection came


def walks_of(run: int) -> list[Walk]:
    """The walks of one run, spread over the line and a little beyond its ends."""
    draw = random.Random(f"{SEED}/{run}")
    return [
        Walk(round(draw.uniform(-6.0, SPACING_M + 6.0), 1), FIRST_S + EVERY_S * at)
        for at in range(WALKS_OF_A_RUN)
    ]


def scenario(run: int, board: str = BOARD) -> Scenario:
    """A quiet night with one walker after the other."""
    actors = tuple(
        ActorSpec(
            f"w{at}",
            "person",
            ((walk.x_m, -_BEFORE_M), (walk.x_m, _BEFORE_M)),
            start_s=walk.start_s,
            kind="walker",
        )
        for at, walk in enumerate(walks_of(run))
    )
    nodes = tuple(
        NodeSpec(f"n{at + 1:02}", SPACING_M * at, 0.0, "gate", board, 90.0, 12.0) for at in range(2)
    )
    return Scenario(
        "sentinel",
        nodes,
        (SectorSpec("gate", ((-20.0, -50.0), (45.0, -50.0), (45.0, 50.0), (-20.0, 50.0))),),
        actors,
        Weather(level_nm_s=60.0, drift_db=1.0, wind_m_s=1.0),
        soil=SOILS[run % len(SOILS)],
    )


def play(run: int) -> list[Found]:
    """One run in all modes."""
    duration_s = FIRST_S + EVERY_S * WALKS_OF_A_RUN
    # The detectors alone are those of a Pico W: the same ground, the same detector.
    alone = World(scenario(run, "pico_w"), SEED + run).take(duration_s)
    seen = observe_take(alone, f"run {run}", micropython.find(), run)
    usual = [line for _, _, outcome in played(seen) for line in outcome.lines(ZERO_US)]
    given = World(scenario(run), SEED + run).take(duration_s)
    lines = replay(given, seed=run, settings=SETTINGS).lines
    both = dict(zip(MODES, (usual, lines), strict=True))
    return [
        Found(
            walk,
            SOILS[run % len(SOILS)],
            {mode: first_s(some, "alarm", walk) for mode, some in both.items()},
            {mode: first_s(some, "detection", walk) is not None for mode, some in both.items()},
        )
        for walk in walks_of(run)
    ]


def first_s(lines: Lines, kind: str, walk: Walk) -> float | None:
    """When the first such line came in the time of a walk; None: there was none."""
    times = [float(line["t_s"]) - walk.start_s for line in lines if line["type"] == kind]
    return min((after for after in times if 0 <= after < EVERY_S), default=None)


def table(found: Sequence[Found]) -> str:
    """Rows by the distance of the walk from the nearer node."""
    near = [one for one in found if one.walk.nearest_m <= SPACING_M / 4]
    far = [one for one in found if one.walk.nearest_m > SPACING_M / 4]
    limit = f"{SPACING_M / 4:g} m"
    lines = [
        "| walks | mode | detected | alarm | later than in continuous mode: median | at most |",
        "|---|---|---|---|---|---|",
    ]
    for title, some in ((f"past a node within {limit}", near), (f"further than {limit}", far)):
        for mode in MODES:
            lines.append(f"| {title} | {mode} | {_row(some, mode)} |")
    return "\n".join(lines)


def _row(some: Sequence[Found], mode: str) -> str:
    first = MODES[0]
    alarms = sum(one.after_s[mode] is not None for one in some)
    later = sorted(
        now - usual
        for one in some
        if (now := one.after_s[mode]) is not None and (usual := one.after_s[first]) is not None
    )
    reported = sum(one.is_reported[mode] for one in some)
    cells = [f"{reported} of {len(some)}", f"{alarms} of {len(some)}"]
    if mode == first:
        return " | ".join([*cells, "", ""])
    cells += [f"{statistics.median(later):.1f} s", f"{later[-1]:.1f} s"] if later else ["-", "-"]
    return " | ".join(cells)


def main(words: Sequence[str] | None = None) -> int:
    """Play all, print each walk, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help=f"of {WALKS_OF_A_RUN} walks each (3)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--into", type=Path, help="write the table into its place in this file")
    args = parser.parse_args(words)
    with ThreadPoolExecutor(args.workers) as pool:
        found = [one for some in pool.map(play, range(args.runs)) for one in some]
    for one in found:
        times = ", ".join(f"{mode} {after}" for mode, after in one.after_s.items())
        print(f"{one.soil} x={one.walk.x_m} nearest={one.walk.nearest_m:.1f}: {times}")
    print(table(found))
    if args.into is not None:
        try:
            write_into(args.into, "sentinel", table(found))
        except UserError as error:
            print(error, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
