# SPDX-License-Identifier: MIT
"""The impaired link over real sockets: it carries, delays, breaks at a publish, and is cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sim_hardware.errors import SimError
from sim_hardware.impaired import ImpairedLink
from tests.ports import free_port

PUBLISH, PING = b"\x32\x02ab", b"\xc0\x00"


@asynccontextmanager
async def echo_behind_a_link() -> AsyncIterator[ImpairedLink]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    port = free_port()
    server = await asyncio.start_server(echo, "127.0.0.1", port)
    try:
        async with ImpairedLink("127.0.0.1", port, seed=1) as link:
            yield link
    finally:
        server.close()


async def answer(link: ImpairedLink, data: bytes) -> bytes:
    """What comes back before the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    try:
        writer.write(data)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


async def test_link_without_faults_carries_both_ways_to_the_last_byte() -> None:
    async with echo_behind_a_link() as link:
        assert await answer(link, PUBLISH * 5000) == PUBLISH * 5000
        assert (link.connections, link.breaks) == (1, 0)


async def test_link_with_delay_answers_after_twice_the_delay() -> None:
    async with echo_behind_a_link() as link:
        link.delay_s = 0.3
        start_s = asyncio.get_running_loop().time()
        assert await answer(link, PING) == PING
        assert asyncio.get_running_loop().time() - start_s >= 0.6


async def test_link_with_loss_breaks_its_share_of_publishes_and_nothing_else() -> None:
    async with echo_behind_a_link() as link:
        link.loss_pct = 50
        answers = [await answer(link, PUBLISH) for _ in range(100)]
        assert answers.count(b"") == link.breaks
        assert 30 <= link.breaks <= 70
        assert await answer(link, PING) == PING


async def test_link_that_is_cut_ends_connections_and_carries_after_restore() -> None:
    async with echo_behind_a_link() as link:
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        writer.write(PING)
        assert await reader.readexactly(2) == PING
        link.cut()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)
        writer.transport.abort()
        assert await answer(link, PING) == b""
        link.restore()
        assert await answer(link, PING) == PING


@pytest.mark.parametrize(("name", "value"), [("loss_pct", 91), ("loss_pct", -1), ("delay_s", 31)])
def test_link_beyond_its_bounds_is_refused_with_an_example(name: str, value: float) -> None:
    with pytest.raises(SimError, match="for example"):
        setattr(ImpairedLink(), name, value)
