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
    """Fill the rest of the disk with one file, to the last byte."""
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
    bench, results = Bench(site, store), dict[str, object]()
    async with bench.running():
        await fill_and_free(bench, disk, results)
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
    results |= {"rows": rows[0], "distinct": rows[1]}
    results["check"] = again._open_db().execute("PRAGMA integrity_check").fetchone()[0]
    print(json.dumps(results))  # noqa: T201  # the test that runs this reads it


async def fill_and_free(bench: Bench, disk: Path, results: dict[str, object]) -> None:
    nodes = [PlayedNode("n01"), PlayedNode("n02")]
    for number in range(50):
        bench.offer(nodes[0], nodes[0].health(number))
    await until(lambda: bench.link.acknowledged == 50)
    fill(disk / "ballast")
    start_s, offered = time.monotonic(), 50
    while not bench.problem:
        bench.offer(nodes[0], nodes[0].health(1000 + offered))
        offered += 1
        await asyncio.sleep(0.005)
    results["noticed_s"] = time.monotonic() - start_s
    results["problem"] = bench.problem
    acknowledged = bench.link.acknowledged
    for node in nodes:
        bench.offer(node, node.detection(90_000))
    offered += 2
    await until(lambda: any(outcome.alarms for outcome in bench.outcomes), 10)
    await asyncio.sleep(2)
    results["receipts_while_full"] = receipts(bench, nodes)
    results["acknowledged_while_full"] = bench.link.acknowledged - acknowledged
    try:
        SqliteStore(disk / "other.db").open()
        results["second_store"] = "opened"
    except StoreError as error:
        results["second_store"] = str(error)
    (disk / "ballast").unlink()
    start_s = time.monotonic()
    await until(lambda: not bench.problem, 20)
    results["recovered_s"] = time.monotonic() - start_s
    await until(lambda: bench.link.acknowledged == offered, 20)
    await until(lambda: receipts(bench, nodes) == 2)
    results["offered"] = offered


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
