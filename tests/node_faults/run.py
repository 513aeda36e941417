# SPDX-License-Identifier: MIT
"""Play schedules of faults by their seeds: python -m tests.node_faults.run --seed N"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.node_faults.bench import Bench, Played
from tests.node_faults.claims import check
from tests.node_faults.schedule import make_schedule
from tools.micropython import find

FAULTS = 45  # entries of a schedule


def play(
    seed: int, folder: Path, count: int = FAULTS, away: bool = True, first: int | None = None
) -> Played:
    """One schedule to its end, or its `first` faults only; the folder must be empty."""
    schedule = make_schedule(seed, count, away)
    schedule = replace(schedule, faults=schedule.faults[:first])
    return asyncio.run(Bench(folder, schedule, find("i386")).play())


def report(played: Played) -> str:
    """One line, and for a broken claim the schedule and how to play it again."""
    schedule, failed = played.schedule, check(played)
    settled = "never" if played.settled_s is None else f"{played.settled_s:.0f} s"
    line = (
        f"seed {schedule.seed}: {schedule.count} faults, {schedule.charges} costs, {played.boots}"
        f" starts, {len(played.made)} detections, {len(played.rows)} rows, settled after {settled},"
        f" {played.end_s:.0f} s in {played.wall_s:.0f} s"
    )
    if not failed:
        return line
    return "\n".join(
        [
            line,
            *(f"  BROKEN: {one}" for one in failed),
            str(schedule),
            f"python -m tests.node_faults.run --seed {schedule.seed} plays exactly this one again",
        ]
    )


def main() -> None:
    """Print one line for each seed; exit code 1 when a claim does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.node_faults.run", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--runs", type=int, default=1, help="so many seeds from this one on")
    parser.add_argument("--count", type=int, default=FAULTS, help="faults of a schedule")
    parser.add_argument("--first", type=int, help="play only so many of them")
    parser.add_argument("--short", action="store_true", help="without the long absence")
    parser.add_argument("--keep", type=Path, help="copy the node's log of the last run to here")
    args = parser.parse_args()
    failed = 0
    for seed in range(args.seed, args.seed + args.runs):
        with tempfile.TemporaryDirectory(prefix="groundwatch-") as work:
            played = play(seed, Path(work), args.count, not args.short, args.first)
            print(report(played), flush=True)
            failed += bool(check(played))
            if args.keep is not None:
                shutil.copy(Path(work) / "node.log", args.keep)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
