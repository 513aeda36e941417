# SPDX-License-Identifier: MIT
"""A store that was restored, copied, cut or lost: reported, confirmed; no counter used twice."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.audit.offline import Entry, record
from gateway.config import load_config
from gateway.errors import ConfigError
from gateway.intake.downlink import SKIPPED, floor_at
from gateway.model.alarm import AlarmKind
from gateway.store.sqlite import SqliteStore
from gateway.wire import seal
from tests.gateway.played_node import MqttNode, until, write_config
from tests.ports import free_port
from tools import cli

STORE = "groundwatch.db"


class Listener(MqttNode):
    """A node that keeps every counter under which the gateway sealed for it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.counters: list[int] = []

    def open_down(self, data: bytes):  # type: ignore[no-untyped-def]  # as the node's
        message = super().open_down(data)
        aad = seal.down_aad(self.down, self.boot)
        piv, _payload = seal.open_sealed(self.keys.down_key, self.keys.down_iv, data, aad)
        self.counters.append(int.from_bytes(piv, "big"))
        return message


async def life(config: Path, node: Listener, reports: int = 3) -> tuple[list[str], list]:
    """A gateway runs, and the node has receipts. (open doubts, alarms about the gateway)."""
    async with Gateway(load_config(config)) as gateway:
        node.subscribed = False
        node.restart()
        node.connect(gateway.address[1])
        await until(lambda: node.subscribed)
        node.publish(node.hello(0))
        for number in range(reports):
            node.publish(node.detection(1000 * number))
            await node.until_received()
        stages = gateway.service.stages
        found = list(stages.doubts.open)
        if found:
            await until(lambda: gateway_faults(gateway))
        alarms = gateway_faults(gateway)
        node.disconnect()
    return found, alarms


def gateway_faults(gateway: Gateway) -> list[tuple[str, str, str]]:
    state = gateway.service.stages.monitor.state.alarms
    kept = [one for one in state.open if one.kind is AlarmKind.GATEWAY_FAULT]
    return [(one.key, one.state, one.reasons[0]) for one in kept]


def restored(data: Path, copy: Path) -> None:
    """Yesterday's store, today's head."""
    _remove_store(data)
    shutil.copy2(copy / STORE, data / STORE)


def lost(data: Path, _copy: Path) -> None:
    _remove_store(data)


def all_lost(data: Path, _copy: Path) -> None:
    """The store and its head; the keys are there."""
    _remove_store(data)
    (data / "audit.head").unlink()


def folder_put_back(data: Path, copy: Path) -> None:
    """As of a virtual machine: nothing in the folder shows it."""
    shutil.rmtree(data)
    shutil.copytree(copy, data)


def cut(data: Path, _copy: Path) -> None:
    db = sqlite3.connect(data / STORE)
    with db:
        (last,) = db.execute("SELECT max(id) FROM audit").fetchone()
        db.execute("DELETE FROM audit WHERE id > ?", (last - 3,))
        db.execute("DELETE FROM checkpoint WHERE number > ?", (last - 3,))
    db.close()


def head_deleted(data: Path, _copy: Path) -> None:
    (data / "audit.head").unlink()


def head_damaged(data: Path, _copy: Path) -> None:
    head = data / "audit.head"
    head.write_bytes(head.read_bytes()[: random.Random(3).randrange(200)])


def head_forged(data: Path, _copy: Path) -> None:
    """A number far ahead must not be believed without its signature."""
    head = data / "audit.head"
    value = json.loads(head.read_text())
    head.write_text(json.dumps({**value, "number": 1 << 60}))


def other_past(data: Path, copy: Path) -> None:
    """The head of another life of this store, with the same number of entries or fewer."""
    db = sqlite3.connect(data / STORE)
    with db:
        db.execute("UPDATE audit SET link = ? WHERE id = (SELECT max(id) FROM audit)", (b"x" * 32,))
    db.close()


def _remove_store(data: Path) -> None:
    for path in data.glob(f"{STORE}*"):
        path.unlink()


CASES: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "restored": (restored, "ends before its audit head"),
    "lost": (lost, "new or empty"),
    "cut": (cut, "ends before its audit head"),
    "head deleted": (head_deleted, "audit.head is missing"),
    "head damaged": (head_damaged, "audit.head is damaged"),
    "head forged": (head_forged, "signed by another key"),
    "other past": (other_past, "two different pasts"),
    "all lost": (all_lost, ""),
    "folder put back": (folder_put_back, ""),
}


def audit(folder: Path, action: str) -> list[tuple[str, str, dict]]:
    db = sqlite3.connect(f"file:{folder}/data/{STORE}?mode=ro", uri=True)
    try:
        query = "SELECT actor, reason, detail_json FROM audit WHERE action = ? ORDER BY id"
        return [(one, two, json.loads(three)) for one, two, three in db.execute(query, (action,))]
    finally:
        db.close()


