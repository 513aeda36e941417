# SPDX-License-Identifier: MIT
"""Brokers: what they must not let through, tried by clients that do not play by the rules."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.broker import embedded
from gateway.broker.canary import CANARY_USER, check_rules
from gateway.broker.embedded import EmbeddedBroker
from gateway.broker.interface import Broker
from gateway.broker.mosquitto import MosquittoBroker, hash_password
from gateway.broker.packets import Kind, Publish, frame, read_packet
from gateway.errors import BrokerError
from tests.gateway.brokers import mosquitto, running_mosquitto
from tests.gateway.played_node import SITE, free_port, until

PASSWORDS = {"n01": ("one",), "n02": ("two",)}
UP1, UP2 = (f"groundwatch/v1/{SITE}/{node}/up" for node in ("n01", "n02"))


@pytest.fixture(params=["embedded", "mosquitto"])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    if request.param == "embedded":
        made: Broker = EmbeddedBroker("127.0.0.1", 0, SITE, PASSWORDS)
    else:
        mosquitto()
        made = MosquittoBroker("127.0.0.1", 0, SITE, PASSWORDS, tmp_path / "mosquitto")
    async with made:
        yield made


class Client:
    """MQTT by hand, so that it can do what a library would not."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def next(self, wanted: Kind, seconds: float = 2.0) -> bytes:
        async with asyncio.timeout(seconds):
            while True:
                kind, _flags, body = await read_packet(self.reader, 4096)
                if kind is wanted:
                    return body

    async def closed(self, seconds: float = 3.0) -> bool:
        """The broker ends the connection (whatever it says before)."""
        try:
            async with asyncio.timeout(seconds):
                await self.reader.read(-1)
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True


def text(value: str) -> bytes:
    return len(value.encode()).to_bytes(2, "big") + value.encode()


async def connect(
    broker: Broker, user: str, password: str, client_id: str = "", will: str = ""
) -> tuple[Client, int]:
    """A client and the code of its CONNACK (-1: closed without one)."""
    client = Client(*await asyncio.open_connection(*broker.address))
    flags = 0xC2 | (0x0C if will else 0)
    body = text("MQTT") + bytes((4, flags, 0, 30)) + text(client_id or user)
    body += text(will) + text("gone") if will else b""
    client.writer.write(frame(Kind.CONNECT, body + text(user) + text(password)))
    try:
        return client, (await client.next(Kind.CONNACK))[1]
    except (asyncio.IncompleteReadError, ConnectionError):
        return client, -1


async def gateway_of(broker: Broker) -> Client:
    assert broker.username is not None
    assert broker.password is not None
    client, code = await connect(broker, broker.username, broker.password)
    assert code == 0
    topics = f"groundwatch/v1/{SITE}/+/up"
    client.writer.write(frame(Kind.SUBSCRIBE, b"\0\1" + text(topics) + b"\1"))
    await client.next(Kind.SUBACK)
    return client


async def heard(gateway: Client, node: Client, topic: str) -> list[bytes]:
    """Payloads that arrive until the node's own marker does."""
    node.writer.write(Publish(topic, b"marker", 1).encode(99))
    payloads = []
    while not payloads or not payloads[-1].endswith(b"marker"):
        body = await gateway.next(Kind.PUBLISH)
        size = int.from_bytes(body[:2], "big")
        payloads.append(body[:2] and body[2 : 2 + size] + b" " + body[4 + size :])
    return payloads


async def test_canary_embedded_broker_passes() -> None:
    passwords = {**PASSWORDS, CANARY_USER: ("tweet",)}
    async with EmbeddedBroker("127.0.0.1", 0, SITE, passwords) as broker:
        own = (broker.username or "", broker.password or "")
        await check_rules(broker.address, SITE, own, "tweet")


async def test_canary_open_broker_is_refused(tmp_path: Path) -> None:
    port = free_port()
    async with running_mosquitto(tmp_path, port):
        with pytest.raises(BrokerError, match="lets strangers in"):
            await check_rules(("127.0.0.1", port), SITE, ("gateway", "x"), "y")


async def test_canary_broker_without_topic_rules_is_refused(tmp_path: Path) -> None:
    port = free_port()
    users = {"gateway": "x", CANARY_USER: "y"}
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
        process.terminate()
        await process.wait()


