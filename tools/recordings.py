# SPDX-License-Identifier: MIT
"""Recordings of real ground: reports of a node and alarms of a gateway, per folder."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import track
from rich.table import Table

from gateway.wire.messages import Phase, TargetClass
from sim_hardware import recordings
from sim_hardware.content import is_recording
from tools import added, ground, micropython, output, stretches
from tools.batch import Refused, attempt, divided, sum_up
from tools.errors import UserError
from tools.score.intervals import rate, share

_MAX_FILES = 10_000
_HEADS = (
    "folder",
    "files",
    "hours",
    "files detected",
    "share (95 %)",
    "named",
    "per hour (95 %)",
    "alarms",
    "per hour (95 %)",
)
_PREFACE = """# Recordings

Written by `groundwatch recordings FOLDER --markdown FILE`; not to be edited. Each file goes through
the node's own detector after ten seconds of synthetic quiet ground at the file's own floor; counts
without calibration are scaled by that floor. No tree was fitted and no limit set on any of them. A
file is detected when an activity starts in it; "named" counts activities by their last class.
"Alarms" counts alarms of a gateway with one such node, by the class at the time of the alarm.

"""
_ADDED_PREFACE = """# Recordings added to continuous ground

Written by `groundwatch recordings CLIPS --added-to GROUND --markdown FILE`; not to be edited. Each
clip is added, faded in and out, to a stretch of continuous real ground that starts a minute before
it: there is no seam. The ratio is the clip's loudest two seconds over the ground's median second,
both rms in 10-60 Hz. "None added" is the same stretch without the clip. A clip is detected when an
activity starts from its first sample to 5 s after its last.

"""
_STRETCHES_PREFACE = """# Recordings, stretch by stretch

Written by `groundwatch recordings FOLDER --stretches CSV --markdown FILE`; not to be edited. Each
row is a stretch of real ground with a likely target, and the report of one node. Stretches have no
ground truth. Without a CSV file, stretches are those in which the level of 8-40 Hz rises smoothly
by 10 dB for 4 to 60 s. A passing vehicle causes this, and so does some weather.

