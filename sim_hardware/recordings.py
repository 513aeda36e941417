# SPDX-License-Identifier: MIT
"""Ground layer: a bare recording (.npz, WAV, miniSEED) becomes a take of one node, n01.

Its kind is that of its content, whatever its name is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim_hardware.arrays import Array, read_npz
from sim_hardware.content import kind_of
from sim_hardware.errors import SimError
from sim_hardware.signals import Signal, as_counts, bridged, is_dated
from sim_hardware.site import NodeSpec, SectorSpec, Site
from sim_hardware.take import NODE_ARRAYS, Take, int_counts, node_signal
from sim_hardware.wav import read_wav

NODE = "n01"
_PIR_RANGE_M = 12.0


@dataclass(frozen=True, eq=False)
class Recording:
    """A take of one node: the channel it is made of, the others, and what was repaired."""

    take: Take
    channel: str
    left: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def remarks(self) -> list[str]:
        """What a person should know about it, a line each; none for a plain file."""
        left = [f"channel {self.channel} is taken, {_some(self.left)} left"] if self.left else []
        return [*left, *self.notes]


def load(path: Path | str, channel: str | None = None) -> Take:
    """The take of one recording. Raises SimError with one line for any other file."""
    return read(path, channel).take


def read(path: Path | str, channel: str | None = None) -> Recording:
    """Read one recording; `channel` as its number from 1, or as miniSEED's name of it.

    Raises SimError with one line for any other file.
    """
    path = Path(path)
    if not path.is_file():
        raise SimError(f"{path}: no such recording")
    try:
        return _dated(_read(path, channel))
    except SimError as error:
        text = str(error)
        raise SimError(text if text.startswith(str(path)) else f"{path}: {text}") from None
    except MemoryError:
        raise SimError(f"{path}: too long for this machine's memory") from None


def one_node(signal: Signal, pir_range_m: float = 0.0) -> Take:
    """A site with one node in the middle of one sector."""
    square = ((-50.0, -50.0), (50.0, -50.0), (50.0, 50.0), (-50.0, 50.0))
    node = NodeSpec(NODE, 0.0, 0.0, "all", pir_range_m=pir_range_m)
    site = Site("recording", (node,), (SectorSpec("all", square),))
    return Take(site, {NODE: signal})


def _read(path: Path, channel: str | None) -> Recording:
    match kind_of(path):
        case "npz":
            return _npz(path, channel)
        case "wav":
            return _wav(path, channel)
        case "miniseed":
            from sim_hardware.miniseed import read_miniseed  # its library is an extra

            found = read_miniseed(path, channel)
            signal = Signal(found.fs_hz, found.t0_utc_s, counts=found.counts)
            return Recording(one_node(signal), found.channel, found.left, found.notes)
    raise SimError("unknown kind of recording; .npz, WAV and miniSEED are read")


def _npz(path: Path, channel: str | None) -> Recording:
    arrays = read_npz(path)
    if "velocity_m_s" not in arrays and "counts" not in arrays:
        raise SimError("neither velocity_m_s nor counts inside")
    # `scale` has an unknown unit, and `gap` marks interpolated samples. Neither changes the
    # samples of a node.
    unused = [name for name in arrays if name not in {*NODE_ARRAYS, "scale", "gap"}]
    notes = (f"the arrays {_some(unused)} are not used",) if unused else ()
    node: dict[str, Array] = {name: arrays[name] for name in arrays if name in NODE_ARRAYS}
    counts = node.get("counts")
    at, left = 0, tuple[str, ...]()
    if counts is not None and counts.ndim == 2 and counts.shape[1]:
        at, left = _choice(int_counts(counts, path), channel)
        node["counts"] = np.ascontiguousarray(counts[:, at])
    elif channel not in (None, "1"):
        raise SimError(f"no channel {channel}; there is one, 1")
    signal = node_signal(node, path)
    pir_range_m = _PIR_RANGE_M if signal.pir_edges_s.size else 0.0
    return Recording(one_node(signal, pir_range_m), str(at + 1), left, notes)


def _wav(path: Path, channel: str | None) -> Recording:
    samples, fs_hz, notes = read_wav(path)
    at, left = _choice(samples, channel)
    counts, gaps = _whole(samples[:, at], fs_hz)
    take = one_node(Signal(fs_hz, counts=counts))
    return Recording(take, str(at + 1), left, (*notes, *gaps))


def _choice(samples: NDArray[np.generic], channel: str | None) -> tuple[int, tuple[str, ...]]:
    """Of (n, channels) the one asked for, by number from 1, else the first that is not constant;
    and the others."""
    names = [str(number) for number in range(1, samples.shape[1] + 1)]
    if channel is None:
        moving = (name for at, name in enumerate(names) if _moves(samples[:, at]))
        channel = next(moving, "1")
    if channel not in names:
        raise SimError(f"no channel {channel}; there are 1 to {len(names)}")
    return int(channel) - 1, tuple(name for name in names if name != channel)


def _moves(samples: NDArray[np.generic]) -> bool:
    return bool(samples.size and (samples != samples[0]).any())


def _whole(samples: NDArray[np.generic], fs_hz: float) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    if samples.dtype.kind != "f":
        return np.ascontiguousarray(samples, np.int32), ()
    filled, notes = bridged(samples.astype(np.float64), fs_hz)
    return as_counts(filled), notes


def _dated(found: Recording) -> Recording:
    t0_utc_s = found.take.t0_utc_s
    if not t0_utc_s or is_dated(t0_utc_s):
        return found
    signal = replace(found.take.signals[NODE], t0_utc_s=0.0)
    note = "its date is before 1970 or after 2100, where no node's clock can be; played without it"
    take = replace(found.take, signals={NODE: signal})
    return replace(found, take=take, notes=(*found.notes, note))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
