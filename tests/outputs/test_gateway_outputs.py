# SPDX-License-Identifier: MIT
"""The whole gateway with outputs: alarms go on whatever a receiver does; nothing is forgotten."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway.app import Gateway
from gateway.config import load_config
from gateway.mqtt.session import MqttAccess, MqttSession
from tests.api.picture import shown
from tests.gateway.brokers import running_mosquitto
from tests.gateway.played_node import MqttNode, free_port, write_config
from tests.gateway.played_node import until as until_within
from tests.outputs.receivers import web_server
from tests.outputs.told import changed, secret

until = partial(until_within, seconds=20)
BROKER = 'kind = "embedded"\nport = 0'


def configured(folder: Path, tables: str) -> Path:
    path = write_config(folder, BROKER)
    path.write_text(f"{path.read_text()}\n{tables}")
    return path


def webhook(folder: Path, url: str) -> str:
    key = secret(folder, "k" * 32)
    return (
        f'[[output]]\nname = "phone"\nkind = "webhook"\nurl = "{url}"\nsecret_file = "{key}"\n'
        "priority = 1\n"
    )


async def walk_past(gateway: Gateway, *names: str) -> list[MqttNode]:
    """Two nodes hear somebody; their messages are stored when this returns."""
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
    heard = dict[str, bytes]()
    listeners: list[MqttSession] = []

    def take(listener: int, topic: str, payload: bytes, packet_id: int, _retained: bool) -> None:
        heard[topic] = payload
        listeners[listener].acknowledge(packet_id)  # or the broker holds back after twenty

    for number, wanted in enumerate(topics):
        name = f"listener{number}"
        access = MqttAccess("127.0.0.1", port, None, None, name, persistent=False)
        listeners.append(MqttSession(access, [wanted], partial(take, number), Counter()))
        await listeners[-1].open()
    try:
        yield heard
    finally:
        for listener in listeners:
            listener.close()


def audited(folder: Path) -> list[tuple[str, str, dict[str, Any]]]:
    db = sqlite3.connect(folder / "data" / "groundwatch.db")
    rows = db.execute(
        "SELECT action, subject, detail_json FROM audit WHERE action LIKE 'output.%' ORDER BY id"
    )
    return [(action, subject, json.loads(detail)) for action, subject, detail in rows]


async def test_gateway_alarm_is_told_to_a_webhook_and_the_delivery_is_in_the_audit(
    tmp_path: Path,
) -> None:
    async with web_server() as server:
        config = load_config(configured(tmp_path, webhook(tmp_path, server.url)))
        async with Gateway(config) as gateway:
            nodes = await walk_past(gateway, "n01", "n02")
            await until(lambda: server.received)
            shown = gateway._outputs.snapshot()
            await until(lambda: audited(tmp_path))
            for node in nodes:
                node.disconnect()
    told = json.loads(server.received[0].body)
    assert told["title"] == "yard: person in west"
    assert audited(tmp_path) == [
        (
            "output.sent",
            f"alarm {told['alarm']}",
            {"attempts": 1, "change": told["change"], "delivery": 1, "output": "phone"},
        )
    ]
    assert [channel["name"] for channel in shown["channels"]] == ["phone"]


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
        # Stopped while it hung: the next start tells it.
        hanging = False
        async with Gateway(config):
            await until(lambda: audited(tmp_path))
        hold.set()
    numbers = {request.headers["X-Groundwatch-Delivery"] for request in server.received}
    assert numbers == {"1"}
    assert [action for action, _subject, _detail in audited(tmp_path)] == ["output.sent"]


async def test_gateway_without_outputs_connects_to_nobody_but_its_broker(tmp_path: Path) -> None:
    async with Gateway(load_config(configured(tmp_path, ""))) as gateway:
        shown = gateway._outputs.snapshot()
    assert shown == {"channels": [], "deliveries": [], "home_assistant": None}


async def test_home_assistant_finds_nodes_sectors_and_alarms_on_its_broker(tmp_path: Path) -> None:
    port = free_port()
    async with (
        running_mosquitto(tmp_path, port),
        listening(port, "homeassistant/#", "groundwatch/ha/#") as heard,
    ):
        table = f'[home_assistant]\nhost = "127.0.0.1"\nport = {port}\n'
        async with Gateway(load_config(configured(tmp_path, table))) as gateway:
            await until(lambda: heard.get("groundwatch/ha/yard/status") == b"online")
            before = json.loads(heard["groundwatch/ha/yard/sector/west"])
            nodes = await walk_past(gateway, "n01", "n02")
            await until(
                lambda: json.loads(heard["groundwatch/ha/yard/sector/west"])["presence"] == "ON"
            )
            await until(
                lambda: json.loads(heard["groundwatch/ha/yard/node/n01"])["connected"] == "ON"
            )
            for node in nodes:
                node.disconnect()
        await until(lambda: heard.get("groundwatch/ha/yard/status") == b"offline")
    assert before == {"presence": "OFF"}
    configs = {topic: json.loads(value) for topic, value in heard.items() if "config" in topic}
    assert len(configs) == 2 + 2 + 4 * 4  # site; two sectors; four nodes with four each
    assert len({value["unique_id"] for value in configs.values()}) == len(configs)
    for value in configs.values():
        state = json.loads(heard[value["state_topic"]])
        key = value["value_template"].removeprefix("{{ value_json.").removesuffix(" }}")
        assert key in state


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
