# SPDX-License-Identifier: MIT
"""Ground layer: reads miniSEED, the format of public seismic archives, as counts of one channel.

pymseed is EarthScope's own binding of libmseed. It is typed and has 1 MB with two small
dependencies. obspy would install matplotlib and lxml for one function. Records are found one by
one: a damaged one costs its own samples only.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pymseed
from numpy.typing import NDArray

from sim_hardware.content import MINISEED
from sim_hardware.errors import SimError
from sim_hardware.signals import (
    FS_MAX_HZ,
    FS_MIN_HZ,
    GAP_SHARE_MAX,
    GAPS,
    SAMPLES_MAX,
    as_counts,
    bridged,
)

_BYTES_MAX = 1 << 29
_CHANNELS_MAX = 1000
_RECORD_BYTES_MAX = 1 << 20
_FALSE_STARTS_MAX = 100_000
_NS = 1_000_000_000
# SEED 2.4, appendix A: high and low gain seismometers and geophones before accelerometers.
_INSTRUMENTS = "HLPN"


@dataclass(frozen=True)
class _Record:
    """A header and where its record is; samples are unpacked for the channel that is chosen."""

    channel: str
    start_ns: int
    fs_hz: float
    samples: int
    at: int
    length: int


@dataclass(frozen=True)
class _Segment:
    start_ns: int
    data: NDArray[np.float64]


@dataclass(frozen=True)
class OneChannel:
    """Counts int32 (n,), and what was chosen, left out and repaired to get them."""

    counts: NDArray[np.int32]
    fs_hz: float
    t0_utc_s: float
    channel: str
    left: tuple[str, ...]
    notes: tuple[str, ...]


def read_miniseed(path: Path, channel: str | None = None) -> OneChannel:
    """The channel asked for, such as HHZ or XX.AAA..HHZ; else the first vertical seismometer.

    Damaged records become gaps. Gaps of at most a tenth in all are bridged by a straight line.
    Raises SimError.
    """
    if path.stat().st_size > _BYTES_MAX:
        raise SimError(f"{path}: larger than {_BYTES_MAX >> 20} MiB; cut it into parts")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SimError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        records = list(_records(data))
        found = _chosen(records, channel)
        notes = _lost_bytes(records, len(data))
        own = [one for one in records if one.channel == found]
        fs_hz, own, more = _one_rate(own)
        segments, damaged = _segments(data, own)
        counts, t0_ns, gaps = _joined(segments, fs_hz)
    except SimError as error:
        raise SimError(f"{path}: {error}") from None
    finally:
        # libmseed keeps its diagnostics in a list of its own.
        pymseed.clear_error_messages()
    left = tuple(name for name in dict.fromkeys(r.channel for r in records) if name != found)
    return OneChannel(counts, fs_hz, t0_ns / _NS, found, left, (*notes, *more, *damaged, *gaps))


def _records(data: bytes) -> Iterator[_Record]:
    """Every record that has a valid header, wherever the bytes before it end. Raises SimError."""
    whole = memoryview(data)
    at = false_starts = 0
    names: set[str] = set()
    while at < len(data):
        record = _record(whole[at : at + _RECORD_BYTES_MAX], at)
        if record is not None:
            names.add(record.channel)
            if len(names) > _CHANNELS_MAX:
                raise SimError(f"more than {_CHANNELS_MAX} channels")
            yield record
            at += record.length
            continue
        false_starts += 1
        following = MINISEED.search(data, at + 1)
        if following is None or false_starts > _FALSE_STARTS_MAX:
            return
        at = following.start()


def _record(buffer: memoryview, at: int) -> _Record | None:
    try:
        try:
            one = pymseed.MS3Record.parse(buffer)
        except pymseed.MiniSEEDError:
            # At the end of a file a record needs no blockette 1000 that has its length.
            one = next(pymseed.MS3Record.from_buffer(buffer))
        return _Record(
            _seed_name(one.sourceid), one.starttime, one.samprate, one.samplecnt, at, one.reclen
        )
    except (pymseed.PymseedError, ValueError, StopIteration):
        return None


def _seed_name(source: str) -> str:
    """XX.AAA.00.HHZ of FDSN:XX_AAA_00_H_H_Z."""
    parts = source.removeprefix("FDSN:").split("_")
    return f"{'.'.join(parts[:3])}.{''.join(parts[3:])}" if len(parts) == 6 else source


def _chosen(records: Sequence[_Record], wanted: str | None) -> str:
    """Raises SimError where no channel has samples, or none is the one that is wanted."""
    counted = [one for one in records if one.samples and one.fs_hz > 0]
    if not counted:
        raise SimError("damaged or no miniSEED (no record with samples inside)")
    names = list(dict.fromkeys(one.channel for one in counted))
    if wanted is not None:
        names = [one for one in names if one == wanted or one.endswith(f".{wanted}")]
        if not names:
            there = ", ".join(dict.fromkeys(one.channel for one in counted))
            raise SimError(f"no channel {wanted}; there are {there[:200]}")
    rates = {one.channel: one.fs_hz for one in counted}
    return min(names, key=lambda name: _rank(name, rates[name]))  # of equals the first


def _rank(name: str, fs_hz: float) -> tuple[bool, int, bool]:
    code = name.rpartition(".")[2]
    instrument = _INSTRUMENTS.find(code[1:2]) if len(code) == 3 else -1
    is_accelerometer = instrument == _INSTRUMENTS.index("N")
    kind = 2 if instrument < 0 else int(is_accelerometer)
    return not FS_MIN_HZ <= fs_hz <= FS_MAX_HZ, kind, not code.endswith("Z")


def _lost_bytes(records: Sequence[_Record], size: int) -> list[str]:
    lost = size - sum(one.length for one in records)
    return [f"{lost} of {size} bytes are no valid record; left out"] if lost else []


def _one_rate(records: Sequence[_Record]) -> tuple[float, list[_Record], list[str]]:
    """The rate that most samples have: a damaged header may have another one."""
    samples: Counter[float] = Counter()
    for one in records:
        samples[one.fs_hz] += one.samples
    rate = samples.most_common(1)[0][0]
    own = [one for one in records if one.fs_hz > 0 and abs(one.fs_hz - rate) <= 1e-3 * rate]
    others = sum(one.samples for one in records) - sum(one.samples for one in own)
    if others > GAP_SHARE_MAX * sum(samples.values()):
        raise SimError("the sample rate changes inside; cut it into parts")
    if sum(one.samples for one in own) > SAMPLES_MAX:
        raise SimError(f"more than {SAMPLES_MAX} samples; cut it into parts")
    return rate, own, [f"{others} samples of another rate left out"] if others else []


def _segments(data: bytes, records: Sequence[_Record]) -> tuple[list[_Segment], list[str]]:
    """The samples of each record that is whole. Raises SimError where none is."""
    segments: list[_Segment] = []
    lost, spoilt = 0, 0
    for record in records:
        samples = _samples(data, record)
        if samples is None:
            spoilt += 1
            lost += record.samples
        elif samples.size:
            segments.append(_Segment(record.start_ns, samples))
    if not segments:
        raise SimError("no record with samples is whole")
    notes = [f"{spoilt} damaged records, {lost} samples, became gaps"] if spoilt else []
    return sorted(segments, key=lambda one: one.start_ns), notes


def _samples(data: bytes, record: _Record) -> NDArray[np.float64] | None:
    """None where they cannot be unpacked, or where Steim's own check of them fails."""
    pymseed.clear_error_messages()
    try:
        raw = memoryview(data)[record.at : record.at + record.length]
        one = next(pymseed.MS3Record.from_buffer(raw, unpack_data=True))
        if pymseed.get_error_messages() or one.sampletype not in ("i", "f", "d"):
            return None
        samples = np.array(one.datasamples, np.float64)
    except (pymseed.PymseedError, ValueError, StopIteration):
        return None
    return samples if samples.size == record.samples else None


