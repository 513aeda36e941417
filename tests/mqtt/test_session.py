# SPDX-License-Identifier: MIT
"""Our session on paho, against real brokers by every transport, and against hostile ones."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import uvloop

from gateway.broker.mosquitto import hash_password
from gateway.broker.packets import Kind, Publish, frame
from gateway.mqtt import session as session_module
from gateway.mqtt.session import BrokerRefused, MqttAccess, MqttSession, Will, take_nothing
from tests.connectors.authority import Authority
from tests.gateway.brokers import running_mosquitto, text, until_listening
from tests.gateway.played_node import free_port

UP = "groundwatch/v1/yard/+/up"
FROM = "groundwatch/v1/yard/n01/up"
WELCOME = frame(Kind.CONNACK, b"\0\0") + frame(Kind.SUBACK, b"\0\1\1")


@dataclass
class Brokers:
    """One mosquitto, a port for each transport, all at once."""

    folder: Path
    authority: Authority
    ports: dict[str, int] = field(default_factory=dict)

    def access(self, transport: str, version: Any = 3, name: str = "gateway") -> MqttAccess:
        is_tls = transport in ("tls", "wss", "client certificate")
        tls = ssl.create_default_context(cafile=str(self.authority.ca)) if is_tls else None
        if tls is not None and transport == "client certificate":
            tls.load_cert_chain(*self.authority.give("gateway"))
        return MqttAccess(
            "127.0.0.1",
            self.ports[transport],
            "gateway" if transport == "password" else None,
            "right" if transport == "password" else None,
            name,
            persistent=False,
            tls=tls,
            transport="websockets" if transport in ("ws", "wss") else "tcp",
            version=version,
        )


TRANSPORTS = ("tcp", "tls", "ws", "wss", "client certificate", "password")


@asynccontextmanager
async def running_brokers(tmp_path: Path) -> AsyncIterator[Brokers]:
    found = Brokers(tmp_path, Authority(tmp_path))
    found.ports = {transport: free_port() for transport in TRANSPORTS}
    certificate, key = found.authority.give("127.0.0.1")
    tls = f"certfile {certificate}\nkeyfile {key}\n"
    (tmp_path / "pw").write_text(f"gateway:{hash_password('right')}\n")
    more = f"user {getpass.getuser()}\n"
    first = "per_listener_settings true\n"
    for transport, lines in (
        ("tls", tls),
        ("ws", "protocol websockets\n"),
        ("wss", f"protocol websockets\n{tls}"),
        ("client certificate", f"{tls}cafile {found.authority.ca}\nrequire_certificate true\n"),
        ("password", f"password_file {tmp_path}/pw\n"),
    ):
        anonymous = "false" if transport == "password" else "true"
        more += f"listener {found.ports[transport]} 127.0.0.1\nallow_anonymous {anonymous}\n{lines}"
    async with running_mosquitto(tmp_path, found.ports["tcp"], more=more, first=first):
        for port in found.ports.values():
            await until_listening(port)
        yield found


@pytest.fixture
async def brokers(tmp_path: Path) -> AsyncIterator[Brokers]:
    async with running_brokers(tmp_path) as found:
        yield found


@dataclass
class Taken:
    """What a session took; acknowledged at once unless `late`."""

    late: bool = False
    counters: Counter[str] = field(default_factory=Counter)
    messages: asyncio.Queue[tuple[str, bytes, int, bool]] = field(default_factory=asyncio.Queue)
    session: MqttSession | None = None

    def take(self, topic: str, payload: bytes, packet_id: int, retained: bool) -> None:
        self.messages.put_nowait((topic, payload, packet_id, retained))
        if not self.late and self.session is not None:
            self.session.acknowledge(packet_id)

    def on(self, access: MqttAccess, *topics: str, will: Will | None = None) -> MqttSession:
        self.session = MqttSession(access, topics or (UP,), self.take, self.counters, will)
        return self.session

    async def next(self) -> tuple[str, bytes, int, bool]:
        async with asyncio.timeout(5):
            return await self.messages.get()


@asynccontextmanager
async def opened(session: MqttSession) -> AsyncIterator[MqttSession]:
    await session.open()
    try:
        yield session
    finally:
        session.close()


def sender(access: MqttAccess, will: Will | None = None) -> MqttSession:
    other = replace(access, client_id="sender")
    return MqttSession(other, None, take_nothing, Counter(), will)


async def carry(access: MqttAccess) -> None:
    taken = Taken()
    async with opened(taken.on(access)), opened(sender(access)) as other:
        sent = [b"%d" % number + bytes(1500) for number in range(60)]
        await asyncio.gather(*(other.deliver(FROM, payload) for payload in sent))
        assert other.publish(FROM, b"qos 0")
        arrived = [await taken.next() for _ in range(61)]
        assert [payload for _topic, payload, _id, _retained in arrived] == [*sent, b"qos 0"]
        assert arrived[-1] == (FROM, b"qos 0", 0, False)


@pytest.mark.parametrize("version", [3, 5])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_session_by_every_transport_carries_messages_both_ways(
    transport: str, version: int, brokers: Brokers
) -> None:
    await carry(brokers.access(transport, version))


def test_session_in_the_loop_that_the_gateway_uses_carries_messages(tmp_path: Path) -> None:
    async def every_transport() -> None:
        async with running_brokers(tmp_path) as brokers:
            for transport in TRANSPORTS:
                await carry(brokers.access(transport, 5))

    uvloop.run(every_transport())


@pytest.mark.parametrize("version", [3, 5])
async def test_session_message_retained_is_marked_for_a_late_subscriber(
    version: int, brokers: Brokers
) -> None:
    access, taken = brokers.access("tcp", version), Taken()
    async with opened(sender(access)) as other:
        await other.deliver(FROM, b"kept", retain=True)
    async with opened(taken.on(access)):
        topic, payload, _packet_id, retained = await taken.next()
        assert (topic, payload, retained) == (FROM, b"kept", True)


@pytest.mark.parametrize("version", [3, 5])
async def test_session_persistent_brings_again_what_was_not_acknowledged(
    version: int, brokers: Brokers
) -> None:
    access = replace(brokers.access("tcp", version), persistent=True)
    taken = Taken(late=True)
    async with opened(taken.on(access)), opened(sender(access)) as other:
        await other.deliver(FROM, b"once")
        await taken.next()
    taken.late = False
    async with opened(taken.on(access)), opened(sender(access)) as other:
        assert (await taken.next())[1] == b"once"
        await other.deliver(FROM, b"after")
        assert (await taken.next())[1] == b"after"


async def test_session_will_is_published_after_a_break_and_not_after_close(
    brokers: Brokers,
) -> None:
    access, taken = brokers.access("tcp"), Taken()
    async with opened(taken.on(access)):
        for clean in (True, False):
            other = sender(access, Will(FROM, b"gone"))
            await other.open()
            if clean:
                other.publish(FROM, b"goodbye")
                other.close()
            else:
                assert other._stream is not None
                other._client.connected.close()
        assert [(await taken.next())[1] for _ in range(2)] == [b"goodbye", b"gone"]


@pytest.mark.parametrize("version", [3, 5])
async def test_session_wrong_password_is_refused_with_the_code_of_the_standard(
    version: int, brokers: Brokers
) -> None:
    access = replace(brokers.access("password", version), password="wrong")
    with pytest.raises(BrokerRefused) as error:
        await sender(access).open()
    assert error.value.code in (4, 5)
    assert "wrong" not in repr(access) + str(error.value)


async def test_session_certificate_of_another_host_or_authority_is_refused(
    brokers: Brokers, tmp_path: Path
) -> None:
    access = brokers.access("tls")
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        await sender(replace(access, host="localhost")).open()
    stranger = ssl.create_default_context(cafile=str(Authority(tmp_path, "other").ca))
    for transport in ("tls", "wss"):
        with pytest.raises(ssl.SSLCertVerificationError):
            await sender(replace(brokers.access(transport), tls=stranger)).open()


def test_access_with_a_context_that_checks_no_host_is_refused() -> None:
    careless = ssl.create_default_context()
    careless.check_hostname = False
    with pytest.raises(ValueError, match="never used"):
        MqttAccess("127.0.0.1", 8883, None, None, "gateway", False, careless)


async def test_session_without_the_certificate_that_is_wanted_reports_it(
    brokers: Brokers,
) -> None:
    access = replace(brokers.access("client certificate"), tls=brokers.access("tls").tls)
    with pytest.raises(OSError, match="(?i)certificate|closed|reset|EOF"):
        await sender(access).open()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "", "a..b", "x" * 300])
async def test_session_host_that_cannot_be_found_is_an_os_error(host: str) -> None:
    with pytest.raises(OSError):
        await sender(MqttAccess(host or " ", 1883, None, None, "gateway", False)).open()


async def test_session_too_big_message_is_counted_acknowledged_and_passed_over(
    brokers: Brokers,
) -> None:
    access, taken = brokers.access("tcp"), Taken()
    async with opened(taken.on(access)), opened(sender(access)) as other:
        for number in range(40):  # more than the broker leaves unacknowledged
            await other.deliver(FROM, bytes(3000 + 997 * number))
        await other.deliver(FROM, b"next")
        assert (await taken.next())[1] == b"next"
        assert taken.counters == {"too_big": 40}


async def test_session_paused_takes_nothing_and_goes_on_where_it_stopped(
    brokers: Brokers,
) -> None:
    access, taken = brokers.access("wss"), Taken()
    async with opened(taken.on(access)) as session, opened(sender(access)) as other:
        session.pause()
        for number in range(15):
            await other.deliver(FROM, b"%d" % number)
        assert taken.messages.empty()
        session.resume()
        assert [(await taken.next())[1] for _ in range(15)] == [b"%d" % n for n in range(15)]


async def test_session_paused_for_longer_than_the_keep_alive_stays_connected(
    brokers: Brokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.mqtt.connect.KEEPALIVE_S", 1)
    monkeypatch.setattr(session_module, "_MISC_S", 0.2)
    access, taken = brokers.access("tcp"), Taken()
    async with opened(taken.on(access)) as session, opened(sender(access)) as other:
        session.pause()
        await other.deliver(FROM, b"waits")
        # Three times the second after which the broker would end a silent connection.
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(4.5):
                await session.closed.wait()
        session.resume()
        assert (await taken.next())[1] == b"waits"
        assert not session.closed.is_set()


async def test_session_closed_inside_take_ends_without_a_deadlock(brokers: Brokers) -> None:
    access, closed = brokers.access("tcp"), asyncio.Event()

    def take(*_message: Any) -> None:
        session.close()
        closed.set()

    session = MqttSession(access, [UP], take, Counter())
    await session.open()
    async with opened(sender(access)) as other:
        await other.deliver(FROM, b"x")
        async with asyncio.timeout(5):
            await closed.wait()
    assert session.problem == "closed by us"
    assert not session.publish(FROM, b"late")


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@asynccontextmanager
async def hostile(serve: Serve) -> AsyncIterator[MqttAccess]:
    """A broker that does what `serve` does with each connection."""
    served: set[asyncio.Task[Any]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.add(task)
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield MqttAccess(*server.sockets[0].getsockname(), None, None, "gateway", False)
    finally:
        for task in served:
            task.cancel()
        server.close()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> None:
    await reader.read(4096)
    writer.write(WELCOME[:4])
    await reader.read(4096)
    writer.write(WELCOME[4:] + data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x32\xff\xff\xff\xff\x7f",  # a length of five bytes
        b"\x34\x05\0\1a\0\1",  # QoS 2
        b"\x36\x05\0\1a\0\1",  # QoS 3
        b"\x32\x02\0\x09",  # a topic that is not there
        b"\x30\x02\0\0",  # an empty topic
        b"\x40\x01\0",  # half a PUBACK
        b"\x90\xff\x7f",  # a SUBACK of 16 KiB
        b"\xf0\0",  # AUTH, which is of MQTT 5
        b"\0\0",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ],
)
async def test_session_hostile_bytes_end_it_with_a_problem(data: bytes) -> None:
    async with hostile(lambda reader, writer: answer(reader, writer, data)) as access:
        session = Taken().on(access)
        with contextlib.suppress(OSError):  # it may be ended before the SUBACK is read
            await session.open()
        async with asyncio.timeout(5):
            await session.closed.wait()
        assert session.problem
        session.close()


async def test_session_topic_that_is_no_text_arrives_as_an_empty_one() -> None:
    data = b"\x32\x06\0\2\xff\xfe\0\7"
    async with hostile(lambda reader, writer: answer(reader, writer, data)) as access:
        taken = Taken()
        async with opened(taken.on(access)):
            assert await taken.next() == ("", b"", 7, False)


async def test_session_broker_that_never_reads_is_given_a_bounded_amount() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer, b"")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async with hostile(serve) as access, opened(Taken().on(access)) as session:
        published = 0
        while session.publish(FROM, bytes(1400)):
            published += 1
            await asyncio.sleep(0)
        assert session._stream is not None
        assert session._stream.unsent < 300_000
        with pytest.raises(OSError, match="accepts nothing"):
            await session.deliver(FROM, b"x")


async def test_session_broker_that_acknowledges_nothing_is_given_a_bounded_number() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer, b"")
        while await reader.read(65536):
            pass

    async with hostile(serve) as access, opened(Taken().on(access)) as session:
        for _ in range(20):  # callers that give up, again and again
            waiting = [asyncio.create_task(session.deliver(FROM, b"x")) for _ in range(100)]
            await asyncio.sleep(0)
            for task in waiting:
                task.cancel()
            done = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(one, OSError) for one in done)
        assert len(session._client._out_messages) == 1024


async def test_session_silent_broker_is_left_after_the_keep_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.mqtt.connect.KEEPALIVE_S", 1)
    monkeypatch.setattr(session_module, "_MISC_S", 0.2)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer, b"")
        while await reader.read(65536):
            pass

    async with hostile(serve) as access:
        session = Taken().on(access)
        await session.open()
        delivering = asyncio.create_task(session.deliver(FROM, b"x"))
        async with asyncio.timeout(10):
            await session.closed.wait()
        assert "alive" in session.problem
        with pytest.raises(OSError):
            await delivering
        session.close()


@pytest.mark.parametrize("transport", ["tls", "ws"])
async def test_session_attempt_given_up_in_the_handshake_ends_its_connection_and_thread(
    transport: str, brokers: Brokers
) -> None:
    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        begun.set()
        await reader.read(-1)  # and never an answer
        ended.set()

    begun, ended = asyncio.Event(), asyncio.Event()
    async with hostile(serve) as there:
        access = replace(brokers.access(transport), port=there.port)
        opening = asyncio.create_task(sender(access).open())
        await begun.wait()
        opening.cancel()
        async with asyncio.timeout(3):
            await asyncio.gather(opening, return_exceptions=True)
            await ended.wait()


async def test_session_loop_is_not_blocked_while_a_broker_shakes_no_hand(
    brokers: Brokers,
) -> None:
    async def serve(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with hostile(serve) as there:
        access = replace(brokers.access("tls"), port=there.port)
        opening = asyncio.create_task(sender(access).open())
        loop, gaps = asyncio.get_running_loop(), []
        for _ in range(50):
            before_s = loop.time()
            await asyncio.sleep(0.005)
            gaps.append(loop.time() - before_s)
        assert not opening.done()
        assert max(gaps) < 1.0
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)


async def test_session_subscription_refused_is_reported_with_its_topic() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(WELCOME[:4])
        await reader.read(4096)
        writer.write(frame(Kind.SUBACK, b"\0\1\x80"))
        await asyncio.Event().wait()

    async with hostile(serve) as access:
        session = Taken().on(access)
        with pytest.raises(ConnectionAbortedError, match="subscription to groundwatch"):
            await session.open()
        session.close()


async def test_session_mqtt_5_properties_do_not_reach_the_payload() -> None:
    properties = b"\x05\x26\0\0\0\0"  # a user property, empty
    body = text(FROM) + b"\0\7" + properties + b"payload"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(frame(Kind.CONNACK, b"\0\0\3\x21\0\5"))  # Receive Maximum 5
        await reader.read(4096)
        writer.write(frame(Kind.SUBACK, b"\0\1\0\1") + frame(Kind.PUBLISH, body, 2))
        await asyncio.Event().wait()

    async with hostile(serve) as access:
        taken = Taken()
        async with opened(taken.on(replace(access, version=5))) as session:
            assert await taken.next() == (FROM, b"payload", 7, False)
            assert session._client.max_inflight_messages == 5


async def test_session_packets_cut_anywhere_are_put_together() -> None:
    data = b"".join(Publish(FROM, b"%d" % n + bytes(200), 1).encode(n) for n in range(1, 20))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer, b"")
        for at in range(0, len(data), 11):
            writer.write(data[at : at + 11])
            await writer.drain()
            await asyncio.sleep(0)
        await asyncio.Event().wait()

    async with hostile(serve) as access:
        taken = Taken()
        async with opened(taken.on(access)):
            arrived = [await taken.next() for _ in range(19)]
            assert [packet_id for _topic, _payload, packet_id, _r in arrived] == list(range(1, 20))
