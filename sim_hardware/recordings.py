# SPDX-License-Identifier: MIT
"""Ground layer: a bare recording (.npz, .wav, miniSEED) becomes a take of one node, n01."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim_hardware.arrays import read_npz, scalar
from sim_hardware.errors import SimError
from sim_hardware.signals import SAMPLES_MAX, Signal
from sim_hardware.site import NodeSpec, SectorSpec, Site
from sim_hardware.take import Take, int_counts, node_signal

NODE = "n01"
_MINISEED = (".mseed", ".miniseed", ".ms", ".msd", ".seed")


def load(path: Path | str) -> Take:
    """Read one recording. Raises SimError with one line for any other file."""
    path = Path(path)
    if not path.is_file():
        raise SimError(f"{path}: no such recording")
    suffix = path.suffix.lower()
    try:
        if suffix == ".npz":
            signal = _npz(path)
        elif suffix in (".wav", ".wave"):
            signal = _wav(path)
        elif suffix in _MINISEED:
            from sim_hardware.miniseed import read_miniseed  # its library is an extra

            counts, fs_hz, t0_utc_s = read_miniseed(path)
            signal = Signal(fs_hz, t0_utc_s, counts=counts)
        else:
            raise SimError(f"{path}: unknown kind of recording; .npz, .wav and .mseed are read")
    except SimError as error:
        text = str(error)
        raise SimError(text if text.startswith(str(path)) else f"{path}: {text}") from None
    return one_node(signal)


def one_node(signal: Signal) -> Take:
    """A site with one node in the middle of one sector."""
    square = ((-50.0, -50.0), (50.0, -50.0), (50.0, 50.0), (-50.0, 50.0))
    site = Site("recording", (NodeSpec(NODE, 0.0, 0.0, "all"),), (SectorSpec("all", square),))
    return Take(site, {NODE: signal})


def _npz(path: Path) -> Signal:
    arrays = read_npz(path)
    if "velocity_m_s" in arrays or "counts_per_m_s" in arrays or "pir_edges_s" in arrays:
        return node_signal(arrays, path)
    if "counts" not in arrays:
        raise SimError(f"{path}: neither velocity_m_s nor counts inside")
    # counts (n,) or (n, channels), fs_hz, t0_utc_s. `scale` has an unknown unit, and `gap` marks
    # interpolated samples. Neither changes the samples of a node, so both are ignored.
    counts = int_counts(arrays["counts"], path)
    if counts.ndim == 2 and counts.shape[1]:
        counts = np.ascontiguousarray(counts[:, 0])
    return Signal(
        scalar(arrays, "fs_hz", path), scalar(arrays, "t0_utc_s", path, 0.0), counts=counts
    )


def _wav(path: Path) -> Signal:
    try:
        with wave.open(str(path), "rb") as file:
            channels, width = file.getnchannels(), file.getsampwidth()
            frames, fs_hz = file.getnframes(), float(file.getframerate())
            if frames > SAMPLES_MAX or frames * channels * width > path.stat().st_size:
                raise SimError("the header promises more samples than the file holds")
            data = file.readframes(frames)
    except (wave.Error, EOFError, RuntimeError) as error:
        raise SimError(f"damaged or not PCM ({error}); convert it to integer PCM") from None
    if len(data) != frames * channels * width:
        raise SimError("the header promises more samples than the file holds")
    return Signal(fs_hz, 0.0, counts=_pcm(data, width, channels))


def _pcm(data: bytes, width: int, channels: int) -> NDArray[np.int32]:
    # The first channel of interleaved PCM: unsigned at 8 bits, signed little-endian beyond.
    raw = np.frombuffer(data, np.uint8).reshape(-1, channels, width)[:, 0, :]
    if width == 1:
        return raw[:, 0].astype(np.int32) - 128
    if width not in (2, 3, 4):
        raise SimError(f"{8 * width}-bit samples; 8, 16, 24 or 32 are read")
    wide = np.zeros((raw.shape[0], 4), np.uint8)
    wide[:, 4 - width :] = raw
    return wide.view("<i4")[:, 0].astype(np.int32) >> (32 - 8 * width)
