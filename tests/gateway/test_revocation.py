# SPDX-License-Identifier: MIT
"""A running gateway follows the enrolment journal: rotation, revocation, replacement."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.config import load_config
from gateway.enrolment import ENROLMENT, EnrolmentLog, Entry, KeyAct
from gateway.errors import ConfigError
from gateway.keys import derive, node_key
from gateway.model.alarm import Alarm, AlarmKind
from gateway.ports.link import Arrival
from tests.gateway.played_node import ROOT, SITE, MqttNode, until, write_config

WITHIN_S = 1.0


@pytest.fixture(params=["embedded", "mosquitto"])
def config(request, tmp_path):
    return load_config(write_config(tmp_path, f'kind = "{request.param}"\nport = 0'))


def journal_of(tmp_path: Path) -> EnrolmentLog:
    return EnrolmentLog(tmp_path / "data" / ENROLMENT, ROOT)


def act(journal: EnrolmentLog, what: KeyAct, generation: int = 1, node: str = "n01") -> None:
    with journal.locked():
        journal.append(
            Entry(0, "2026-11-25T16:00:00+00:00", what, node, generation, "e6", 0, "anna", "lost")
        )


def alarms_of(gateway: Gateway) -> tuple[Alarm, ...]:
    return gateway.service.stages.monitor.state.alarms.open


def connected(gateway: Gateway, node: MqttNode) -> MqttNode:
    node.connect(gateway.address[1])
    return node


async def test_revoked_node_is_out_within_a_second_and_alarmed(config, tmp_path) -> None:
    async with Gateway(config) as gateway:
        node = connected(gateway, MqttNode("n01"))
        other = connected(gateway, MqttNode("n02"))
        for one in (node, other):
            await until(lambda: one.subscribed)  # noqa: B023  # awaited within the loop
            one.publish(one.detection(1000))
            await one.until_received()
        act(journal_of(tmp_path), KeyAct.REVOKE)
        start_s = time.monotonic()
        await until(lambda: "n01" in gateway.service.stages.intake.registry.revoked, WITHIN_S)
        await until(lambda: not node.client.is_connected())
        assert time.monotonic() - start_s < 5  # the node's thread may be slow to see it
        gateway.service.intake_stage.offer(played(gateway, node))
        await until(lambda: gateway.service.stages.intake.refused.by_reason().get("revoked"))
        await until(lambda: [a for a in alarms_of(gateway) if a.kind is AlarmKind.FORGERY])
        (alarm,) = [a for a in alarms_of(gateway) if a.kind is AlarmKind.FORGERY]
        assert "revoked" in alarm.reasons[0]
        assert other.client.is_connected()
        other.publish(other.detection(2000))
        await other.until_received()
        node.disconnect()
        other.disconnect()
    db = sqlite3.connect(tmp_path / "data" / "groundwatch.db")
    count = "SELECT count(*) FROM message WHERE lane = 0 AND node = ?"
    assert db.execute(count, ("n01",)).fetchone() == (1,)
    assert db.execute(
        "SELECT action, subject, actor FROM audit WHERE action LIKE 'node.%'"
    ).fetchall() == [("node.revoke", "n01", "anna")]


def played(gateway: Gateway, node: MqttNode):
    """A message of the node as if another broker had let it pass."""
    link = gateway.links[0]
    return Arrival(time.time_ns() // 1000, node.up, node.detection(3000), link, lambda: None)


async def test_revoked_node_that_knocks_at_our_broker_raises_one_alarm(tmp_path) -> None:
    config = load_config(write_config(tmp_path, 'kind = "embedded"\nport = 0'))
    act(journal_of(tmp_path), KeyAct.REVOKE)
    async with Gateway(config) as gateway:
        node = connected(gateway, MqttNode("n01"))
        await until(lambda: gateway.service.stages.monitor.state.alarms.open)
        await until(lambda: gateway.broker.counters["bad_credentials"] > 3)
        assert [a.kind for a in gateway.service.stages.monitor.state.alarms.open] == [
            AlarmKind.FORGERY
        ]
        node.disconnect()


async def test_rotated_node_is_received_under_both_keys_until_the_new_one_is_confirmed(
    config, tmp_path
) -> None:
    journal = journal_of(tmp_path)
    async with Gateway(config) as gateway:
        act(journal, KeyAct.OFFER, 2)
        known = gateway.service.stages.intake.authenticator
        await until(lambda: len(known._keys["n01"].accepted) == 2)
        node = MqttNode("n01")
        node.keys = derive(node_key(ROOT, SITE, "n01", 2))
        connected(gateway, node)
        await until(lambda: node.subscribed)
        node.publish(node.detection(1000))
        await node.until_received()  # the receipt is sealed under the key it spoke under
        act(journal, KeyAct.PROVE, 2)
        await until(lambda: len(known._keys["n01"].accepted) == 1)
        old = MqttNode("n01")
        gateway.service.intake_stage.offer(played(gateway, old))
        await until(lambda: gateway.service.stages.intake.refused.by_reason().get("bad_tag"))
        node.publish(node.detection(4000))
        await node.until_received()
        node.disconnect()


async def test_journal_whose_end_was_cut_off_keeps_a_new_gateway_from_starting(tmp_path) -> None:
    config = load_config(write_config(tmp_path, 'kind = "embedded"\nport = 0'))
    journal = journal_of(tmp_path)
    act(journal, KeyAct.PROVE)
    act(journal, KeyAct.REVOKE)
    async with Gateway(config) as gateway:
        await until(lambda: gateway.service.commits.made)
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(lines[0])
    with pytest.raises(ConfigError, match="restore it"):
        async with Gateway(config):
            pass


async def test_journal_damaged_under_a_running_gateway_leaves_the_keys_as_they_were(
    tmp_path,
) -> None:
    config = load_config(write_config(tmp_path, 'kind = "embedded"\nport = 0'))
    journal = journal_of(tmp_path)
    act(journal, KeyAct.REVOKE, node="n02")
    async with Gateway(config) as gateway:
        journal.path.write_bytes(journal.path.read_bytes().replace(b"n02", b"n03"))
        await until(lambda: gateway._warnings())
        assert gateway.service.stages.intake.registry.revoked == {"n02"}