@pytest.mark.parametrize(
    ("user", "password"), [("n01", "two"), ("n01", ""), ("n03", "one"), ("gateway", "gateway")]
)
async def test_broker_wrong_password_is_refused(broker: Broker, user: str, password: str) -> None:
    _client, code = await connect(broker, user, password)
    assert code in (4, 5)


async def test_broker_foreign_topic_does_not_arrive(broker: Broker) -> None:
    gateway = await gateway_of(broker)
    liar, code = await connect(broker, "n01", "one")
    assert code == 0
    liar.writer.write(Publish(UP2, b"forged", 1).encode(1))
    await liar.writer.drain()
    honest, _ = await connect(broker, "n02", "two")
    assert await heard(gateway, honest, UP2) == [UP2.encode() + b" marker"]


async def test_broker_foreign_will_does_not_arrive(broker: Broker) -> None:
    gateway = await gateway_of(broker)
    liar, _code = await connect(broker, "n01", "one", will=UP2)
    liar.writer.transport.abort()
    honest, _ = await connect(broker, "n02", "two")
    assert await heard(gateway, honest, UP2) == [UP2.encode() + b" marker"]


async def test_broker_own_will_arrives_when_the_connection_breaks(broker: Broker) -> None:
    gateway = await gateway_of(broker)
    node, code = await connect(broker, "n01", "one", will=UP1)
    assert code == 0
    node.writer.transport.abort()
    assert (await gateway.next(Kind.PUBLISH)).endswith(b"gone")


async def test_broker_foreign_subscription_hears_nothing(broker: Broker) -> None:
    gateway = await gateway_of(broker)
    spy, _code = await connect(broker, "n01", "one")
    for number, topics in enumerate(("#", "$SYS/#", f"groundwatch/v1/{SITE}/n02/down", UP2), 1):
        spy.writer.write(frame(Kind.SUBSCRIBE, bytes((0, number)) + text(topics) + b"\0"))
    gateway.writer.write(Publish(f"groundwatch/v1/{SITE}/n02/down", b"secret", 0).encode(0))
    with pytest.raises(TimeoutError):
        await spy.next(Kind.PUBLISH, 0.4)


async def test_broker_packet_too_big_ends_the_connection(broker: Broker) -> None:
    node, _code = await connect(broker, "n01", "one")
    node.writer.write(frame(Kind.PUBLISH, text(UP1) + bytes(5000), 0))
    assert await node.closed()
    stranger = Client(*await asyncio.open_connection(*broker.address))
    stranger.writer.write(b"\x10\xff\xff\xff\x7f" + bytes(4096))  # a CONNECT of 256 MiB
    assert await stranger.closed()


async def test_broker_stranger_with_a_nodes_id_does_not_disturb_it(broker: Broker) -> None:
    gateway = await gateway_of(broker)
    node, _code = await connect(broker, "n01", "one")
    _liar, code = await connect(broker, "n01", "wrong")
    assert code != 0
    _other, _code = await connect(broker, "n02", "two", client_id="n01")
    assert await heard(gateway, node, UP1) == [UP1.encode() + b" marker"]


async def test_embedded_silent_stranger_is_shown_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_CONNECT_S", 0.2)
    async with EmbeddedBroker("127.0.0.1", 0, SITE, PASSWORDS) as broker:
        silent = Client(*await asyncio.open_connection(*broker.address))
        assert await silent.closed(1.0)
        assert broker.counters["no_connect_in_time"] == 1


async def test_embedded_rubbish_ends_the_connection_and_is_counted() -> None:
    async with EmbeddedBroker("127.0.0.1", 0, SITE, PASSWORDS) as broker:
        for rubbish in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"\0\0",
            b"\x10\0",
            b"\x30\x03\0\x01x",
            b"\xf0\0",
        ):
            client = Client(*await asyncio.open_connection(*broker.address))
            client.writer.write(rubbish)
            assert await client.closed()
        assert sum(broker.counters.values()) == 5


async def test_embedded_puback_waits_for_the_gateways() -> None:
    async with EmbeddedBroker("127.0.0.1", 0, SITE, PASSWORDS) as broker:
        gateway = await gateway_of(broker)
        node, _code = await connect(broker, "n01", "one")
        node.writer.write(Publish(UP1, b"x", 1).encode(7))
        body = await gateway.next(Kind.PUBLISH)
        with pytest.raises(TimeoutError):
            await node.next(Kind.PUBACK, 0.2)
        # The gateway dies before it acknowledged; its successor gets the message again.
        gateway.writer.transport.abort()
        gateway = await gateway_of(broker)
        body = await gateway.next(Kind.PUBLISH)
        at = 2 + int.from_bytes(body[:2], "big")
        gateway.writer.write(frame(Kind.PUBACK, body[at : at + 2]))
        assert await node.next(Kind.PUBACK) == b"\0\7"


