# SPDX-License-Identifier: MIT
"""The gateway is killed while real nodes send: nothing is lost, nothing is stored twice."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.keys import create_fleet_root, load_fleet_root
from sim_hardware.fleet import Fleet
from sim_hardware.site import Site, write_site
from sim_hardware.world import World, load
from tests.ports import free_port
from tools.trees import write_trees

KILLS = 10
SEED = 20261123
# A node's retry waits up to 60 s with jitter once many attempts have failed.
CATCH_UP_S = 120.0

Identity = tuple[str, int, int]


def write_gateway_toml(folder: Path, port: int) -> Path:
    """A gateway with its own broker at a port that stays the same over restarts."""
    path = folder / "gateway.toml"
    path.write_text(
        '[gateway]\ndata_dir = "data"\nsite = "site.toml"\nfleet_key = "fleet.key"\n'
        f'[broker]\nkind = "embedded"\nport = {port}\n[console]\nport = 0\n'
    )
    return path


async def start_gateway(config: Path) -> asyncio.subprocess.Process:
    """`groundwatch gateway run` as an operator starts it, ready for nodes when this returns."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tools.cli", "gateway", "--config", str(config), "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    ready = await asyncio.wait_for(process.stdout.readline(), 30)
    assert b'"ready"' in ready, ready
    return process


def stored(data_dir: Path) -> list[Identity]:
    """Every detection row of the store."""
    with contextlib.closing(sqlite3.connect(data_dir / "groundwatch.db")) as store:
        return list(store.execute("SELECT node, boot, seq FROM detection"))


async def until(condition: Callable[[], bool], limit_s: float) -> bool:
    """Whether the condition came true in time; looked at ten times a second."""
    for _ in range(int(limit_s * 10)):
        if condition():
            return True
        await asyncio.sleep(0.1)
    return False


@pytest.mark.long
async def test_gateway_killed_ten_times_stores_every_detection_once(
    tmp_path: Path, micropython: Path
) -> None:
    rng = random.Random(SEED)
    world = World(load(Path(__file__).parent / "busy.toml"), SEED)
    site = Site("busy", world.nodes, world.sectors)
    write_site(site, tmp_path / "site.toml")
    create_fleet_root(tmp_path / "fleet.key")
    port = free_port()
    config = write_gateway_toml(tmp_path, port)
    trees = write_trees(site, load_fleet_root(tmp_path / "fleet.key"), port, tmp_path / "trees")
    arrived_before_kill = 0
    async with Fleet(world, trees, micropython=micropython, seed=SEED) as fleet:
        for _ in range(KILLS):
            gateway = await start_gateway(config)
            before = len(stored(tmp_path / "data"))
            await asyncio.sleep(rng.uniform(0.0, 3.0))
            gateway.send_signal(signal.SIGKILL)
            await gateway.wait()
            arrived_before_kill += len(stored(tmp_path / "data")) - before
        made = {(one.node, one.boot, one.seq) for one in fleet.made}
        gateway = await start_gateway(config)
        caught_up = await until(lambda: made <= set(stored(tmp_path / "data")), CATCH_UP_S)
        gateway.send_signal(signal.SIGTERM)
        assert await gateway.wait() == 0
        rows = stored(tmp_path / "data")
    assert caught_up, f"seed {SEED}: lost {sorted(made - set(rows))}"
    assert len(rows) == len(set(rows))
    assert len(made) >= KILLS, "too quiet to prove anything"
    assert arrived_before_kill > 0, "no kill came while the gateway was storing"
