# SPDX-License-Identifier: MIT
"""Small node trees and takes for runs of a few seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim_hardware.signals import Signal
from sim_hardware.site import NodeSpec, Site
from sim_hardware.take import Take

MakeTrees = Callable[[str, int], dict[str, Path]]


@pytest.fixture
def make_trees(tmp_path: Path) -> MakeTrees:
    """Trees n01.. that hold nothing but a main.py of the test's own."""

    def make(main: str, count: int) -> dict[str, Path]:
        trees = {}
        for number in range(1, count + 1):
            node = f"n{number:02}"
            trees[node] = tmp_path / "trees" / node
            trees[node].mkdir(parents=True)
            config = f'{{"site": "north", "node": "{node}", "board": "pico_w"}}'
            (trees[node] / "node.json").write_text(config)
            (trees[node] / "main.py").write_text(main)
        return trees

    return make


def make_take(count: int, seconds: float = 4.0) -> Take:
    """A line of nodes over quiet ground."""
    nodes = tuple(NodeSpec(f"n{i:02}", 25.0 * i, 0.0, "all") for i in range(1, count + 1))
    rng = np.random.default_rng(6)
    signals = {
        node.id: Signal(
            250.0,
            velocity_m_s=rng.normal(0, 1e-7, round(250 * seconds)).astype(np.float32),
            pir_edges_s=np.array([0.5, 1.0]),
        )
        for node in nodes
    }
    return Take(Site("north", nodes), signals)


@pytest.fixture
def take_of() -> Callable[..., Take]:
    """Builds a take: take_of(count, seconds)."""
    return make_take
