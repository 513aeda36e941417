# SPDX-License-Identifier: MIT
"""A guest ends a connection that the other side has reset: the emulated network goes on."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from sim_hardware.emulated.network import relay_from_guest

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


async def test_end_of_a_guest_after_a_reset_is_no_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        reader, writer = await asyncio.open_connection(*server.getsockname())
        relay_from_guest(writer)
        peer, _address = server.accept()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    peer.close()
    # The event loop has had no turn: the transport holds the connection for open.
    writer.write_eof()
    with pytest.raises(ConnectionResetError):
        await reader.read()


async def test_end_of_a_guest_reaches_the_other_side() -> None:
    async def all_of(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.set_result(await reader.read())
        writer.close()

    received = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(all_of, "127.0.0.1", 0)
    _reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    relay_from_guest(writer)
    writer.write(b"one")
    writer.write(b"two")
    writer.write_eof()
    assert await received == b"onetwo"
    writer.close()
    server.close()
