# SPDX-License-Identifier: MIT
"""The ground under the emulated board: one person passes it 4 m away, in a simulated world."""

from __future__ import annotations

from pathlib import Path

from sim_hardware import take
from sim_hardware.world import World, load
from sim_hardware.world.scenario import SCENARIOS

# The walker moves from 8 s to 39 s. Nothing moves before and after.
DURATION_S = 45


def write_walk(folder: Path, seed: int = 7) -> Path:
    """The walk as a take, for the board's control channel."""
    world = World(load(SCENARIOS / "bench_walker.toml"), seed)
    take.save(world.take(DURATION_S), folder)
    return folder
