# SPDX-License-Identifier: MIT
"""Many lives of one site whose store is restored, lost or cut, or loses its head, between them.

No message to a node repeats a counter, no alarm has the number of another, every change is
reported, and each message with a receipt is in the store of its life, once.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.api.schema.answers import Alarms, Doubts
from gateway.api.schema.bodies import ReasonBody
from gateway.commands.client import Client
from gateway.model.alarm import AlarmKind
from gateway.model.doubt import Doubt
from gateway.wire import seal
from gateway.wire.messages import Message
from tests.faults.life import Life
from tests.faults.nodes import Crowd, Node
from tests.gateway.played_node import write_config
from tests.ports import free_port
from tools.cli import main

STORE = "groundwatch.db"
LIVES = 9
SEEDS = [
    pytest.param(seed, marks=pytest.mark.long if seed < 2 else pytest.mark.faults)
    for seed in range(14)
]


class Listener(Node):
    """A node that keeps every counter under which a gateway sealed for it."""

    def __init__(self, name: str, port: int) -> None:
        super().__init__(name, port)
        self.counters: Counter[int] = Counter()

    def hello(self, t_ms: int = 0, oldest_seq: int | None = None, **more: Any) -> bytes:
        """As the firmware's: a gateway that lost its store asks for nothing that is gone."""
        held = min((seq for _boot, seq in self.ledger), default=self._seq[0] + 1)
        return super().hello(t_ms, held, **more)

    def open_down(self, data: bytes) -> Message:
        message = super().open_down(data)
        aad = seal.down_aad(self.down, self.boot)
        piv, _payload = seal.open_sealed(self.keys.down_key, self.keys.down_iv, data, aad)
        self.counters[int.from_bytes(piv, "big")] += 1
        return message


