# SPDX-License-Identifier: MIT
"""Train: real ground with no known source, from a folder that the user names.

Files are taken in the order of their names: every second one is used for training, as ground with
nothing on it, the others for limits. So no limit is set on training data.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sim_hardware import recordings
from sim_hardware.errors import SimError
from sim_hardware.fastpath import FeatureRun
from sim_hardware.signals import quiet_floor, to_feed
from sim_hardware.take import Take
from sim_hardware.virtual import Pace
from tools.errors import UserError
from tools.recordings import find as recordings_in
from tools.train.listen import Hops

_PACE = Pace()


def find(folder: Path) -> tuple[list[Path], list[Path]]:
    """(for training, for limits). Raises UserError for a folder without two recordings."""
    files = recordings_in(folder)
    if len(files) < 2:
        raise UserError(f"--ground: {folder} holds one recording; two are the least")
    for path in files:  # before hours of simulation
        _load(path)
    return files[::2], files[1::2]


def _load(path: Path) -> Take:
    try:
        return recordings.load(path)
    except SimError as error:
        raise UserError(str(error)) from None


def listen(path: Path, micropython: Path) -> Hops:
    """Every hop of one recording, labelled as nothing. Raises UserError for an unreadable one."""
    take = _load(path)
    with FeatureRun(take.nodes, micropython, 0, _PACE) as run:
        for name, signal in take.signals.items():
            velocity = signal.velocity(_PACE.ambient_nm_s)
            run.lead(name, 1e9 * quiet_floor(velocity, signal.fs_hz))
            run.feed(name, to_feed(velocity, signal.fs_hz), [])
        found = run.features()
    t_s, features = next(iter(found.values()))
    # The synthetic lead, and hops that look back on its end, are left out.
    kept = t_s > 2 * _PACE.lead_s
    t_s, features = t_s[kept], features[kept]
    return Hops(
        features, np.zeros(t_s.size, np.uint8), t_s - _PACE.lead_s, np.zeros(t_s.size, np.uint8)
    )
