# SPDX-License-Identifier: MIT
"""Our session and brokers that do what they must not: a typed end, bounded memory, a live loop."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from gateway.broker.packets import Kind, Publish, frame
from gateway.mqtt import session as session_module
from gateway.mqtt.session import MqttAccess
from tests.gateway.brokers import text
from tests.mqtt.sessions import FROM, Taken, opened, sender

WELCOME = frame(Kind.CONNACK, b"\0\0") + frame(Kind.SUBACK, b"\0\1\1")
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
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads
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
    transport: str,
) -> None:
    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        started.set()
        await reader.read(-1)  # and never an answer
        ended.set()

    started, ended = asyncio.Event(), asyncio.Event()
    async with hostile(serve) as there:
        access = (
            replace(there, tls=ssl.create_default_context())
            if transport == "tls"
            else replace(there, transport="websockets")
        )
        opening = asyncio.create_task(sender(access).open())
        await started.wait()
        opening.cancel()
        async with asyncio.timeout(3):
            await asyncio.gather(opening, return_exceptions=True)
            await ended.wait()


async def test_session_loop_is_not_blocked_while_a_broker_shakes_no_hand() -> None:
    async def serve(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with hostile(serve) as there:
        access = replace(there, tls=ssl.create_default_context())
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
