# SPDX-License-Identifier: MIT
"""Ground layer: reads miniSEED, the format of public seismic archives, as counts of one channel.

pymseed is EarthScope's own binding of libmseed. It is typed and has 1 MB with two small
dependencies. obspy would install matplotlib and lxml for one function.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pymseed
from numpy.typing import NDArray

from sim_hardware.errors import SimError
from sim_hardware.signals import SAMPLES_MAX

_BYTES_MAX = 1 << 29
_NS = 1_000_000_000
# A recording with a larger share of gaps is refused.
_GAP_SHARE_MAX = 0.1


@dataclass(frozen=True)
class _Segment:
    start_ns: int
    fs_hz: float
    data: NDArray[np.float64]


def read_miniseed(path: Path) -> tuple[NDArray[np.int32], float, float]:
    """Counts int32 (n,), fs_hz and t0_utc_s of the first vertical channel, else of the first one.

    Gaps of at most a tenth in all are bridged by a straight line. Raises SimError.
    """
    if path.stat().st_size > _BYTES_MAX:
        raise SimError(f"{path}: larger than {_BYTES_MAX >> 20} MiB; cut it into parts")
    with _quiet():
        try:
            channel = _channel(path)
            segments = _segments(path, channel)
        except (pymseed.PymseedError, OSError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else "unreadable"
            raise SimError(f"{path}: damaged or no miniSEED ({reason})") from None
    return _joined(segments, path)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    # libmseed keeps its diagnostics in a list of its own; the exception carries the first one.
    try:
        yield
    finally:
        pymseed.clear_error_messages()


def _channel(path: Path) -> str:
    names: list[str] = []
    for record in pymseed.MS3Record.from_file(str(path)):
        if record.sourceid not in names:
            names.append(record.sourceid)
        if len(names) > 1000:
            raise SimError(f"{path}: more than 1000 channels")
    if not names:
        raise SimError(f"{path}: no miniSEED record inside")
    vertical = [name for name in names if name.endswith("_Z")]
    return (vertical or names)[0]


def _segments(path: Path, channel: str) -> list[_Segment]:
    segments = []
    total = 0
    for record in pymseed.MS3Record.from_file(str(path), unpack_data=True):
        if record.sourceid != channel or not record.numsamples:
            continue
        total += record.numsamples
        if total > SAMPLES_MAX:
            raise SimError(f"{path}: more than {SAMPLES_MAX} samples; cut it into parts")
        if record.sampletype not in ("i", "f", "d"):
            raise SimError(f"{path}: {channel} holds no numbers")
        data = np.array(record.datasamples, np.float64)
        segments.append(_Segment(record.starttime, record.samprate, data))
    if not segments:
        raise SimError(f"{path}: {channel} holds no samples")
    return sorted(segments, key=lambda segment: segment.start_ns)


def _joined(segments: list[_Segment], path: Path) -> tuple[NDArray[np.int32], float, float]:
    first = segments[0]
    fs_hz = first.fs_hz
    if not fs_hz > 0 or any(abs(one.fs_hz - fs_hz) > 1e-3 * fs_hz for one in segments):
        raise SimError(f"{path}: the sample rate changes inside; cut it into parts")
    starts = [round((one.start_ns - first.start_ns) * fs_hz / _NS) for one in segments]
    length = max(at + one.data.size for at, one in zip(starts, segments, strict=True))
    present = sum(one.data.size for one in segments)
    if length > SAMPLES_MAX or length - present > _GAP_SHARE_MAX * length:
        raise SimError(f"{path}: gaps of more than a tenth of the recording; cut it into parts")
    data = np.full(length, np.nan)
    for at, one in zip(starts, segments, strict=True):
        data[at : at + one.data.size] = one.data
    gap = ~np.isfinite(data)
    if gap.all():
        raise SimError(f"{path}: no finite sample inside")
    if gap.any():
        bridge = np.interp(np.flatnonzero(gap), np.flatnonzero(~gap), data[~gap])
        whole = np.array_equal(data[~gap], np.rint(data[~gap]))
        data[gap] = np.rint(bridge) if whole else bridge
    return _counts(data), fs_hz, first.start_ns / _NS


def _counts(data: NDArray[np.float64]) -> NDArray[np.int32]:
    # Floating-point recordings have a unit of their own. Their noise floor scales them later, so
    # the factor here only has to keep the rounding small.
    peak = float(np.max(np.abs(data)))
    if np.array_equal(data, np.rint(data)) and peak < 2**31:
        return data.astype(np.int32)
    return np.rint(data * (1e9 / peak)).astype(np.int32) if peak else data.astype(np.int32)
