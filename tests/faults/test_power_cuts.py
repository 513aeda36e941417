# SPDX-License-Identifier: MIT
"""Power cuts: the store's filesystem as it is on disk at one moment, mounted elsewhere.

The gateway writes to an ext4 image mounted by a loop device. It is stopped and the image is copied.
Data that was not synced is not in the copy, as after a power cut. Every message for which a node
has a receipt must be there.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.store.sqlite import SqliteStore
from tests.faults.life import Life
from tests.faults.nodes import Crowd, assert_all_once, stored
from tests.gateway.played_node import write_config
from tests.ports import free_port

SEED = 20261126
CUTS = [pytest.param(4, id="few"), pytest.param(120, id="hundred", marks=pytest.mark.faults)]
_IMAGE_MB = 48


def run(*words: str | Path) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=60)


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[Path]:
    at.mkdir(exist_ok=True)
    run("mount", "-o", "loop", image, at)
    try:
        yield at
    finally:
        run("umount", at)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """(image, where it is mounted)."""
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(_IMAGE_MB << 20)
    try:
        run("mkfs.ext4", "-q", image)
        with mounted(image, tmp_path / "disk") as place:
            yield image, place
    except (subprocess.CalledProcessError, PermissionError) as error:
        if os.geteuid() == 0 and Path("/dev/loop-control").exists():
            raise
        pytest.skip(f"only root may mount a disk image: {error}")


@pytest.mark.parametrize("cuts", CUTS)
async def test_power_cut_at_any_moment_leaves_every_receipted_message_on_the_disk(
    cuts: int, disk: tuple[Path, Path], tmp_path: Path
) -> None:
    image, place = disk
    rng, port = random.Random(SEED), free_port()
    config = write_config(place, f'kind = "embedded"\nport = {port}')
    copy, elsewhere = tmp_path / "copy.img", tmp_path / "copy"
    crowd = Crowd(port)
    life = Life(config)
    assert await asyncio.to_thread(life.start)
    async with crowd.running():
        for _ in range(cuts):
            await crowd.until_progress()
            await asyncio.sleep(rng.uniform(0, 0.1))
            os.kill(life.pid, signal.SIGSTOP)
            await asyncio.sleep(0.02)  # answers under way still reach the nodes
            receipted = crowd.receipted
            await asyncio.to_thread(run, "cp", "--sparse=always", image, copy)
            os.kill(life.pid, signal.SIGCONT)
            with mounted(copy, elsewhere):
                database = elsewhere / "data" / "groundwatch.db"
                rows = stored_after_recovery(database)
                assert receipted <= rows
        await crowd.until_empty()
    life.stop()
    total = assert_all_once(place / "data" / "groundwatch.db", crowd)
    print(f"\n{cuts} power cuts, {total} messages: 0 receipted messages lost, 0 corrupt stores")


def stored_after_recovery(database: Path) -> set[tuple[str, int, int]]:
    """The rows after a gateway has opened the store."""
    store = SqliteStore(database)
    store.open()
    store.load()
    store.close()
    rows = stored(database)
    assert set(rows.values()) <= {1}
    return set(rows)
