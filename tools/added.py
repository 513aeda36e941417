# SPDX-License-Identifier: MIT
"""Recordings added to continuous real ground: hit rates at stated signal-to-noise ratios.

A clip behind a synthetic lead has a seam, and a detector may respond to the seam. Here each clip is
added, faded in and out, to a stretch of continuous ground that starts a minute before it. The same
stretch without the clip shows the response to the ground alone.

The ratio is the clip's loudest two seconds over the ground's median second, both rms in 10-60 Hz.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal as dsp

from gateway.wire.messages import Phase, TargetClass
from sim_hardware import recordings
from sim_hardware.fastpath import simulate_fast
from sim_hardware.signals import FEED_FS_HZ, Signal
from sim_hardware.virtual import Pace
from tools import micropython
from tools.errors import UserError
from tools.score.intervals import share

HEADS = ("group", "SNR dB", "clips", "detected (95 %)", "as a person (95 %)")
LEAD_S, TAIL_S = 60.0, 20.0
_FADE_S = 1.0
_LATE_S = 5.0  # an activity that starts within this time after the clip counts as the clip's
_BAND_HZ = (10.0, 60.0)
_LOUD_S = 2
_FLOOR_COUNTS = 1000.0  # of the ground's median second, so that rounding adds nothing
_PERSONS = ("person", "group")
_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trial:
    """One clip on one stretch of ground. `snr_db` None: the ground alone. `classes`: of the
    activities that start while the clip lasts, the last name of each."""

    group: str
    clip: str
    ground: str
    from_s: float
    snr_db: float | None
    classes: tuple[str, ...]


def group_of(path: Path, top: Path, pattern: str | None) -> str:
    """The groups of `pattern` in a file's name, or else its folder. Raises UserError."""
    if pattern is None:
        return path.parent.relative_to(top).as_posix()
    found = re.search(pattern, path.name)
    if found is None:
        raise UserError(f"--group-by {pattern}: not in the name {path.name}")
    return " ".join(found.groups()) or found[0]


def try_clip(
    path: Path, group: str, grounds: Sequence[Path], ratios_db: Sequence[float]
) -> list[Trial]:
    """One clip at each ratio, and its stretch of ground alone. Raises SimError."""
    clip = _samples(path)
    rng = np.random.default_rng(zlib.crc32(path.name.encode()))
    length = round((LEAD_S + TAIL_S) * FEED_FS_HZ) + clip.size
    ground_path = grounds[int(rng.integers(len(grounds)))]
    ground = _samples(ground_path)
    if ground.size < length:
        raise UserError(f"{ground_path}: shorter than {length / FEED_FS_HZ:.0f} s")
    begin = int(rng.integers(ground.size - length + 1))
    ground = ground[begin : begin + length]
    trials = []
    for snr_db in (None, *ratios_db):
        mixed = ground if snr_db is None else mix(ground, clip, snr_db)
        classes = _classes(mixed, clip.size / FEED_FS_HZ)
        from_s = begin / FEED_FS_HZ
        trials.append(Trial(group, path.name, ground_path.name, from_s, snr_db, classes))
    return trials


def mix(ground: _Floats, clip: _Floats, snr_db: float) -> _Floats:
    """Ground with the clip added after LEAD_S; both (n,) at FEED_FS_HZ, the ground longer."""
    fade = min(round(_FADE_S * FEED_FS_HZ), clip.size // 2)
    window = np.ones(clip.size)
    window[:fade] = np.sin(np.linspace(0, np.pi / 2, fade, endpoint=False)) ** 2
    window[clip.size - fade :] = window[:fade][::-1]
    faded = clip * window
    gain = 10 ** (snr_db / 20) * _floor(ground) / _loudest(faded)
    at = round(LEAD_S * FEED_FS_HZ)
    mixed = ground.copy()
    mixed[at : at + clip.size] += gain * faded
    return mixed


def _samples(path: Path) -> _Floats:
    """(n,) without offset at FEED_FS_HZ."""
    signal = recordings.load(path).signals[recordings.NODE]
    data = np.asarray(signal.velocity(), np.float64)
    ratio = Fraction(FEED_FS_HZ / signal.fs_hz).limit_denominator(1000)
    samples = dsp.resample_poly(data - data.mean(), ratio.numerator, ratio.denominator)
    return np.asarray(samples, np.float64)


def _seconds(samples: _Floats) -> _Floats:
    """(seconds,): the rms of each in 10-60 Hz."""
    sos = dsp.butter(4, _BAND_HZ, "bandpass", fs=FEED_FS_HZ, output="sos")
    band = dsp.sosfiltfilt(sos, samples)
    whole = band.size // FEED_FS_HZ
    rows = np.asarray(band[: whole * FEED_FS_HZ], np.float64).reshape(whole, FEED_FS_HZ)
    return np.asarray(np.sqrt(np.mean(rows**2, axis=1)), np.float64)


def _floor(ground: _Floats) -> float:
    return float(np.median(_seconds(ground)))


def _loudest(clip: _Floats) -> float:
    power = np.convolve(_seconds(clip) ** 2, np.ones(_LOUD_S) / _LOUD_S, "valid")
    return float(np.sqrt(power.max()))


def _classes(mixed: _Floats, clip_s: float) -> tuple[str, ...]:
    counts = np.rint(mixed * (_FLOOR_COUNTS / _floor(mixed))).astype(np.int32)
    take = recordings.one_node(Signal(FEED_FS_HZ, counts=counts))
    fast = simulate_fast(take, micropython=micropython.find())[recordings.NODE]
    begin_ms = (Pace().lead_s + LEAD_S) * 1000
    end_ms = begin_ms + (clip_s + _LATE_S) * 1000
    last: dict[int, str] = {}
    for report in fast.reports:
        has_onset = report.phase == Phase.ONSET or report.onset_ms in last
        if has_onset and begin_ms <= report.onset_ms < end_ms:
            last[report.onset_ms] = TargetClass(report.class_id).label
    return tuple(last.values())


def table(trials: Iterable[Trial]) -> list[tuple[str, ...]]:
    """A row for each group and ratio, the ground alone first; then all groups together."""
    rows: list[tuple[str, ...]] = []
    every = list(trials)
    ratios = [None, *sorted({one.snr_db for one in every if one.snr_db is not None})]
    for group in [*sorted({one.group for one in every}), "all"]:
        for snr_db in ratios:
            own = [one for one in every if one.snr_db == snr_db and group in (one.group, "all")]
            hits = sum(bool(one.classes) for one in own)
            right = sum(any(name in _PERSONS for name in one.classes) for one in own)
            named = "none added" if snr_db is None else f"{snr_db:g}"
            rows.append((group, named, str(len(own)), _words(hits, own), _words(right, own)))
    return rows


def _words(hits: int, of: Sequence[Trial]) -> str:
    part = share(hits, len(of))
    return f"{100 * part.value:.0f} % ({100 * part.low:.0f}-{100 * part.high:.0f})"
