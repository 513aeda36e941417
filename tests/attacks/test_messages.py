# SPDX-License-Identifier: MIT
"""Attacks on messages: cloned, replayed, moved and altered ones, with keys and without."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.config import load_config
from gateway.config.site import load_site
from gateway.keys import KeyRing, derive, next_epoch, node_key
from gateway.model.alarm import AlarmKind
from gateway.service.stages import Stages
from tests.attacks.conftest import Report
from tests.gateway.played_node import ROOT, SITE, PlayedNode, until, write_config, write_site

T0 = 1_800_000_000_000_000
S = 1_000_000


class Pipeline:
    """A gateway's processing stages with a clock, and the alarms that they raised."""

    def __init__(self, folder: Path) -> None:
        write_site(folder)
        site = load_site(folder / "site.toml")
        keys = {n: KeyRing((derive(node_key(ROOT, SITE, n)),)) for n in site.nodes}
        self.stages = Stages(site, keys)
        self.now_us = T0

    def send(self, data: bytes, topic: str) -> str:
        """The reason for a refusal; "" when the message is accepted as new."""
        self.now_us += S
        outcome = self.stages.uplink(self.now_us, topic, data)
        return outcome.refused or ("duplicate" if outcome.duplicate else "")

    def spoofing_alarms(self) -> str:
        """The reasons of the spoofing alarms; fails when there is none."""
        reasons = [
            " ".join(alarm.reasons)
            for alarm in self.stages.monitor.state.alarms.open
            if alarm.kind is AlarmKind.FORGERY
        ]
        assert reasons, "no alarm was raised"
        return "alarm: " + "; ".join(reasons)

    def send_ordinary(self, node: PlayedNode, count: int) -> list[bytes]:
        """Ordinary messages of a node; all are accepted."""
        sent = [node.hello(0)]
        for number in range(count):
            sent += [node.health(1000 * number), node.detection(1000 * number)]
        for data in sent:
            assert self.send(data, node.up) == ""
        return sent


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return Pipeline(tmp_path)


def test_cloned_node_beside_the_real_one_is_refused_and_raises_an_alarm(
    pipeline: Pipeline, report: Report
):
    pipeline.send_ordinary(PlayedNode("n01", boot=4), 5)
    # Both start from the same flash, so they use the same counters for different messages.
    node, clone = PlayedNode("n01", boot=5), PlayedNode("n01", boot=5)
    pipeline.send_ordinary(node, 20)
    forged = [clone.hello(7)]
    for number in range(20):
        forged += [clone.health(50_000 + number), clone.detection(50_000 + number)]
    results = [pipeline.send(data, clone.up) for data in forged]
    assert set(results) == {"two_senders"}
    report.add("cloned node, same boot", len(forged), results.count(""), pipeline.spoofing_alarms())


def test_cloned_node_in_a_later_boot_raises_an_alarm_when_both_send(
    pipeline: Pipeline, report: Report
):
    # A clone that holds the key looks like a restart of the node. It is detected when the real
    # node sends again; an operator then revokes the key.
    node, clone = PlayedNode("n01", boot=5), PlayedNode("n01", boot=6)
    pipeline.send_ordinary(node, 3)
    forged = [clone.hello(0), clone.health(1), clone.detection(2)]
    results = [pipeline.send(data, clone.up) for data in forged]
    assert {pipeline.send(node.health(9_000 + n), node.up) for n in range(3)} == {"old_boot"}
    report.add(
        "cloned node, next boot",
        len(forged),
        results.count(""),
        pipeline.spoofing_alarms(),
        known=3,
    )


def test_copy_of_a_flash_before_a_key_rotation_is_refused_and_raises_an_alarm(
    pipeline: Pipeline, report: Report
):
    node, copy = PlayedNode("n01", boot=5), PlayedNode("n01", boot=6)
    capture = pipeline.send_ordinary(node, 5)
    node.keys = next_epoch(node.keys)
    assert pipeline.send(node.health(9_000), node.up) == ""
    forged = [copy.hello(0), *(copy.detection(10_000 + n) for n in range(20))]
    results = [pipeline.send(data, copy.up) for data in forged]
    assert set(results) == {"stale_key"}
    report.add(
        "copy from before a key rotation",
        len(forged),
        results.count(""),
        pipeline.spoofing_alarms(),
    )
    results = [pipeline.send(data, node.up) for data in capture]
    assert set(results) == {"old_epoch"}
    report.add("capture of the epoch before", len(capture), results.count(""), "refused, counted")
    assert pipeline.send(node.health(11_000), node.up) == ""


