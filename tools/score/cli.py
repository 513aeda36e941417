# SPDX-License-Identifier: MIT
"""Score: `groundwatch score`, takes and worlds against their ground truth."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from sim_hardware import take
from sim_hardware.errors import SimError
from sim_hardware.fault_tables import NodeFaults
from sim_hardware.sandbox import Faults
from sim_hardware.world import load
from tools import micropython, output
from tools.batch import Refused, attempt, divided, sum_up
from tools.errors import UserError
from tools.score.figures import figures
from tools.score.kept import kept
from tools.score.link import Link
from tools.score.observe import observe_take
from tools.score.runs import each
from tools.score.suite import HELD_OUT, WorldJob, good_clock, read_suite
from tools.score.tables import MARKS, between_marks, markdown, show
from tools.score.tally import Tally, tally, total

_SEEDS = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
_SEEDS_MAX = 1000
_MIN_HOURS, _MAX_HOURS = 1 / 60, 14 * 24.0
_PREFACE = """# Scores

Written by `{command}`; not to be edited. Simulated sites only: {hours:g} hours of ground at a line
of nodes, in {runs} runs. Brackets hold exact 95 % confidence intervals (Clopper-Pearson for
shares, Poisson for rates). "By chance" is the share that the detector's own false rate, at its
upper 95 % bound, can have contributed at most. How passes, hits and false detections are
distinguished: `tools/score/matching.py`.

