# SPDX-License-Identifier: MIT
"""The whole gateway on each broker: uplink to store to receipt to alarm to page."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.config import load_config
from gateway.wire.messages import Phase
from tests.api.picture import seen_by
from tests.gateway.played_node import MqttNode, until, write_config
from tests.gateway.sign_in import enrol, signed_in

BROKERS = {"embedded": 'kind = "embedded"\nport = 0', "mosquitto": 'kind = "mosquitto"\nport = 0'}


@pytest.fixture(params=BROKERS)
async def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with Gateway(load_config(write_config(tmp_path, BROKERS[request.param]))) as running:
        yield running


async def _nodes(gateway: Gateway, *names: str) -> list[MqttNode]:
    nodes = [MqttNode(name) for name in names]
    for node in nodes:
        node.connect(gateway.address[1])
    await until(lambda: all(node.subscribed for node in nodes))
    return nodes


async def test_gateway_two_nodes_detect_a_walker_alarm_receipts_and_page(
    gateway: Gateway, tmp_path: Path
) -> None:
    raised = []
    gateway.on_alarm(raised.append)
    nodes = await _nodes(gateway, "n01", "n02")
    for node in nodes:
        node.publish(node.hello(1000))
        node.publish(node.detection(2000))
    for node in nodes:
        await node.until_received()
    assert all(node.times and node.times[0].echo_ms == 1000 for node in nodes)
    assert abs(nodes[0].times[0].utc_ms - time.time() * 1000) < 5000
    assert [sorted(change.alarm.nodes) for change in raised][:1] == [["n01", "n02"]]
    enrol(tmp_path)
    async with signed_in(gateway) as browser:
        state = await seen_by(browser)
        assert [alarm["state"] for alarm in state["alarms"]] == ["active_unacked"]
        number = state["alarms"][0]["id"]
        assert (await browser.post(f"api/v1/alarms/{number}/acknowledge")).status == 200
        state = await seen_by(browser)
        assert [alarm["state"] for alarm in state["alarms"]] == ["active_acked"]
    for node in nodes:
        node.publish(node.detection(2000, Phase.END, elapsed_s=8.0))
        await node.until_received()
        node.disconnect()
    db = sqlite3.connect(tmp_path / "data" / "groundwatch.db")
    assert db.execute("SELECT count(*) FROM message WHERE lane = 0").fetchone() == (4,)
    history = db.execute("SELECT change, by FROM alarm_history ORDER BY id").fetchall()
    assert history[0] == ("raised", "")
    assert ("acknowledged", "eva") in history
