# SPDX-License-Identifier: MIT
"""Train: features of sites that were played before, kept in a folder.

A file is named by its site and by a hash of all that could change its content: the firmware's
detector, the simulated worlds and the sites' recipe.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sim_hardware.fastpath import FIRMWARE
from tools.errors import UserError
from tools.train.listen import Hops

_ROOT = Path(__file__).resolve().parents[2]
_SOURCES = (
    "sim_hardware/world/*.py",
    "sim_hardware/*.py",
    "sim_hardware/shims/run_detector.py",
    "tools/train/listen.py",
    "tools/train/sites.py",
    "tools/train/wild.py",
)
_NODE = ("detect/*.py", "dsp/*.py")
# They decide what comes of features, and change none.
_BEHIND = ("verdict.py", "activity.py", "rise.py", "forest.py")


def state() -> str:
    """Sixteen hex digits that change with the code behind a site's features."""
    files = [path for pattern in _SOURCES for path in _ROOT.glob(pattern)]
    files += [path for pattern in _NODE for path in (FIRMWARE / "ugs").glob(pattern)]
    found = hashlib.sha256()
    for path in sorted(path for path in files if path.name not in _BEHIND):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def kept(folder: Path | None, name: str, make: Callable[[], Hops]) -> Hops:
    """What `folder` holds of this name, or what `make` gives, which is kept then."""
    if folder is None:
        return make()
    path = folder / f"{name}_{state()}.npz"
    if path.is_file():
        with np.load(path, allow_pickle=False) as arrays:
            return Hops(*(arrays[key] for key in ("features", "labels", "t_s", "node")))
    found = make()
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            np.savez_compressed(file, **vars(found))
        part.replace(path)
    except OSError as error:
        raise UserError(f"--cache: cannot write {path}: {error.strerror}") from None
    return found
