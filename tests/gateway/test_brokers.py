# SPDX-License-Identifier: MIT
"""Brokers: what they must not let through, tried by clients that do not play by the rules."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.broker.acl_probe import PROBE_USER, check_embedded, check_rules
from gateway.broker.interface import Broker
from gateway.broker.mosquitto import MosquittoBroker, hash_password
from gateway.broker.packets import Kind, frame
from gateway.errors import BrokerError
from tests.gateway.brokers import (
    Client,
    GatewaySide,
    Offered,
    connect,
    mosquitto,
    running_mosquitto,
    text,
)
from tests.gateway.played_node import SITE
from tests.ports import free_port
from tests.processes import end

Served = tuple[Broker, GatewaySide]
PASSWORDS = {"n01": ("one",), "n02": ("two",)}
UP1, UP2 = (f"groundwatch/v1/{SITE}/{node}/up" for node in ("n01", "n02"))


@pytest.fixture(params=["embedded", "mosquitto"])
async def served(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Served]:
    offered = Offered()
    if request.param == "embedded":
        made: Broker = offered.embedded(PASSWORDS)
    else:
        mosquitto()
        made = MosquittoBroker("127.0.0.1", 0, SITE, PASSWORDS, tmp_path / "mosquitto")
    async with made:
        gateway = GatewaySide(made, offered)
        await gateway.start()
        yield made, gateway


async def test_canary_embedded_broker_passes() -> None:
    await check_embedded(0, SITE)


async def test_canary_open_broker_is_refused(tmp_path: Path) -> None:
    port = free_port()
    async with running_mosquitto(tmp_path, port):
        with pytest.raises(BrokerError, match="accepts clients without a password"):
            await check_rules(("127.0.0.1", port), SITE, ("gateway", "x"), "y")


async def test_canary_broker_without_topic_rules_is_refused(tmp_path: Path) -> None:
    port = free_port()
    users = {"gateway": "x", PROBE_USER: "y"}
    (tmp_path / "pw").write_text("".join(f"{u}:{hash_password(p)}\n" for u, p in users.items()))
    conf = tmp_path / "lax.conf"
    rules = f"allow_anonymous false\npassword_file {tmp_path}/pw\nuser {getpass.getuser()}\n"
    conf.write_text(f"listener {port} 127.0.0.1\n{rules}")
    process = await asyncio.create_subprocess_exec(
        mosquitto(), "-c", str(conf), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await asyncio.sleep(0.3)
        with pytest.raises(BrokerError, match="another's topic"):
            await check_rules(("127.0.0.1", port), SITE, ("gateway", "x"), "y")
    finally:
        await end(process)


@pytest.mark.parametrize(
    ("user", "password"), [("n01", "two"), ("n01", ""), ("n03", "one"), ("gateway", "gateway")]
)
async def test_broker_wrong_password_is_refused(served: Served, user: str, password: str) -> None:
    _client, code = await connect(served[0].address, user, password)
    assert code in (4, 5)


async def test_broker_foreign_topic_does_not_arrive(served: Served) -> None:
    broker, gateway = served
    liar, code = await connect(broker.address, "n01", "one")
    assert code == 0
    liar.publish(UP2, b"forged", 1)
    await liar.writer.drain()
    honest, _ = await connect(broker.address, "n02", "two")
    assert await gateway.until_marker(honest, UP2) == [(UP2, b"marker")]


async def test_broker_foreign_will_does_not_arrive(served: Served) -> None:
    broker, gateway = served
    liar, _code = await connect(broker.address, "n01", "one", will=UP2)
    liar.writer.transport.abort()
    honest, _ = await connect(broker.address, "n02", "two")
    assert await gateway.until_marker(honest, UP2) == [(UP2, b"marker")]


async def test_broker_own_will_arrives_when_the_connection_breaks(served: Served) -> None:
    broker, gateway = served
    node, code = await connect(broker.address, "n01", "one", will=UP1)
    assert code == 0
    node.writer.transport.abort()
    assert await gateway.next() == (UP1, b"gone")


async def test_broker_foreign_subscription_receives_nothing(served: Served) -> None:
    broker, gateway = served
    spy, _code = await connect(broker.address, "n01", "one")
    own = f"groundwatch/v1/{SITE}/n01/down"
    for number, topics in enumerate(("#", "$SYS/#", own.replace("1/d", "2/d"), UP2, own), 1):
        spy.writer.write(frame(Kind.SUBSCRIBE, bytes((0, number)) + text(topics) + b"\0"))
    while (await spy.next(Kind.SUBACK))[:2] != b"\0\5":
        pass
    gateway.send(own.replace("1/d", "2/d"), b"secret")
    gateway.send(own, b"marker")
    assert (await spy.next(Kind.PUBLISH)).endswith(b"/downmarker")


async def test_broker_packet_too_big_ends_the_connection(served: Served) -> None:
    broker, _gateway = served
    node, _code = await connect(broker.address, "n01", "one")
    node.writer.write(frame(Kind.PUBLISH, text(UP1) + bytes(5000), 0))
    assert await node.closed()
    stranger = Client(*await asyncio.open_connection(*broker.address))
    stranger.writer.write(b"\x10\xff\xff\xff\x7f" + bytes(4096))  # a CONNECT of 256 MiB
    assert await stranger.closed()


async def test_broker_stranger_with_a_nodes_id_does_not_disturb_it(served: Served) -> None:
    broker, gateway = served
    node, _code = await connect(broker.address, "n01", "one")
    _liar, code = await connect(broker.address, "n01", "wrong")
    assert code != 0
    _other, _code = await connect(broker.address, "n02", "two", client_id="n01")
    assert await gateway.until_marker(node, UP1) == [(UP1, b"marker")]


async def test_mosquitto_old_version_is_reported(tmp_path: Path) -> None:
    mosquitto()
    async with MosquittoBroker("127.0.0.1", 0, SITE, PASSWORDS, tmp_path / "m") as broker:
        assert (tmp_path / "m").stat().st_mode & 0o77 == 0
        assert (tmp_path / "m" / "passwords").stat().st_mode & 0o77 == 0
        assert all("mosquitto" in warning for warning in broker.warnings)


async def test_broker_port_in_use_is_reported(tmp_path: Path) -> None:
    async with Offered().embedded(PASSWORDS) as first:
        for second in (
            Offered().embedded(PASSWORDS, first.port),
            MosquittoBroker("127.0.0.1", first.port, SITE, PASSWORDS, tmp_path / "m"),
        ):
            with pytest.raises(BrokerError, match="set another"):
                await second.start()
