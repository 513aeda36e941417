# SPDX-License-Identifier: MIT
"""A store that cannot write: disk full, locked by a process, damaged. Receipts stop, alarms go on;
once it can write again, every message is stored once."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.errors import StoreError
from gateway.service.running import commits, intake_stage
from gateway.store.sqlite import SqliteStore
from tests.gateway.bench import Bench
from tests.gateway.played_node import PlayedNode, until

CHECKOUT = Path(__file__).resolve().parents[2]
_MOUNT = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" -m tests.gateway.small_disk "$3" "$1"'
_HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.readline()
db.execute("ROLLBACK")
"""


def test_service_on_a_disk_that_fills_up_keeps_all_and_recovers(tmp_path: Path) -> None:
    site, disk = tmp_path / "site", tmp_path / "disk"
    site.mkdir()
    disk.mkdir()
    namespace = ["unshare", "--map-root-user", "--mount", "sh", "-c", _MOUNT, "sh"]
    ran = subprocess.run(
        [*namespace, str(disk), sys.executable, str(site)],
        cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    if "unshare failed" in ran.stderr:
        pytest.skip(f"this machine does not permit mounts: {ran.stderr.strip()}")
    assert ran.returncode == 0, ran.stderr
    results = json.loads(ran.stdout)
    assert "disk is full" in results["problem"]
    assert results["receipts_while_full"] == results["acknowledged_while_full"] == 0
    assert "disk is full" in results["second_store"]
    assert results["rows"] == results["distinct"] == results["offered"]
    assert results["check"] == "ok"
    assert results["recovered_s"] < 5


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(commits, "RETRY_S", 0.05)
    monkeypatch.setattr(intake_stage, "RETRY_S", 0.05)
    store = SqliteStore(tmp_path / "groundwatch.db")
    store.open()
    made = Bench(tmp_path, store)
    async with made.running():
        yield made
    store.close()


async def test_service_store_locked_by_another_process_waits_and_goes_on(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nodes = [PlayedNode("n01"), PlayedNode("n02")]
    bench.offer(nodes[0], nodes[0].hello(0))
    await until(lambda: bench.link.acknowledged == 1)
    sent = len(bench.link.sent)
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _HOLD, str(tmp_path / "groundwatch.db"),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    with caplog.at_level(logging.WARNING):
        for node in nodes:
            bench.offer(node, node.detection(90_000))
        await until(lambda: "locked" in bench.problem)
        await until(lambda: any(outcome.alarms for outcome in bench.outcomes))
        assert (bench.link.acknowledged, len(bench.link.sent)) == (1, sent)
        await holder.communicate(b"\n")
        await until(lambda: bench.link.acknowledged == 3)
    assert bench.problem == ""
    levels = [record.levelname for record in caplog.records if "store" in record.message]
    assert levels == ["ERROR", "WARNING"]  # once that it stopped, once that it goes on
    assert bench.store.load().messages == 3


async def test_service_store_damaged_under_it_gives_no_receipt_until_it_is_put_right(
    bench: Bench, tmp_path: Path
) -> None:
    node, path = PlayedNode("n01"), tmp_path / "groundwatch.db"
    for number in range(400):
        bench.offer(node, node.detection(number))
    await until(lambda: bench.link.acknowledged == 400)
    assert bench.store.inner.tidy()
    good = path.read_bytes()
    # Every page but the first, which identifies the file.
    path.write_bytes(good[:4096] + b"\xa5" * (len(good) - 4096))
    assert isinstance(bench.store.inner, SqliteStore)
    bench.store.inner._forget()  # what it had read before is not in its memory
    bench.offer(node, node.detection(5000))
    await until(lambda: "malformed" in bench.problem)
    assert bench.link.acknowledged == 400
    with pytest.raises(StoreError, match="malformed"):
        bench.store.load()
    path.write_bytes(good)
    await until(lambda: bench.link.acknowledged == 401)
    assert bench.store.rows("SELECT count(*) FROM message") == [(401,)]


def test_store_that_cannot_be_written_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "groundwatch.db").mkdir()
    store = SqliteStore(tmp_path / "groundwatch.db")
    with pytest.raises(StoreError, match="unable to open database file") as refused:
        store.open()
    store.close()
    assert "\n" not in str(refused.value)
