# SPDX-License-Identifier: MIT
"""Attacks on messages: copied, replayed, moved and forged ones, with keys and without."""

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


class Door:
    """A gateway's pipeline with a clock, and what it has told."""

    def __init__(self, folder: Path) -> None:
        write_site(folder)
        site = load_site(folder / "site.toml")
        keys = {n: KeyRing((derive(node_key(ROOT, SITE, n)),)) for n in site.nodes}
        self.pipeline = Stages(site, keys)
        self.now_us = T0

    def hear(self, data: bytes, topic: str) -> str:
        """How a message fared: "" when it came in as new, else why not."""
        self.now_us += S
        outcome = self.pipeline.uplink(self.now_us, topic, data)
        return outcome.refused or ("duplicate" if outcome.duplicate else "")

    def told(self) -> str:
        """The alarms of forgery, in words; fails when there is none."""
        reasons = [
            " ".join(alarm.reasons)
            for alarm in self.pipeline.monitor.state.alarms.open
            if alarm.kind is AlarmKind.FORGERY
        ]
        assert reasons, "nobody was told"
        return "alarm: " + "; ".join(reasons)

    def talk(self, node: PlayedNode, count: int) -> list[bytes]:
        """An ordinary stretch of a node's life; all of it comes in."""
        sent = [node.hello(0)]
        for number in range(count):
            sent += [node.health(1000 * number), node.detection(1000 * number)]
        for data in sent:
            assert self.hear(data, node.up) == ""
        return sent


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def test_cloned_node_beside_the_real_one_is_refused_and_told(door: Door, report: Report):
    door.talk(PlayedNode("n01", boot=4), 5)
    # Both begin anew from the same flash: they take the same numbers for different words.
    node, clone = PlayedNode("n01", boot=5), PlayedNode("n01", boot=5)
    door.talk(node, 20)
    lies = [clone.hello(7)]
    for number in range(20):
        lies += [clone.health(50_000 + number), clone.detection(50_000 + number)]
    fates = [door.hear(data, clone.up) for data in lies]
    assert set(fates) == {"two_senders"}
    report.add("cloned node, same boot", len(lies), fates.count(""), door.told())


def test_cloned_node_that_starts_once_more_is_told_as_soon_as_both_speak(
    door: Door, report: Report
):
    # Whoever holds the key is the node: a clone in the next boot looks like a restart. The real
    # one, which goes on as before, gives it away; then the key is revoked.
    node, clone = PlayedNode("n01", boot=5), PlayedNode("n01", boot=6)
    door.talk(node, 3)
    lies = [clone.hello(0), clone.health(1), clone.detection(2)]
    fates = [door.hear(data, clone.up) for data in lies]
    assert {door.hear(node.health(9_000 + n), node.up) for n in range(3)} == {"old_boot"}
    report.add("cloned node, next boot", len(lies), fates.count(""), door.told(), known=3)


def test_copy_of_a_flash_from_before_a_key_step_is_refused_and_told(door: Door, report: Report):
    node, copy = PlayedNode("n01", boot=5), PlayedNode("n01", boot=6)
    capture = door.talk(node, 5)
    node.keys = next_epoch(node.keys)
    assert door.hear(node.health(9_000), node.up) == ""
    lies = [copy.hello(0), *(copy.detection(10_000 + n) for n in range(20))]
    fates = [door.hear(data, copy.up) for data in lies]
    assert set(fates) == {"stale_key"}
    report.add("copy from before a key step", len(lies), fates.count(""), door.told())
    fates = [door.hear(data, node.up) for data in capture]
    assert set(fates) == {"old_epoch"}
    report.add("capture of the epoch before", len(capture), fates.count(""), "refused, counted")
    assert door.hear(node.health(11_000), node.up) == ""


def test_capture_replayed_after_the_flash_was_wiped_is_refused_and_told(door: Door, report: Report):
    capture = []
    for boot in (1, 2, 3):
        capture += door.talk(PlayedNode("n01", boot=boot), 12)
    fates = [door.hear(data, PlayedNode("n01").up) for data in capture]
    assert "" not in fates
    words = door.told()
    # The wiped node itself, its counters begun again under the old key.
    wiped = PlayedNode("n01", boot=1)
    lies = [wiped.hello(5)] + [wiped.detection(77_000 + n) for n in range(12)]
    fates += [door.hear(data, wiped.up) for data in lies]
    report.add("replay after re-flash", len(fates), fates.count(""), words)


def test_message_in_the_name_of_another_node_is_refused_and_told(door: Door, report: Report):
    thief = PlayedNode("n01")
    fates = [door.hear(thief.detection(n), PlayedNode("n02").up) for n in range(20)]
    # And moved as it is: what n01 said for itself, on n02's topic.
    fates += [door.hear(data, PlayedNode("n02").up) for data in door.talk(thief, 5)]
    assert set(fates) == {"bad_tag"}
    report.add("cross-node spoof", len(fates), fates.count(""), door.told())


def test_message_altered_in_any_byte_is_refused_and_told(door: Door, report: Report):
    node, rng, fates = PlayedNode("n03"), random.Random(1), []
    for number in range(400):
        data = bytearray(node.detection(number))
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        fates.append(door.hear(bytes(data), node.up))
    report.add("altered messages", len(fates), fates.count(""), door.told())


async def test_client_id_of_another_node_is_refused_and_told(tmp_path: Path, report: Report):
    config = load_config(write_config(tmp_path, 'kind = "embedded"\nport = 0'))
    config.data_dir.mkdir(exist_ok=True)
    async with Gateway(config) as gateway:
        victim = derive(node_key(ROOT, SITE, "n01"))
        thief = derive(node_key(ROOT, SITE, "n02"))
        alarms = lambda: [  # noqa: E731  # read anew each time
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
    """Whether the broker lets somebody in under these names (MQTT 3.1.1, section 3.1)."""

    def text(words: str) -> bytes:
        return len(words).to_bytes(2, "big") + words.encode()

    body = b"\x00\x04MQTT\x04\xc2\x00\x1e" + text(client) + text(user) + text(password)
    reader, writer = await asyncio.open_connection(*gateway.address)
    writer.write(b"\x10" + bytes((len(body),)) + body)
    try:
        answer = await asyncio.wait_for(reader.read(4), 10)
    except ConnectionResetError:
        answer = b""
    writer.close()
    return answer == b"\x20\x02\x00\x00"