def test_capture_replayed_after_a_flash_erase_is_refused_and_raises_an_alarm(
    pipeline: Pipeline, report: Report
):
    capture = []
    for boot in (1, 2, 3):
        capture += pipeline.send_ordinary(PlayedNode("n01", boot=boot), 12)
    results = [pipeline.send(data, PlayedNode("n01").up) for data in capture]
    assert "" not in results
    alarms = pipeline.spoofing_alarms()
    # The erased node itself, with its counters restarted under the old key.
    erased = PlayedNode("n01", boot=1)
    forged = [erased.hello(5)] + [erased.detection(77_000 + n) for n in range(12)]
    results += [pipeline.send(data, erased.up) for data in forged]
    report.add("replay after re-flash", len(results), results.count(""), alarms)


def test_message_on_the_topic_of_another_node_is_refused_and_raises_an_alarm(
    pipeline: Pipeline, report: Report
):
    thief = PlayedNode("n01")
    results = [pipeline.send(thief.detection(n), PlayedNode("n02").up) for n in range(20)]
    # Also messages that n01 sent on its own topic, replayed unchanged on the topic of n02.
    results += [
        pipeline.send(data, PlayedNode("n02").up) for data in pipeline.send_ordinary(thief, 5)
    ]
    assert set(results) == {"bad_tag"}
    report.add("cross-node spoof", len(results), results.count(""), pipeline.spoofing_alarms())


def test_message_altered_in_any_byte_is_refused_and_raises_an_alarm(
    pipeline: Pipeline, report: Report
):
    node, rng, results = PlayedNode("n03"), random.Random(1), []
    for number in range(400):
        data = bytearray(node.detection(number))
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        results.append(pipeline.send(bytes(data), node.up))
    report.add("altered messages", len(results), results.count(""), pipeline.spoofing_alarms())


async def test_client_id_of_another_node_is_refused_and_raises_an_alarm(
    tmp_path: Path, report: Report
):
    config = load_config(write_config(tmp_path, 'kind = "embedded"\nport = 0'))
    config.data_dir.mkdir(exist_ok=True)
    async with Gateway(config) as gateway:
        victim = derive(node_key(ROOT, SITE, "n01"))
        thief = derive(node_key(ROOT, SITE, "n02"))
        alarms = lambda: [  # noqa: E731  # read again each time
            " ".join(a.reasons)
            for a in gateway.service.stages.monitor.state.alarms.open
            if a.kind is AlarmKind.FORGERY
        ]
        assert await connect(gateway, "n01", "n01", victim.mqtt_password)
        tries = 0
        for client, user, password in (
            ("n01", "n02", thief.mqtt_password),  # its own password, the victim's client id
            ("n01", "n01", thief.mqtt_password),  # the victim's name, its own password
            ("gateway", "n02", thief.mqtt_password),
            ("gateway", "gateway", thief.mqtt_password),
            ("n01", "n01", ""),
        ):
            tries += 1
            assert not await connect(gateway, client, user, password), (client, user)
        await until(alarms, 10)
        report.add("client-id takeover", tries, 0, "alarm: " + "; ".join(alarms()))


async def connect(gateway: Gateway, client: str, user: str, password: str) -> bool:
    """Whether the broker accepts a client with these names (MQTT 3.1.1, section 3.1)."""

    def text(value: str) -> bytes:
        return len(value).to_bytes(2, "big") + value.encode()

    body = b"\x00\x04MQTT\x04\xc2\x00\x1e" + text(client) + text(user) + text(password)
    reader, writer = await asyncio.open_connection(*gateway.address)
    writer.write(b"\x10" + bytes((len(body),)) + body)
    try:
        answer = await asyncio.wait_for(reader.read(4), 10)
    except ConnectionResetError:
        answer = b""
    writer.close()
    return answer == b"\x20\x02\x00\x00"
