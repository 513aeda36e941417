# SPDX-License-Identifier: MIT
"""SIGKILL of the gateway while nodes publish: everything stored once, nothing lost."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from gateway.wire.messages import Phase
from tests.gateway.brokers import running_mosquitto
from tests.gateway.played_node import MqttNode, until, write_config
from tests.ports import free_port
from tools.cli import main

KILLS = 12
NODES = ("n01", "n02", "n03")
_RUN = "import sys; from tools.cli import main; sys.exit(main(sys.argv[1:]))"


class Publisher:
    """Three nodes that detect all the time and send again what has no receipt."""

    def __init__(self, port: int) -> None:
        self.nodes = [MqttNode(name) for name in NODES]
        self.made: set[tuple[str, int, int]] = set()
        for node in self.nodes:
            node.connect(port)

    async def run(self) -> None:
        started = time.monotonic()
        while True:
            for node in self.nodes:
                t_ms = int(1000 * (time.monotonic() - started))
                if len(node.ledger) < 200:
                    node.detection(t_ms, Phase.ONSET)
                    self.made.add((node.node, *max(node.ledger)))
                self.send(node)
            await asyncio.sleep(0.1)

    @staticmethod
    def send(node: MqttNode) -> None:
        """A hello now and then, as after a connection, and the oldest of the ledger."""
        if not node.client.is_connected():
            return
        if not node.received:
            node.publish(node.hello(0))
        for _key, data in sorted(node.ledger.items())[:8]:
            node.client.publish(node.up, data, qos=0)


async def start_gateway(config: Path) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _RUN, "gateway", "--config", str(config), "--json",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())
    assert ready["type"] == "ready"
    return process


def stored(folder: Path) -> Counter[tuple[str, int, int]]:
    db = sqlite3.connect(f"file:{folder}/data/groundwatch.db?mode=ro", uri=True)
    with db:
        return Counter(db.execute("SELECT node, boot, seq FROM message WHERE lane = 0"))


@pytest.mark.long
@pytest.mark.parametrize("kind", ["embedded", "external"])
async def test_gateway_killed_while_nodes_publish_stores_all_once(
    kind: str, tmp_path: Path
) -> None:
    rng = random.Random(7)
    port = free_port()
    async with running_mosquitto(tmp_path, port, wanted=kind == "external"):
        config = write_config(tmp_path, f'kind = "{kind}"\nport = {port}')
        gateway = await start_gateway(config)
        publisher = Publisher(port)
        task = asyncio.create_task(publisher.run())
        for _ in range(KILLS):
            before = sum(len(node.received) for node in publisher.nodes)
            nodes = publisher.nodes
            await until(lambda: sum(len(node.received) for node in nodes) > before, 10)  # noqa: B023  # awaited here
            await asyncio.sleep(rng.uniform(0, 0.15))
            gateway.kill()
            await gateway.wait()
            gateway = await start_gateway(config)
        task.cancel()
        finishing = asyncio.create_task(resend(publisher))
        for node in publisher.nodes:
            await node.until_received(20)
        finishing.cancel()
        gateway.terminate()
        assert await gateway.wait() == 0
        for node in publisher.nodes:
            node.disconnect()
    rows = stored(tmp_path)
    assert len(publisher.made) > 100
    assert set(rows) == publisher.made
    assert set(rows.values()) == {1}
    # What was written down about it holds too: no commit was torn, no head runs ahead of it.
    assert main(["audit", "verify", str(tmp_path / "data" / "groundwatch.db")]) == 0


async def resend(publisher: Publisher) -> None:
    while True:
        for node in publisher.nodes:
            publisher.send(node)
        await asyncio.sleep(0.1)
