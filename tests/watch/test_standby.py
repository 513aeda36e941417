# SPDX-License-Identifier: MIT
"""A second machine takes over: a backup, the death of the first gateway, the same nodes."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from gateway.wire import seal
from tests.faults.process import gateway
from tests.gateway.played_node import MqttNode, until, write_config
from tests.ports import free_port
from tools.cli import main

PASSPHRASE = "correct horse battery"


class Witness(MqttNode):
    """Keeps the counter of each message to it: one that comes twice would be a nonce used twice."""

    counters: list[bytes]

    def open_down(self, data: bytes):  # type: ignore[no-untyped-def]  # as the parent's
        aad = seal.down_aad(self.down, self.boot)
        counter, _payload = seal.open_sealed(self.keys.down_key, self.keys.down_iv, data, aad)
        self.counters.append(bytes(counter))
        return super().open_down(data)


def stored(folder: Path) -> list[tuple[str, int]]:
    database = sqlite3.connect(f"file:{folder}/data/groundwatch.db?mode=ro", uri=True)
    try:
        return database.execute("SELECT node, seq FROM detection ORDER BY node, seq").fetchall()
    finally:
        database.close()


async def test_standby_machine_takes_over_from_the_backup_and_nodes_lose_nothing_unreceipted(
    tmp_path: Path,
) -> None:
    first, second, file = tmp_path / "first", tmp_path / "second", tmp_path / "north.gwb"
    first.mkdir()
    config = write_config(first, f'kind = "embedded"\nport = {(port := free_port())}')
    (tmp_path / "passphrase").touch(mode=0o600)
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    words = ("--passphrase-file", str(tmp_path / "passphrase"))
    nodes = [Witness("n01"), Witness("n02")]
    for node in nodes:
        node.counters = []
        node.connect(port)
    async with gateway(config) as running:
        await until(lambda: all(node.subscribed for node in nodes), 120)
        for node in nodes:
            node.publish(node.hello(0))
            node.publish(node.detection(60_000))
        await until(lambda: not any(node.ledger for node in nodes), 120)
        # Every ten minutes, by a timer: docs/operations.md.
        backup = ["gateway", "backup", str(file), "--config", str(config), "--with-keys", *words]
        assert await asyncio.to_thread(main, backup) == 0
        running.process.kill()
        await running.process.wait()
    for node in nodes:
        node.subscribed = False
        node.detection(120_000)  # while no gateway is there; it stays in the ledger
    restore = ["gateway", "restore", str(file), "--config", str(second / "gateway.toml"), *words]
    assert await asyncio.to_thread(main, restore) == 0
    async with gateway(second / "gateway.toml"):
        await until(lambda: all(node.subscribed for node in nodes), 120)
        for node in nodes:
            node.publish(node.hello(130_000))
            for data in list(node.ledger.values()):
                node.publish(data)
        await until(lambda: not any(node.ledger for node in nodes), 120)
    for node in nodes:
        node.disconnect()
        assert len(set(node.counters)) == len(node.counters), "a counter was used twice"
    assert stored(second) == [("n01", 1), ("n01", 2), ("n02", 1), ("n02", 2)]