class Folder:
    """The data folder between two lives, and the copies that were made of it."""

    def __init__(self, data: Path, rng: random.Random) -> None:
        self.data, self.store, self._rng = data, data / STORE, rng
        self._copies: list[Path] = []

    def copy(self) -> None:
        """Of the files as they are, whether or not a gateway runs."""
        path = self.data.with_name(f"copy{len(self._copies)}")
        path.mkdir()
        for file in self.data.glob(f"{STORE}*"):
            shutil.copy2(file, path)
        self._copies.append(path)

    def nothing(self) -> bool:
        """Only a restart."""
        return False

    def restored(self) -> bool:
        """One of the copies, beside the newest head. A gateway that was killed may have written no
        entry of the audit since the copy was made: then nothing shows the difference."""
        self._remove()
        copy = self._rng.choice(self._copies)
        for path in copy.glob(f"{STORE}*"):
            shutil.copy2(path, self.data / path.name)
        head = json.loads((self.data / "audit.head").read_text())
        return bool(head["number"] > self._last_entry())

    def lost(self) -> bool:
        self._remove()
        return True

    def head_lost(self) -> bool:
        (self.data / "audit.head").unlink()
        return True

    def head_cut(self) -> bool:
        path = self.data / "audit.head"
        path.write_bytes(path.read_bytes()[: self._rng.randrange(len(path.read_bytes()))])
        return True

    def audit_cut(self) -> bool:
        """The last entries, deleted by a person."""
        last, db = self._last_entry(), sqlite3.connect(self.store)
        with db:
            first = last - self._rng.randrange(3)
            db.execute("DELETE FROM audit WHERE id >= ?", (first,))
            db.execute("DELETE FROM checkpoint WHERE number >= ?", (first,))
        db.close()
        return True

    def tail_cut(self) -> bool:
        """Of the file, as after a disk that filled up or a copy that was broken off."""
        self.checkpoint()
        size = self.store.stat().st_size
        with self.store.open("r+b") as file:
            file.truncate(self._rng.randrange(size // 2, size - 4096))
        return True

    def checkpoint(self) -> None:
        db = sqlite3.connect(self.store)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()

    def _last_entry(self) -> int:
        db = sqlite3.connect(self.store)
        try:
            return int(db.execute("SELECT max(id) FROM audit").fetchone()[0])
        finally:
            db.close()

    def _remove(self) -> None:
        for path in self.data.glob(f"{STORE}*"):
            path.unlink()


async def started(config: Path) -> tuple[Life, bool]:
    """A gateway on this store. One that it refuses is salvaged first, as it demands: True."""
    life = Life(config)
    try:
        assert await asyncio.to_thread(life.start)
        return life, False
    except AssertionError as error:
        assert "salvage" in str(error)
        life.kill()
        words = ["gateway", "salvage", "--by", "eva", "--config", str(config), "--json"]
        assert await asyncio.to_thread(main, words) == 0
        life = Life(config)
        assert await asyncio.to_thread(life.start)
        return life, True


@pytest.mark.parametrize("seed", SEEDS)
async def test_lives_of_a_store_repeat_no_counter_and_report_every_change(
    seed: int, tmp_path: Path
) -> None:
    rng, port = random.Random(seed), free_port()
    config = write_config(tmp_path, f'kind = "embedded"\nport = {port}')
    folder = Folder(tmp_path / "data", rng)
    client = Client(tmp_path / "data")
    crowd = Crowd(port)
    nodes = [Listener(f"n{number:02}", port) for number in range(1, 5)]
    crowd.nodes = list(nodes)
    changes: list[Callable[[], bool]] = [
        folder.nothing,
        folder.restored,
        folder.lost,
        folder.head_lost,
        folder.head_cut,
        folder.audit_cut,
        folder.tail_cut,
    ]
    story, expected, doubted = [], False, False
    alarms: dict[int, tuple[AlarmKind, int]] = {}
    async with crowd.running():
        for number in range(LIVES):
            if number:
                change = rng.choice(changes)
                story.append(change.__name__)
                expected |= change()
            life, salvaged = await started(config)
            before = crowd.receipted
            await crowd.until_progress(4)
            found = await asyncio.to_thread(client.get, "/doubts", Doubts)
            if salvaged:  # by a person, who is in the audit; the row of an older doubt may be lost
                story.append("salvaged")
                expected = doubted and bool(found.doubts)
            assert [one.id for one in found.doubts] == ["store"] * expected, (seed, story)
            doubted = expected
            if expected:
                await store_alarm(client)
                if rng.random() < 0.5:
                    story.append("confirmed")
                    body = ReasonBody(reason="known")
                    await asyncio.to_thread(client.post, "/doubts/store/confirm", Doubt, body)
                    expected = doubted = False
            for one in (await asyncio.to_thread(client.get, "/alarms", Alarms)).alarms:
                known = alarms.setdefault(one.id, (one.kind, one.raised_us))
                assert known == (one.kind, one.raised_us), (seed, story, "a number of two alarms")
            if number == 0 or rng.random() < 0.4:
                folder.copy()
            if rng.random() < 0.5:
                story.append("killed")
                life.kill()
            else:
                life.stop()
            assert_stored(folder.store, crowd.receipted - before, (seed, story))
    for node in nodes:
        repeated = [counter for counter, times in node.counters.items() if times > 1]
        assert not repeated, (seed, story, node.node)
    print(f"\nseed {seed}: {sum(len(node.counters) for node in nodes)} counters, {story}")


async def store_alarm(client: Client) -> None:
    """Wait for the alarm about the store."""
    wanted = (AlarmKind.GATEWAY_FAULT, "store")
    async with asyncio.timeout(20):
        while True:
            found = await asyncio.to_thread(client.get, "/alarms", Alarms, {"state": "active"})
            if any((one.kind, one.key) == wanted for one in found.alarms):
                return
            await asyncio.sleep(0.1)


def assert_stored(path: Path, receipted: set, story: tuple[int, list[str]]) -> None:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        rows = Counter(
            (node, boot & 0xFFFF, seq)
            for node, boot, seq in db.execute("SELECT node, boot, seq FROM message WHERE lane = 0")
        )
    finally:
        db.close()
    assert not receipted - rows.keys(), (*story, "a message with a receipt is not in the store")
    assert max(rows.values()) == 1, story
