# SPDX-License-Identifier: MIT
"""Recordings by stretch: reports of the node where a target is likely.

Stretches come from a CSV file (file, t0_s, t1_s), or from a plain level rule that shares nothing
with the node: the level in 8-40 Hz, second by second, stands 10 dB or more over the fifth of the
seconds around it for 4 to 60 s, and no second differs from the next by more than 10 dB. A passing
vehicle has this shape, and so has some weather. Stretches have no ground truth.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy import signal as dsp

from gateway.wire.messages import TargetClass
from sim_hardware import recordings
from sim_hardware.fastpath import Report
from sim_hardware.virtual import Pace
from tools import ground
from tools.errors import UserError

HEADS = ("file", "from s", "to s", "reported after s", "named", "alarmed")
_BAND_HZ = (8.0, 40.0)
_RISE_DB, _STEP_DB = 10.0, 10.0
_SHORTEST_S, _LONGEST_S = 4, 60
_AROUND_S = 241
_BEFORE_S, _AFTER_S = 3.0, 5.0
_MAX_ROWS = 10_000


@dataclass(frozen=True)
class Stretch:
    """From `t0_s` to `t1_s` of a file, path relative to the folder of recordings."""

    file: str
    t0_s: float
    t1_s: float


@dataclass(frozen=True)
class Answer:
    """What was reported of a stretch: seconds from its start (None: nothing), the last class of
    each activity, and the first class of each alarm that was raised while one of these went on."""

    file: str
    t0_s: float
    t1_s: float
    after_s: float | None
    classes: tuple[str, ...]
    alarms: tuple[str, ...]


def read(path: Path, top: Path) -> list[Stretch]:
    """Stretches of a CSV file. Raises UserError with the line that is wrong."""
    found = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                if number > _MAX_ROWS:
                    raise UserError(f"{path}: more than {_MAX_ROWS} lines")
                try:
                    one = Stretch(row["file"], float(row["t0_s"]), float(row["t1_s"]))
                except (KeyError, TypeError, ValueError):
                    raise UserError(f"{path}, line {number}: needs file, t0_s, t1_s") from None
                name = PurePosixPath(one.file)
                is_inside = not name.is_absolute() and ".." not in name.parts
                if not is_inside or not 0 <= one.t0_s < one.t1_s < 1e7:
                    raise UserError(f"{path}, line {number}: no stretch of a file in {top}")
                found.append(one)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"cannot read {path}: {error}") from None
    if not found:
        raise UserError(f"{path}: holds no stretch")
    return found


def rises(counts: NDArray[np.floating], fs_hz: float) -> list[tuple[float, float]]:
    """Stretches that rise smoothly, by the rule above. `counts` (n,) in any unit."""
    second = round(fs_hz)
    if counts.size < 10 * second or _BAND_HZ[1] >= 0.5 * fs_hz:
        return []
    sos = dsp.butter(2, _BAND_HZ, "bandpass", fs=fs_hz, output="sos")
    band = dsp.sosfilt(sos, counts - np.median(counts))
    rows = band[: band.size // second * second].reshape(-1, second)
    level = 20 * np.log10(np.sqrt(np.mean(rows**2, axis=1)) + 1e-12)
    level = ndimage.median_filter(level, 3)
    quiet = ndimage.percentile_filter(level, 20, size=_AROUND_S)
    found = []
    labels, count = ndimage.label(level >= quiet + _RISE_DB)
    for index in range(1, count + 1):
        at = np.flatnonzero(labels == index)
        steps = np.abs(np.diff(level[max(0, at[0] - 1) : at[-1] + 2]))
        if _SHORTEST_S <= at.size <= _LONGEST_S and steps.max() <= _STEP_DB:
            found.append((float(at[0]), float(at[-1] + 1)))
    return found


def answer(path: Path, top: Path, given: Sequence[Stretch] | None) -> list[Answer]:
    """What is reported of one file's stretches; None: of those that rise smoothly."""
    take = recordings.load(path)
    if given is None:
        signal = take.signals[recordings.NODE]
        data = np.asarray(signal.velocity(Pace().ambient_nm_s), np.float64)
        name = path.relative_to(top).as_posix()
        given = [Stretch(name, *one) for one in rises(data, signal.fs_hz)]
    if not given:
        return []
    seen = ground.observe(take, path.name)
    activities = _activities(seen.reports)
    found = []
    for one in given:
        own = [
            activity
            for activity in activities
            if activity.from_s < one.t1_s + _AFTER_S and activity.to_s > one.t0_s - _BEFORE_S
        ]
        after_s = max(0.0, round(own[0].reported_s - one.t0_s, 1)) if own else None
        names = tuple(activity.name for activity in own)
        alarms = tuple(
            alarm.name
            for alarm in seen.alarms
            if any(a.from_s <= alarm.t_s <= a.to_s + _AFTER_S for a in own)
        )
        found.append(Answer(one.file, one.t0_s, one.t1_s, after_s, names, alarms))
    return found


@dataclass(frozen=True)
class _Activity:
    """Seconds of the recording: onset, end, first report; and the last class."""

    from_s: float
    to_s: float
    reported_s: float
    name: str


def _activities(reports: Sequence[Report]) -> list[_Activity]:
    found: dict[int, _Activity] = {}
    for report in reports:
        onset_s = ground.uptime_s(report.onset_ms)
        sent_s = ground.uptime_s(report.reported_ms)
        first_s = found[report.onset_ms].reported_s if report.onset_ms in found else sent_s
        name = TargetClass(report.class_id).label
        found[report.onset_ms] = _Activity(
            onset_s, onset_s + report.elapsed_s_x10 / 10, first_s, name
        )
    return list(found.values())


def table(answers: Sequence[Answer]) -> list[tuple[str, ...]]:
    """A row of words for each stretch, and one for all."""
    rows = [
        (
            one.file,
            f"{one.t0_s:.0f}",
            f"{one.t1_s:.0f}",
            "-" if one.after_s is None else f"{one.after_s:.1f}",
            ", ".join(one.classes) or "-",
            ", ".join(one.alarms) or "-",
        )
        for one in answers
    ]
    reported = sum(one.after_s is not None for one in answers)
    alarmed = sum(bool(one.alarms) for one in answers)
    names = Counter(name for one in answers for name in one.classes)
    words = ", ".join(f"{count} {name}" for name, count in names.most_common()) or "-"
    total = (f"all {len(answers)}", "", "", f"{reported} reported", words, f"{alarmed} alarmed")
    return [*rows, total]