@pytest.mark.parametrize("case", CASES)
async def test_store_that_is_not_the_one_of_before_uses_no_counter_twice_and_is_reported(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, words = CASES[case]
    config = write_config(tmp_path, f'kind = "embedded"\nport = {free_port()}')
    data, copy, node = tmp_path / "data", tmp_path / "copy", Listener("n01")
    assert (await life(config, node))[0] == []
    shutil.copytree(data, copy, ignore=shutil.ignore_patterns("*.sock"))
    assert await life(config, node) == ([], [])
    change(data, copy)
    found, alarms = await life(config, node)
    assert len(node.counters) == len(set(node.counters)) > 9, "a nonce was used twice"
    if not words:
        assert found == []
        return
    assert found == ["store"]
    ((key, state, reason),) = alarms
    assert (key, state) == ("store", "active_unacked") and words in reason
    ((actor, line, detail),) = audit(tmp_path, "store.doubt")
    assert (actor, line) == ("system", reason) and detail["counters_skipped"] >= SKIPPED
    assert max(node.counters) - min(node.counters) > SKIPPED
    # The doubt stays, and the audit does not hold, until a person confirms.
    assert await verified(data, capsys) == 1
    assert (await life(config, node))[0] == ["store"]
    assert len(audit(tmp_path, "store.doubt")) == 1
    async with Gateway(load_config(config)):
        verb = ["gateway", "confirm", "store", "--reason", "my restore", "--config", str(config)]
        assert await asyncio.to_thread(cli.main, verb) == 0
    found, ((_key, state, _reason),) = await life(config, node)
    assert (found, state) == ([], "cleared_unacked")
    assert [line for _actor, line, _detail in audit(tmp_path, "store.confirm")] == ["my restore"]
    if case != "other past":  # that one was edited
        assert await verified(data, capsys) == 0
        assert "confirmed by" in capsys.readouterr().out
    assert len(node.counters) == len(set(node.counters))


async def verified(data: Path, capsys: pytest.CaptureFixture[str]) -> int:
    capsys.readouterr()
    return await asyncio.to_thread(cli.main, ["audit", "verify", str(data / STORE)])


async def test_copy_of_the_files_of_a_running_gateway_is_called_a_copy(tmp_path: Path) -> None:
    config = write_config(tmp_path, f'kind = "embedded"\nport = {free_port()}')
    node, copy = Listener("n01"), tmp_path / "copy"
    await life(config, node)
    async with Gateway(load_config(config)) as gateway:
        copy.mkdir()
        shutil.copy2(tmp_path / "data" / STORE, copy / STORE)  # without its write-ahead log
        await gateway.service.record("eva", "test", "something")
        shutil.copy2(tmp_path / "data" / "audit.head", copy)
    restored(tmp_path / "data", copy)
    shutil.copy2(copy / "audit.head", tmp_path / "data")
    found, ((_key, _state, reason),) = await life(config, node)
    assert found == ["store"] and "copied while a gateway ran" in reason
    assert "cut" not in reason and "missing at the end" not in reason


async def test_offline_command_on_a_restored_store_keeps_the_doubt_for_the_next_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path, f'kind = "embedded"\nport = {free_port()}')
    data, copy, node = tmp_path / "data", tmp_path / "copy", Listener("n01")
    await life(config, node)
    shutil.copytree(data, copy, ignore=shutil.ignore_patterns("*.sock"))
    await life(config, node)
    restored(data, copy)
    record(SqliteStore(data / STORE), data, [Entry("eva", "export.incident", "alarm 1", "case")])
    assert len(audit(tmp_path, "store.doubt")) == 1
    before = max(node.counters)
    assert (await life(config, node))[0] == ["store"]
    assert min(node.counters[-3:]) > before + SKIPPED // 2
    assert await verified(data, capsys) == 1


async def test_enrolment_log_that_was_cut_refuses_the_start(tmp_path: Path) -> None:
    config = write_config(tmp_path, f'kind = "embedded"\nport = {free_port()}')
    words = ["node", "revoke", "n04", "--why", "stolen", "--config", str(config)]
    assert cli.main(words) == 0
    await life(config, Listener("n01"))
    (tmp_path / "data" / "enrolment.jsonl").unlink()
    with pytest.raises(ConfigError, match="has 0 entries and had 1"):
        await life(config, Listener("n01"))


def test_floor_of_counters_grows_with_time_faster_than_a_gateway_sends() -> None:
    now_us = 1_790_000_000_000_000
    assert floor_at(now_us + 1_000_000) - floor_at(now_us) == 256
    assert floor_at(-1) == 0 and floor_at(1 << 62) < 1 << 40