def _joined(segments: Sequence[_Segment], fs_hz: float) -> tuple[NDArray[np.int32], int, list[str]]:
    segments, notes = _together(segments, fs_hz)
    first_ns = segments[0].start_ns
    starts = [round((one.start_ns - first_ns) * fs_hz / _NS) for one in segments]
    length = max(at + one.data.size for at, one in zip(starts, segments, strict=True))
    if length > SAMPLES_MAX:
        raise SimError(f"more than {SAMPLES_MAX} samples; cut it into parts")
    data = np.full(length, np.nan)
    for at, one in zip(starts, segments, strict=True):
        data[at : at + one.data.size] = one.data
    data, gaps = bridged(data, fs_hz)
    return as_counts(data), first_ns, [*notes, *gaps]


def _together(segments: Sequence[_Segment], fs_hz: float) -> tuple[Sequence[_Segment], list[str]]:
    """Without records that are far from nearly all others: their header has a wrong time."""
    present = sum(one.data.size for one in segments)
    runs: list[list[_Segment]] = []
    end_ns = None
    for one in segments:
        if end_ns is None or (one.start_ns - end_ns) * fs_hz / _NS > GAP_SHARE_MAX * present:
            runs.append([])
        runs[-1].append(one)
        last_ns = one.start_ns + round(one.data.size * _NS / fs_hz)
        end_ns = last_ns if end_ns is None else max(end_ns, last_ns)
    sizes = [sum(one.data.size for one in run) for run in runs]
    largest = max(sizes)
    if len(runs) == 1:
        return segments, []
    if largest < (1 - GAP_SHARE_MAX) * present:
        raise SimError(GAPS)
    note = f"{present - largest} samples with a time far from the others left out"
    return runs[sizes.index(largest)], [note]
