# SPDX-License-Identifier: MIT
"""A link that loses, duplicates and reorders messages in both directions: all are stored once."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest

from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.ports.link import Arrival
from gateway.service.running.intake_stage import QUEUE_MAX, IntakeStage
from gateway.service.service import Service
from gateway.service.stages import Stages
from gateway.store.sqlite import SqliteStore
from gateway.wire.messages import Result, ResultStatus
from tests.gateway.played_node import ROOT, PlayedNode, write_site

SEED = 20261128
LOSS, DUPLICATED, REORDERED = 0.3, 0.2, 0.3
SIZES = [pytest.param(2_000, id="some"), pytest.param(100_000, id="many", marks=pytest.mark.faults)]
NODES = 20
_ROUND = 64  # of a node's ledger, oldest first
_REPORTS = 8  # one message in eight is a detection, the others are results


class ImpairedLink:
    """Between nodes and intake. Held back messages go out behind later ones."""

    def __init__(self, nodes: dict[str, PlayedNode], rng: random.Random) -> None:
        self.name, self.connected = "impaired", True
        self.counters: Counter[str] = Counter()
        self._nodes = nodes
        self._rng = rng
        self._late: list[tuple[PlayedNode, bytes]] = []

    async def run(self) -> None:
        """Nothing of its own."""

    def carry(self, node: PlayedNode, data: bytes, intake: IntakeStage) -> None:
        """Carry a message of a node: lose, duplicate or delay it at random."""
        copies = 2 if self._rng.random() < DUPLICATED else 1
        for _ in range(copies):
            if self._rng.random() < LOSS:
                self.counters["lost"] += 1
            elif self._rng.random() < REORDERED:
                self.counters["reordered"] += 1
                self._late.append((node, data))
            else:
                self._hand_over(node, data, intake)
        while self._late and self._rng.random() < 0.5:
            late = self._late.pop(self._rng.randrange(len(self._late)))
            self._hand_over(*late, intake)

    def send(self, topic: str, payload: bytes) -> bool:
        """Carry a message to a node; receipts are lost as well."""
        if self._rng.random() >= LOSS:
            self._nodes[topic].open_down(payload)
        return True

    def _hand_over(self, node: PlayedNode, data: bytes, intake: IntakeStage) -> None:
        arrival = Arrival(time.time_ns() // 1000, node.up, data, self, lambda: None)
        self.counters["over" if intake.offer(arrival) else "full"] += 1


@pytest.mark.parametrize("size", SIZES)
async def test_link_that_loses_duplicates_and_reorders_delivers_every_message_once(
    size: int, tmp_path: Path
) -> None:
    nodes = [PlayedNode(f"n{number:02}") for number in range(1, NODES + 1)]
    link = ImpairedLink({node.down: node for node in nodes}, random.Random(SEED))
    write_site(tmp_path, NODES)
    site = load_site(tmp_path / "site.toml")
    store = SqliteStore(tmp_path / "groundwatch.db")
    store.open()
    pipeline = Stages(site, site_keys(site, ROOT), store.load())
    service = Service(pipeline, store, lambda: time.time_ns() // 1000, lambda _outcome: None)
    service.start()
    intake, running = service.intake_stage, asyncio.create_task(service.run())
    left = {node.node: size // NODES for node in nodes}
    while any(left.values()) or any(node.ledger for node in nodes):
        for node in nodes:
            make(node, left)
            for _key, data in sorted(node.ledger.items())[:_ROUND]:
                link.carry(node, data, intake)
            while intake.queued > QUEUE_MAX // 2:  # noqa: ASYNC110  # counted, there is no event
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    store.close()
    made = {(n.node, n.boot, seq) for n in nodes for seq in range(1, size // NODES + 1)}
    db = sqlite3.connect(tmp_path / "groundwatch.db")
    rows = Counter(db.execute("SELECT node, boot, seq FROM message WHERE lane = 0"))
    db.close()
    assert set(rows) == made
    assert set(rows.values()) == {1}
    assert all(
        pipeline.intake.authenticator.sequence(node.node, 1).upto == size // NODES for node in nodes
    )
    assert link.counters["lost"] > size * LOSS / 2
    assert pipeline.intake.registry.duplicates > size * DUPLICATED / 2
    print(f"\n{size} messages over {dict(link.counters)}: 0 lost, each once, no gap")


def make(node: PlayedNode, left: dict[str, int]) -> None:
    while left[node.node] and len(node.ledger) < 2 * _ROUND:
        left[node.node] -= 1
        number = left[node.node]
        if number % _REPORTS == 0:
            node.detection(1000 * number)
        else:
            node.seal(Result(t_ms=number, command_id=number, status=ResultStatus.OK), 0)