"""


@dataclass(frozen=True)
class TakeJob:
    """One take folder to be scored."""

    path: Path
    seed: int


Job = TakeJob | WorldJob


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    takes: tuple[Path, ...]
    scenario: tuple[str, ...]
    seeds: str
    hours: float
    suite: Path | None
    loss: int
    dead: tuple[str, ...]
    walk_test: bool
    clock_ms: int | None
    seed: int
    workers: int
    keep: Path | None
    as_json: bool
    html: Path | None
    png: Path | None
    markdown: Path | None
    into: Path | None


def score(**given: Any) -> int:
    """Score, print, and write what was asked for. 1 when some runs were refused."""
    asked = Request(**given)
    jobs = _jobs(asked)
    _check_outputs(asked)
    work = partial(_attempted, node=micropython.find(), keep=asked.keep)
    done, refused = divided(each(work, jobs, _weight, asked.workers, "scoring"))
    found = figures(total(done))
    # Printed first: a file that cannot be written does not cost the work.
    if asked.as_json:
        print(json.dumps({**found, "refused": [vars(one) for one in refused]}, allow_nan=False))
    else:
        show(found, Console(highlight=False))
    _write(found, asked, is_whole=not refused)
    return sum_up(len(done), refused)


def _check_outputs(asked: Request) -> None:
    """Before the work begins. Raises UserError."""
    for path in (asked.html, asked.markdown):
        if path is not None:
            output.check(path)
    if asked.png is not None:
        output.check_folder(asked.png)
    if asked.into is not None and between_marks(output.read(asked.into), None) is None:
        raise UserError(f"{asked.into}: has no {MARKS[0]} and {MARKS[1]} to write between")


def _attempted(job: Job, node: Path, keep: Path | None) -> Tally | Refused:
    if isinstance(job, TakeJob):
        return attempt(lambda _path: one(job, node, keep), job.path)
    name = f"{job.scenario.name}, seed {job.seed}"
    return attempt(lambda _name: one(job, node, keep), name)


def _jobs(asked: Request) -> list[Job]:
    jobs: list[Job] = [TakeJob(_folder(path), asked.seed) for path in asked.takes]
    seeds = parse_seeds(asked.seeds)
    if not _MIN_HOURS <= asked.hours <= _MAX_HOURS:
        raise UserError(f"--hours must be from 1/60 to {_MAX_HOURS:g}, not {asked.hours:g}")
    for name in asked.scenario:
        scenario = load(Path(name))
        jobs += [WorldJob(scenario, seed, round(3600 * asked.hours)) for seed in seeds]
    if asked.suite is not None:
        jobs += read_suite(asked.suite)
    if asked.loss or asked.dead:
        jobs = [_impaired(job, asked.loss, asked.dead) for job in jobs]
    if asked.walk_test:
        jobs = [_tested(job) for job in jobs]
    if asked.clock_ms is not None:
        jobs = [_clocked(job, asked.clock_ms) for job in jobs]
    if not jobs:
        raise UserError("nothing to score: give takes, --scenario NAME or --suite")
    return jobs


def _impaired(job: Job, loss_pct: int, dead: Sequence[str]) -> Job:
    """A world with a bad radio, and with nodes that are dead from the start."""
    if not 0 <= loss_pct <= 90:
        raise UserError(f"--loss must be from 0 to 90, not {loss_pct}")
    if not isinstance(job, WorldJob):
        raise UserError("--loss and --dead are for worlds; a take declares its own faults")
    known = {node.id for node in job.scenario.nodes}
    for node in dead:
        if node not in known:
            raise UserError(f"--dead {node}: {job.scenario.name} has no such node")
    kept = tuple(one for one in job.scenario.node_faults if one.node not in dead)
    gone = tuple(NodeFaults(node, Faults(dead_from_s=0.0)) for node in dict.fromkeys(dead))
    scenario = dataclasses.replace(job.scenario, node_faults=(*kept, *gone))
    return dataclasses.replace(job, scenario=scenario, link=Link(loss_pct, job.seed))


def _tested(job: Job) -> Job:
    if not isinstance(job, WorldJob):
        raise UserError("--walk-test is for worlds; see `groundwatch site calibrate` for takes")
    return dataclasses.replace(job, walk_test=True)


def _clocked(job: Job, bound_ms: int) -> Job:
    if not isinstance(job, WorldJob):
        raise UserError("--clock-ms is for worlds")
    try:
        return dataclasses.replace(job, clock_ms=good_clock(bound_ms))
    except ValueError as error:
        raise UserError(f"--clock-ms: {error}") from None


def _folder(path: Path) -> Path:
    if path.is_file():
        raise UserError(f"{path}: a bare recording has no truth; give a take folder, or replay it")
    if not path.is_dir():
        raise UserError(f"{path}: no such take folder")
    return path


def parse_seeds(text: str) -> range:
    """`7` or `1-20`. Raises UserError."""
    match = _SEEDS.fullmatch(text)
    if match is None:
        raise UserError(f"--seeds {text!r}: write one number or two, as in 1-20")
    first = int(match[1])
    last = int(match[2]) if match[2] else first
    if not 0 <= last - first < _SEEDS_MAX:
        raise UserError(f"--seeds {text}: from low to high, at most {_SEEDS_MAX}")
    return range(first, last + 1)


def _weight(job: Job) -> float:
    return job.duration_s if isinstance(job, WorldJob) else 600.0


def one(job: Job, node: Path, keep: Path | None = None) -> Tally:
    """Observe and count one run; `node` is the MicroPython to run detectors with."""
    if isinstance(job, WorldJob):
        return tally(kept(job, node, keep))
    try:
        given = take.load(job.path)
    except MemoryError:
        raise SimError(f"{job.path}: too long for this machine's memory") from None
    return tally(observe_take(given, job.path.name, node, job.seed))


def _write(score: dict[str, Any], asked: Request, is_whole: bool) -> None:
    """`is_whole`: without it the table of goals stays as it is: it stands for all runs."""
    try:
        if asked.html is not None or asked.png is not None:
            # Half a second of imports, only where pictures are asked for.
            from tools.score import plots

            if asked.png is not None:
                plots.write_pictures(score, asked.png)
            if asked.html is not None:
                output.write(asked.html, plots.page(score))
        if asked.markdown is not None:
            command = "make score" if asked.suite == HELD_OUT else "groundwatch score"
            preface = _PREFACE.format(
                command=command, hours=score["hours"], runs=len(score["runs"])
            )
            output.write(asked.markdown, preface + markdown(score))
        if asked.into is not None and is_whole:
            text = between_marks(output.read(asked.into), score)
            assert text is not None  # looked at before the work
            output.write(asked.into, text)
    except OSError as error:
        raise UserError(f"cannot write {error.filename}: {error.strerror}") from None
