# SPDX-License-Identifier: MIT
"""The whole gateway with connectors: alarms go on whatever a receiver does; nothing is lost."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.app import Gateway
from gateway.config import load_config
from gateway.mqtt.session import MqttAccess, MqttSession
from tests.api.picture import shown
from tests.connectors.mosquitto import Mosquitto, publish, retained_json
from tests.connectors.receivers import Received, web_server
from tests.connectors.running import eventually
from tests.connectors.test_supervisor import ODD, odd
from tests.gateway.played_node import MqttNode, write_config
from tests.gateway.played_node import until as until_within
from tests.outbox.deliveries import changed, secret
from tests.ports import free_port
from tools.cli import main

until = partial(until_within, seconds=20)
BROKER = 'kind = "embedded"\nport = 0'


def configured(folder: Path, tables: str) -> Path:
    path = write_config(folder, BROKER)
    path.write_text(f"{path.read_text()}\n{tables}")
    return path


def webhook(folder: Path, url: str) -> str:
    key = secret(folder, "k" * 32)
    return (
        f'[[connector]]\nname = "phone"\nkind = "webhook"\nurl = "{url}"\nsecret_file = "{key}"\n'
        "priority = 1\n"
    )


async def walk_past(gateway: Gateway, *names: str) -> list[MqttNode]:
    """Nodes detect a person; their messages are stored when this returns."""
    nodes = [MqttNode(name) for name in names]
    for node in nodes:
        node.connect(gateway.address[1])
    await until(lambda: all(node.subscribed for node in nodes))
    for node in nodes:
        node.publish(node.hello(1000))
        node.publish(node.detection(2000, confidence_pct=90))
    for node in nodes:
        await node.until_received()
    return nodes


@asynccontextmanager
async def listening(port: int, *topics: str) -> AsyncIterator[dict[str, bytes]]:
    """The newest payload by topic, of what a broker on loopback carries."""
    received = dict[str, bytes]()
    listeners: list[MqttSession] = []

    def take(listener: int, topic: str, payload: bytes, packet_id: int, _retained: bool) -> None:
        received[topic] = payload
        listeners[listener].acknowledge(packet_id)  # or the broker holds back after twenty

    for number, wanted in enumerate(topics):
        name = f"listener{number}"
        access = MqttAccess("127.0.0.1", port, None, None, name, persistent=False)
        listeners.append(MqttSession(access, [wanted], partial(take, number), Counter()))
        await listeners[-1].open()
    try:
        yield received
    finally:
        for listener in listeners:
            listener.close()


def audited(folder: Path) -> list[tuple[str, str, dict[str, Any]]]:
    db = sqlite3.connect(folder / "data" / "groundwatch.db")
    rows = db.execute(
        "SELECT action, subject, detail_json FROM audit WHERE action LIKE 'output.%' ORDER BY id"
    )
    return [(action, subject, json.loads(detail)) for action, subject, detail in rows]


async def test_gateway_alarm_is_delivered_to_a_webhook_and_the_delivery_is_in_the_audit(
    tmp_path: Path,
) -> None:
    async with web_server() as server:
        config = load_config(configured(tmp_path, webhook(tmp_path, server.url)))
        async with Gateway(config) as gateway:
            nodes = await walk_past(gateway, "n01", "n02")
            await until(lambda: server.received)
            page = shown(gateway)
            await until(lambda: audited(tmp_path))
            for node in nodes:
                node.disconnect()
    body = json.loads(server.received[0].body)
    assert body["title"] == "yard: person in west"
    assert audited(tmp_path) == [
        (
            "output.sent",
            f"alarm {body['alarm']}",
            {
                "attempts": 1,
                "change": body["change"],
                "delivery": body["delivery"],
                "output": "phone",
            },
        )
    ]
    assert [one["name"] for one in page["outputs"]["channels"]] == ["phone"]


@pytest.mark.parametrize("way", ["files", "command"])
async def test_receiver_gets_no_number_of_an_alarm_or_a_delivery_twice_after_a_restore(
    way: str, tmp_path: Path
) -> None:
    async def alarm(*names: str) -> None:
        before = len(server.received)
        async with Gateway(config) as gateway:
            nodes = await walk_past(gateway, *names)
            await until(lambda: of_intrusions(server.received[before:]))
            for node in nodes:
                node.disconnect()

    folder, backup, store = tmp_path / "site", tmp_path / "b.gwb", "groundwatch.db"
    folder.mkdir()
    async with web_server() as server:
        path = configured(folder, webhook(folder, server.url))
        config, words = load_config(path), ("--config", str(path))
        async with Gateway(config):
            pass
        if way == "command":
            assert main(["gateway", "backup", str(backup), *words]) == 0
        else:
            shutil.copy2(folder / "data" / store, backup)
        await alarm("n01", "n02")
        if way == "command":
            assert (
                main(["gateway", "restore", str(backup), "--replace", "--by", "eva", *words]) == 0
            )
        else:
            for file in (folder / "data").glob(f"{store}*"):
                file.unlink()
            shutil.copy2(backup, folder / "data" / store)
        await alarm("n03", "n04")
    first, second = of_intrusions(server.received)
    assert first["alarm"] != second["alarm"]
    numbers = [request.headers["X-Groundwatch-Delivery"] for request in server.received]
    assert len(numbers) == len(set(numbers))


def of_intrusions(received: list[Received]) -> list[dict[str, Any]]:
    bodies = [json.loads(request.body) for request in received]
    return [body for body in bodies if (body["kind"], body["change"]) == ("intrusion", "raised")]


async def test_gateway_receiver_hangs_alarms_receipts_and_restart_go_on(tmp_path: Path) -> None:
    hold, hanging = asyncio.Event(), True

    async def answer(_number: int) -> web.StreamResponse:
        if hanging:
            await hold.wait()
        return web.Response()

    async with web_server(answer) as server:
        config = load_config(configured(tmp_path, webhook(tmp_path, server.url)))
        raised: list[object] = []
        async with Gateway(config) as gateway:
            gateway.on_alarm(raised.append)
            nodes = await walk_past(gateway, "n01", "n02")
            await until(lambda: server.received)
            assert raised
            for node in nodes:
                node.disconnect()
        assert not audited(tmp_path)
        # Stopped while it hung: the next start delivers it.
        hanging = False
        async with Gateway(config):
            await until(lambda: audited(tmp_path))
        hold.set()
    numbers = {request.headers["X-Groundwatch-Delivery"] for request in server.received}
    assert len(numbers) == 1, "each attempt has the number of the delivery"
    assert [action for action, _subject, _detail in audited(tmp_path)] == ["output.sent"]


async def test_gateway_without_connectors_runs_none(tmp_path: Path) -> None:
    async with Gateway(load_config(configured(tmp_path, ""))) as gateway:
        names = [task.get_name() for task in asyncio.all_tasks()]
        assert gateway.connectors.connectors == {}
    assert not [name for name in names if name.startswith("connector ")]


async def test_home_assistant_shows_an_alarm_of_the_gateway_and_acknowledges_it(
    tmp_path: Path,
) -> None:
    port = free_port()
    broker = Mosquitto(tmp_path, port)
    await broker.start()
    table = f'[home_assistant]\nhost = "127.0.0.1"\nport = {port}\nmay = ["acknowledge"]\n'
    base = "groundwatch/ha/yard"

    async def state(topic: str) -> Any:
        return (await retained_json(port, f"{base}/{topic}")).get(f"{base}/{topic}", {})

    async def is_so(topic: str, name: str, value: object) -> bool:
        return (await state(topic)).get(name) == value

    try:
        async with Gateway(load_config(configured(tmp_path, table))) as gateway:
            await eventually(lambda: is_so("sector/west", "presence", "OFF"))
            nodes = await walk_past(gateway, "n01", "n02")
            await eventually(lambda: is_so("sector/west", "presence", "ON"))
            await eventually(lambda: is_so("node/n01", "connected", "ON"))
            assert len(await retained_json(port, "homeassistant/#")) == 1 + 2 + 4
            alarm = (await state("site"))["attributes"]["alarm"]
            await publish(port, [(f"{base}/command", f"{alarm}".encode())])
            await eventually(lambda: is_so("site", "waiting", 0))
            for node in nodes:
                node.disconnect()
    finally:
        await broker.kill()
    (by,) = (
        sqlite3.connect(tmp_path / "data" / "groundwatch.db")
        .execute("SELECT actor FROM audit WHERE action = 'alarm.acknowledge'")
        .fetchone()
    )
    assert by == "connector:home_assistant"


async def test_gateway_alarm_on_the_page_keeps_its_record_behind_a_storm_of_others(
    tmp_path: Path,
) -> None:
    async with web_server() as server:
        path = configured(tmp_path, webhook(tmp_path, server.url))
        async with Gateway(load_config(path)) as gateway:
            nodes = await walk_past(gateway, "n01", "n02")
            await until(lambda: not gateway.service.stages.outbox.pending and server.received)
            outbox, now_us = gateway.service.stages.outbox, gateway.facade.clock_us()
            for number in range(100, 300):
                outbox.offer([changed(number)], now_us + number * 10_000_000)
            page = shown(gateway)
            for node in nodes:
                node.disconnect()
    (alarm,) = page["alarms"]
    about = [one for one in page["outputs"]["deliveries"] if one["alarm"] == alarm["id"]]
    assert [one["answer"] for one in about] == ["answered 204"]
    assert len(page["outputs"]["deliveries"]) == 51


async def test_gateway_with_connectors_that_raise_a_hundred_times_loses_no_alarm(
    tmp_path: Path,
) -> None:
    async with web_server() as server:
        config = load_config(configured(tmp_path, webhook(tmp_path, server.url)))
        bad = tuple((ODD, odd(name, does)) for name, does in (("a", "raises"), ("b", "exits")))
        config = replace(config, connectors=(*config.connectors, *bad))
        async with Gateway(config) as gateway:
            gateway.connectors._wait_s = (0.005, 0.02)  # in the field the first wait is a second
            await eventually(lambda: gateway.connectors.status_of("a").restarts >= 50, 60)
            nodes = await walk_past(gateway, "n01", "n02")
            await until(lambda: server.received)
            await eventually(lambda: gateway.connectors.status_of("a").restarts >= 100, 60)
            assert gateway.connectors.status_of("b").restarts >= 50
            assert len(gateway.service.stages.monitor.state.alarms.open) == 1
            for node in nodes:
                node.disconnect()
    assert [json.loads(one.body)["alarm"] for one in server.received] == [1]