async def test_embedded_message_that_waited_reaches_the_gateways_next_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedded, "_INFLIGHT", 1)
    async with EmbeddedBroker("127.0.0.1", 0, SITE, PASSWORDS) as broker:
        gateway = await gateway_of(broker)
        node, _code = await connect(broker, "n01", "one")
        for number in (1, 2):  # the second waits until the first is acknowledged
            node.writer.write(Publish(UP1, b"%d" % number, 1).encode(number))
        await gateway.next(Kind.PUBLISH)
        gateway.writer.transport.abort()
        gateway = await gateway_of(broker)
        for number in (b"1", b"2"):
            body = await gateway.next(Kind.PUBLISH)
            at = 2 + int.from_bytes(body[:2], "big")
            assert body[at + 2 :] == number
            gateway.writer.write(frame(Kind.PUBACK, body[at : at + 2]))
        assert [await node.next(Kind.PUBACK) for _ in range(2)] == [b"\0\1", b"\0\2"]


async def test_embedded_gateway_that_acknowledges_nothing_is_given_so_much_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedded, "_UNACKED_MOST", 20)
    async with EmbeddedBroker("127.0.0.1", 0, SITE, PASSWORDS) as broker:
        gateway = await gateway_of(broker)
        for _ in range(4):  # a node that gets no PUBACK connects again and sends again
            node, _code = await connect(broker, "n01", "one", will=UP1)
            for number in range(1, 9):
                node.writer.write(Publish(UP1, b"x", 1).encode(number))
            await asyncio.sleep(0.05)
            node.writer.transport.abort()
            await until(lambda: "n01" not in broker.sessions)
        assert not gateway.writer.is_closing()
        assert len(broker.sessions["gateway"]._unacked) == 20
        assert broker.counters["gateway_takes_no_more"] > 1


async def test_embedded_other_protocol_level_is_told_so() -> None:
    async with EmbeddedBroker("127.0.0.1", 0, SITE, PASSWORDS) as broker:
        client = Client(*await asyncio.open_connection(*broker.address))
        client.writer.write(frame(Kind.CONNECT, text("MQTT") + b"\5\2\0\x1e\0" + text("n01")))
        assert await client.next(Kind.CONNACK) == b"\0\1"
        assert await client.closed()


async def test_embedded_node_that_connects_again_replaces_itself_without_its_will() -> None:
    async with EmbeddedBroker("127.0.0.1", 0, SITE, PASSWORDS) as broker:
        gateway = await gateway_of(broker)
        old, _code = await connect(broker, "n01", "one", will=UP1)
        new, _code = await connect(broker, "n01", "one", will=UP1)
        assert await old.closed()
        assert await heard(gateway, new, UP1) == [UP1.encode() + b" marker"]
        await until(lambda: broker.sessions["n01"].will is not None)


async def test_mosquitto_old_version_is_told(tmp_path: Path) -> None:
    mosquitto()
    async with MosquittoBroker("127.0.0.1", 0, SITE, PASSWORDS, tmp_path / "m") as broker:
        assert (tmp_path / "m").stat().st_mode & 0o77 == 0
        assert (tmp_path / "m" / "passwords").stat().st_mode & 0o77 == 0
        assert all("mosquitto" in warning for warning in broker.warnings)


async def test_mosquitto_that_dies_is_noticed(tmp_path: Path) -> None:
    mosquitto()
    async with MosquittoBroker("127.0.0.1", 0, SITE, PASSWORDS, tmp_path / "m") as broker:
        assert broker._process is not None
        broker._process.kill()
        async with asyncio.timeout(3):
            await broker.watch()


async def test_broker_port_in_use_says_so(tmp_path: Path) -> None:
    async with EmbeddedBroker("127.0.0.1", 0, SITE, PASSWORDS) as first:
        for second in (
            EmbeddedBroker("127.0.0.1", first.port, SITE, PASSWORDS),
            MosquittoBroker("127.0.0.1", first.port, SITE, PASSWORDS, tmp_path / "m"),
        ):
            with pytest.raises(BrokerError, match="set another"):
                await second.start()
