# SPDX-License-Identifier: MIT
"""Ground layer: a take, the folder that is the input of nodes (site, signals, truth)."""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim_hardware.arrays import Array, read_npz, scalar
from sim_hardware.errors import SimError
from sim_hardware.signals import Signal, is_dated
from sim_hardware.site import NodeSpec, SectorSpec, Site, read_site, write_site

NODE_ARRAYS = {"velocity_m_s", "counts", "counts_per_m_s", "fs_hz", "t0_utc_s", "pir_edges_s"}
_TRUTH_BYTES_MAX = 1 << 26


@dataclass(frozen=True, eq=False)
class Take:
    """The recorded input of the nodes of a site. `signals` has one Signal for each node.

    Times inside (PIR edges, truth) count in seconds from the start; `truth` is as read, or None.
    """

    site: Site
    signals: Mapping[str, Signal]
    truth: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        """Raise SimError unless each node has a signal and each signal a node."""
        ids = {node.id for node in self.site.nodes}
        for missing in sorted(ids - self.signals.keys()):
            raise SimError(f"node {missing} has no signal")
        for unknown in sorted(self.signals.keys() - ids):
            raise SimError(f"signal of {unknown}, which is no node of the site")

    @property
    def nodes(self) -> tuple[NodeSpec, ...]:
        """The nodes in the order of site.toml."""
        return self.site.nodes

    @property
    def sectors(self) -> tuple[SectorSpec, ...]:
        """The sectors in the order of site.toml."""
        return self.site.sectors

    @property
    def duration_s(self) -> float:
        """Length of the longest signal."""
        return max(signal.duration_s for signal in self.signals.values())

    @property
    def t0_utc_s(self) -> float:
        """UTC of the start, 0 where unknown."""
        return self.signals[self.site.nodes[0].id].t0_utc_s


def load(folder: Path | str) -> Take:
    """Read a take folder. Raises SimError with one line for anything missing or damaged."""
    folder = Path(folder)
    if not folder.is_dir():
        raise SimError(f"{folder}: no such take folder")
    site = read_site(folder / "site.toml")
    signals = {}
    for node in site.nodes:
        path = folder / f"{node.id}.npz"
        if not path.is_file():
            raise SimError(f"{folder}: {path.name} is missing, the file of node {node.id}")
        signals[node.id] = signal = node_signal(read_npz(path), path)
        if signal.t0_utc_s and not is_dated(signal.t0_utc_s):
            raise SimError(f"{path}: t0_utc_s must be from 1970 to 2100, or 0 for no date")
    return Take(site, signals, _truth(folder / "truth.json"))


def node_signal(arrays: dict[str, Array], path: Path) -> Signal:
    """The Signal in the arrays of a node file; `path` is for messages only."""
    for name in arrays:
        if name not in NODE_ARRAYS:
            known = ", ".join(sorted(NODE_ARRAYS))
            raise SimError(f"{path}: unknown array {name}; known: {known}")
    velocity = counts = None
    if "velocity_m_s" in arrays:
        if arrays["velocity_m_s"].dtype.kind != "f":
            raise SimError(f"{path}: velocity_m_s must be floating point, in m/s")
        with np.errstate(over="ignore"):  # becomes infinite, which Signal refuses
            velocity = arrays["velocity_m_s"].astype(np.float32)
    if "counts" in arrays:
        counts = int_counts(arrays["counts"], path)
    edges = arrays.get("pir_edges_s", np.zeros(0))
    if edges.dtype.kind not in "iuf":
        raise SimError(f"{path}: pir_edges_s must be numbers")
    scale = scalar(arrays, "counts_per_m_s", path) if "counts_per_m_s" in arrays else None
    try:
        return Signal(
            fs_hz=scalar(arrays, "fs_hz", path),
            t0_utc_s=scalar(arrays, "t0_utc_s", path, 0.0),
            velocity_m_s=velocity,
            counts=counts,
            counts_per_m_s=scale,
            pir_edges_s=edges.astype(np.float64),
        )
    except SimError as error:
        text = str(error)
        raise SimError(text if text.startswith(str(path)) else f"{path}: {text}") from None


def int_counts(array: Array, path: Path) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Raw counts as int32; refuses other kinds of numbers and larger values."""
    if array.dtype.kind not in "iu":
        raise SimError(f"{path}: counts must be integers, not {array.dtype}")
    if array.size and (array.max() > 2**31 - 1 or array.min() < -(2**31)):
        raise SimError(f"{path}: counts do not fit 32 bits")
    return array.astype(np.int32)


def _truth(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        if path.stat().st_size > _TRUTH_BYTES_MAX:
            raise SimError(f"{path}: larger than {_TRUTH_BYTES_MAX >> 20} MiB")
        truth = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SimError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise SimError(f"{path}: not valid JSON ({error})") from None
    if not isinstance(truth, dict) or truth.get("version") != 1:
        raise SimError(f'{path}: must hold an object with "version": 1')
    return truth


def save_new(take: Take, folder: Path, finish: Callable[[Path], None] | None = None) -> None:
    """Write a take folder that is whole or not there. `finish` adds to it. Raises OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as name:
        beside = Path(name) / folder.name
        save(take, beside)
        if finish is not None:
            finish(beside)
        beside.rename(folder)


def save(take: Take, folder: Path | str) -> None:
    """Write a take folder that `load` reads back; the folder may exist, its files are replaced."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_site(take.site, folder / "site.toml")
    for name, signal in take.signals.items():
        arrays: dict[str, Any] = {
            "fs_hz": np.float64(signal.fs_hz),
            "t0_utc_s": np.float64(signal.t0_utc_s),
            "pir_edges_s": signal.pir_edges_s,
        }
        if signal.velocity_m_s is not None:
            arrays["velocity_m_s"] = signal.velocity_m_s
        else:
            arrays["counts"] = signal.counts
            if signal.counts_per_m_s is not None:
                arrays["counts_per_m_s"] = np.float64(signal.counts_per_m_s)
        np.savez_compressed(folder / f"{name}.npz", **arrays)
    truth = folder / "truth.json"
    if take.truth is not None:
        truth.write_text(json.dumps(take.truth, indent=1) + "\n", encoding="utf-8")
    elif truth.exists():
        truth.unlink()