"""
_T = TypeVar("_T")


@dataclass(frozen=True)
class Listened:
    """One file: how long it is, the last class of each activity, the first one of each alarm; the
    channel that was taken, and remarks on the file."""

    folder: str
    name: str
    hours: float
    classes: tuple[str, ...]
    alarms: tuple[str, ...]
    channel: str
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    folder: Path
    added_to: Path | None
    snr: tuple[float, ...]
    group_by: str | None
    stretches: str | None
    as_json: bool
    markdown: Path | None
    workers: int


def recordings_command(**given: Any) -> int:
    """FOLDER holds recordings, or folders of them. 1 when some were refused."""
    asked = Request(**given)
    files = find(asked.folder)
    if asked.markdown is not None:
        output.check(asked.markdown)
    micropython.find()  # unpacked once, before several look for it
    if asked.stretches is not None:
        if asked.added_to is not None:
            raise UserError("--stretches and --added-to do not go together")
        return _stretches(asked, asked.stretches, files)
    if asked.added_to is None:
        found, refused = _map(asked.workers, listen, files, [asked.folder] * len(files))
        for one in found:
            _remark(one)
        rows, each = table(found), [vars(one) for one in found]
        _show(asked, _PREFACE, _HEADS, rows, "recording", each, refused)
        return sum_up(len(found), refused)
    grounds = [find(asked.added_to)] * len(files)
    groups = [added.group_of(path, asked.folder, asked.group_by) for path in files]
    snr = [asked.snr] * len(files)
    tried, refused = _map(asked.workers, added.try_clip, files, groups, grounds, snr)
    trials = [one for each_clip in tried for one in each_clip]
    rows, each = added.table(trials), [vars(one) for one in trials]
    _show(asked, _ADDED_PREFACE, added.HEADS, rows, "trial", each, refused)
    return sum_up(len(tried), refused)


def _remark(one: Listened) -> None:
    for remark in one.remarks:
        print(f"{one.folder}/{one.name}: {remark}", file=sys.stderr)


def _stretches(asked: Request, source: str, files: list[Path]) -> int:
    given: list[list[stretches.Stretch] | None] = [None] * len(files)
    if source != "rises":
        listed = stretches.read(Path(source), asked.folder)
        names = {path.relative_to(asked.folder).as_posix(): path for path in files}
        if missing := sorted({one.file for one in listed} - names.keys()):
            raise UserError(f"{source}: {missing[0]} is not in {asked.folder}")
        files = [names[name] for name in dict.fromkeys(one.file for one in listed)]
        given = [[one for one in listed if names[one.file] == path] for path in files]
    tops = [asked.folder] * len(files)
    answers, refused = _map(asked.workers, stretches.answer, files, tops, given)
    found = [one for each in answers for one in each]
    rows, each = stretches.table(found), [vars(one) for one in found]
    _show(asked, _STRETCHES_PREFACE, stretches.HEADS, rows, "stretch", each, refused)
    return sum_up(len(answers), refused)


def _map(
    workers: int, do: Callable[..., _T], *arguments: Sequence[Any]
) -> tuple[list[_T], list[Refused]]:
    """The files that are done, and those that are refused. Raises UserError when all are."""
    console, count = Console(stderr=True), len(arguments[0])
    with ProcessPoolExecutor(workers or os.cpu_count() or 1, get_context("spawn")) as pool:
        done = pool.map(partial(attempt, do), *arguments)
        return divided(list(track(done, "listening", count, console=console, transient=True)))


def _show(
    asked: Request,
    preface: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    kind: str,
    each: Sequence[Mapping[str, Any]],
    refused: Sequence[Refused],
) -> None:
    """The table on the terminal first: a file that cannot be written does not cost the work."""
    _print(asked, heads, rows, kind, each, refused)
    if asked.markdown is not None:
        lines = ["| " + " | ".join(row) + " |" for row in (heads, ("---",) * len(heads), *rows)]
        output.write(asked.markdown, preface + "\n".join(lines) + "\n")


def _print(
    asked: Request,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    kind: str,
    each: Sequence[Mapping[str, Any]],
    refused: Sequence[Refused],
) -> None:
    if asked.as_json:
        for one in each:
            print(json.dumps({"type": kind, **one}))
        for bad in refused:
            print(json.dumps(bad.to_json()))
        summary = [dict(zip(heads, row, strict=True)) for row in rows]
        print(json.dumps({"type": "summary", "folders": summary, "refused": len(refused)}))
        return
    shown = Table(*heads)
    for row in rows:
        shown.add_row(*row)
    Console(highlight=False).print(shown)


def find(folder: Path) -> list[Path]:
    """All recordings below a folder, in order. Raises UserError when there are none."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    files = sorted(path for path in folder.rglob("*") if is_recording(path))
    if not 1 <= len(files) <= _MAX_FILES:
        raise UserError(f"{folder}: {len(files)} recordings; 1 to {_MAX_FILES} are taken")
    return files


def listen(path: Path, top: Path) -> Listened:
    """One file through node and gateway. Raises SimError for a file that is no recording."""
    read = recordings.read(path)
    seen = ground.observe(read.take, path.name)
    last: dict[int, str] = {}
    started = {report.onset_ms for report in seen.reports if report.phase == Phase.ONSET}
    for report in seen.reports:
        if report.onset_ms in started:
            last[report.onset_ms] = TargetClass(report.class_id).label
    folder = path.parent.relative_to(top).as_posix()
    alarms = tuple(alarm.name for alarm in seen.alarms)
    hours = read.take.duration_s / 3600
    classes, remarks = tuple(last.values()), tuple(read.remarks())
    return Listened(folder, path.name, hours, classes, alarms, read.channel, remarks)


def table(listened: Sequence[Listened]) -> list[tuple[str, ...]]:
    """A row of words for each folder."""
    rows: list[tuple[str, ...]] = []
    for folder in sorted({one.folder for one in listened}):
        own = [one for one in listened if one.folder == folder]
        hours = sum(one.hours for one in own)
        hits = sum(bool(one.classes) for one in own)
        part = share(hits, len(own))
        rows.append(
            (
                folder,
                str(len(own)),
                f"{hours:.2f}",
                str(hits),
                f"{100 * part.value:.0f} % ({100 * part.low:.0f}-{100 * part.high:.0f})",
                *_counted([name for one in own for name in one.classes], hours),
                *_counted([name for one in own for name in one.alarms], hours),
            )
        )
    return rows


def _counted(names: Sequence[str], hours: float) -> tuple[str, str]:
    """How many of each name, and how often all together."""
    often = rate(len(names), hours)
    words = ", ".join(f"{count} {name}" for name, count in Counter(names).most_common())
    return words or "-", f"{often.value:.2f} ({often.low:.2f}-{often.high:.2f})"
