# SPDX-License-Identifier: MIT
"""Repeated unclassified activity: the node reports it at intervals and logs the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sim_hardware.signals import Signal
from sim_hardware.site import NodeSpec, SectorSpec, Site, write_site
from sim_hardware.take import Take
from sim_hardware.virtual import Pace, simulate
from tools.trees import write_trees

ROOT = bytes(range(32))


def test_level_that_comes_again_too_soon_is_counted_in_the_log(micropython: Path, tmp_path: Path):
    rng = np.random.default_rng(4)
    t_s = np.arange(100 * 250) / 250
    # Wide-band bursts of 9 s with edges of a second, 30 dB over the ground, 17 s apart.
    loud = sum(np.clip(np.minimum(t_s - at, at + 9 - t_s), 0, 1) for at in (30, 47, 64))
    ground = rng.normal(0, 46e-9, t_s.size) * (1 + 30 * loud)
    node = NodeSpec("n07", 0.0, 0.0, "gate")
    site = Site("north", (node,), (SectorSpec("gate", ((-9, -9), (9, -9), (9, 9), (-9, 9))),))
    write_site(site, tmp_path / "site.toml")
    trees = write_trees(site, ROOT, 1883, tmp_path / "trees")
    given = Take(site, {"n07": Signal(250.0, velocity_m_s=ground.astype(np.float32))})
    run = simulate(given, trees, micropython=micropython, pace=Pace())
    assert any("level held back count=1" in line for line in run.logs["n07"].lines)
