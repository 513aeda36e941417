# SPDX-License-Identifier: MIT
"""Run in a mount namespace with a small tmpfs: the disk fills up under a gateway, and is freed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from gateway.errors import StoreError
from gateway.store.sqlite import SqliteStore
from gateway.wire.messages import Receipt
from tests.gateway.bench import Bench
from tests.gateway.played_node import PlayedNode, until


def fill(path: Path) -> None:
    """A file that takes what is left of the disk, to the last byte."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(os.urandom(size) if size > 1 else b"x")
            except OSError:
                continue


def receipts(bench: Bench, nodes: list[PlayedNode]) -> int:
    by_topic = {node.down: node for node in nodes}
    opened = [by_topic[topic].open_down(data) for topic, data in bench.link.sent]
    return sum(isinstance(message, Receipt) for message in opened)


async def main(site: Path, disk: Path) -> None:
    store = SqliteStore(disk / "groundwatch.db")
    store.open()
    bench, said = Bench(site, store), dict[str, object]()
    async with bench.running():
        await live_through(bench, disk, said)
    store.close()
    again = SqliteStore(disk / "groundwatch.db")
    again.open()
    rows = (
        again._open_db()
        .execute(
            "SELECT count(*), count(DISTINCT node || '/' || lane || '/' || boot || '/' || seq) "
            "FROM message"
        )
        .fetchone()
    )
    said |= {"rows": rows[0], "distinct": rows[1]}
    said["check"] = again._open_db().execute("PRAGMA integrity_check").fetchone()[0]
    print(json.dumps(said))  # noqa: T201  # the test that runs this reads it


async def live_through(bench: Bench, disk: Path, said: dict[str, object]) -> None:
    nodes = [PlayedNode("n01"), PlayedNode("n02")]
    for number in range(50):
        bench.offer(nodes[0], nodes[0].health(number))
    await until(lambda: bench.link.acknowledged == 50)
    fill(disk / "ballast")
    began, offered = time.monotonic(), 50
    while not bench.problem:
        bench.offer(nodes[0], nodes[0].health(1000 + offered))
        offered += 1
        await asyncio.sleep(0.005)
    said["noticed_s"] = time.monotonic() - began
    said["problem"] = bench.problem
    acknowledged = bench.link.acknowledged
    for node in nodes:
        bench.offer(node, node.detection(90_000))
    offered += 2
    await until(lambda: any(outcome.alarms for outcome in bench.outcomes), 10)
    await asyncio.sleep(2)
    said["receipts_while_full"] = receipts(bench, nodes)
    said["acknowledged_while_full"] = bench.link.acknowledged - acknowledged
    try:
        SqliteStore(disk / "other.db").open()
        said["second_store"] = "opened"
    except StoreError as error:
        said["second_store"] = str(error)
    (disk / "ballast").unlink()
    began = time.monotonic()
    await until(lambda: not bench.problem, 20)
    said["recovered_s"] = time.monotonic() - began
    await until(lambda: bench.link.acknowledged == offered, 20)
    await until(lambda: receipts(bench, nodes) == 2)
    said["offered"] = offered


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
