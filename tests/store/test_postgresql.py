# SPDX-License-Identifier: MIT
"""PostgreSQL alone: a server that goes away and comes back, older schemas, its error messages."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import psycopg
import pytest

from gateway.app import Gateway
from gateway.config import load_config
from gateway.errors import ConfigError, StoreError
from gateway.service.running import commits, intake_stage
from gateway.store import schema
from gateway.store.interface import Writes
from gateway.store.postgresql import PostgresqlStore
from gateway.store.sqlite import SqliteStore
from tests.gateway.bench import Bench
from tests.gateway.played_node import MqttNode, PlayedNode, until, write_config
from tests.store.server import Server


def test_postgresql_has_the_columns_of_sqlite(database: str, tmp_path: Path) -> None:
    PostgresqlStore(database).open()
    with psycopg.connect(database) as db:
        rows = db.execute(
            "SELECT table_name, column_name, is_nullable FROM information_schema.columns "
            "WHERE table_schema = 'public' AND table_name <> 'groundwatch_schema'"
        ).fetchall()
    store = SqliteStore(tmp_path / "db")
    store.open()
    lite: sqlite3.Connection = store._open_db()
    tables = lite.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    expected = {
        (table, row[1], "NO" if row[3] or row[5] else "YES")
        for (table,) in tables
        for row in lite.execute(f"PRAGMA table_info({table})")
    }
    store.close()
    assert set(rows) == expected


def test_postgresql_of_an_earlier_version_is_brought_up_to_date(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.postgresql.VERSION", 3)
    monkeypatch.setattr(schema, "VERSION", 3)
    first = PostgresqlStore(database)
    first.open()
    first.close()
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("INSERT INTO alarm VALUES (7, 'tamper', 'n01/tamper', 5, 1, '{}')")
    monkeypatch.undo()
    second = PostgresqlStore(database)
    second.open()
    assert second.load().last_alarm_id == 7
    second.commit(Writes())
    second.close()


async def test_postgresql_server_gone_stops_receipts_and_back_again_stores_all_once(
    database: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "RETRY_S", 0.1)
    monkeypatch.setattr(intake_stage, "RETRY_S", 0.1)
    store = PostgresqlStore(database)
    store.open()
    bench, nodes = Bench(tmp_path, store), [PlayedNode("n01"), PlayedNode("n02")]
    bench.store.on_this_machine = False
    async with bench.running():
        for number in range(20):
            bench.offer(nodes[0], nodes[0].detection(number))
        await until(lambda: bench.link.acknowledged == 20)
        await asyncio.to_thread(
            server.stop, "immediate"
        )  # as a crash: no client is disconnected cleanly
        try:
            for node in nodes:
                bench.offer(node, node.detection(90_000))
            await until(lambda: bench.problem, 20)
            await asyncio.sleep(0.5)
            assert bench.link.acknowledged == 20
        finally:
            await asyncio.to_thread(server.start)
        await until(lambda: bench.link.acknowledged == 22, 30)
        assert store.load().messages == 22
    store.close()
    with psycopg.connect(database) as db:
        rows = db.execute(
            "SELECT count(*), count(DISTINCT (node, boot, seq)) FROM message"
        ).fetchone()
    assert rows == (22, 22)


async def test_gateway_on_postgresql_stores_receipts_and_gives_the_lock_back(
    database: str, tmp_path: Path
) -> None:
    config = write_config(tmp_path, 'kind = "embedded"\nport = 0')
    config.write_text(f'{config.read_text()}\n[store]\nurl = "{database}"\n')
    for turn in range(2):
        async with Gateway(load_config(config)) as gateway:
            node = MqttNode("n01", boot=turn + 1)
            node.connect(gateway.address[1])
            await until(lambda: node.subscribed)  # noqa: B023  # awaited here
            node.publish(node.hello(0))
            node.publish(node.detection(5))
            await node.until_received(10)
            node.disconnect()
    with psycopg.connect(database) as db:
        assert db.execute("SELECT count(*) FROM message WHERE lane = 0").fetchone() == (2,)
    assert not (tmp_path / "data" / "groundwatch.db").exists()


def test_postgresql_that_is_not_there_is_one_line_without_the_password(tmp_path: Path) -> None:
    url = f"postgresql://eva:s3cret@/nothing?host={tmp_path}"
    with pytest.raises(StoreError, match="nothing at") as refused:
        PostgresqlStore(url).open()
    assert "s3cret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_config_store_url_is_checked_and_kept_out_of_what_is_printed(tmp_path: Path) -> None:
    config = write_config(tmp_path, 'kind = "embedded"')
    plain = config.read_text()
    config.write_text(f'{plain}\n[store]\nurl = "postgresql://eva:s3cret@host/db"\n')
    assert "s3cret" not in repr(load_config(config))
    config.write_text(f'{plain}\n[store]\nurl = "mysql://host/db"\n')
    with pytest.raises(ConfigError, match=r"store\.url must begin with postgresql"):
        load_config(config)
