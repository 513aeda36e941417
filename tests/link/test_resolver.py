# SPDX-License-Identifier: MIT
"""Look-ups of the broker's name under real MicroPython, against faulty name servers."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.on_node import run_on_node

LOOKUP = Path(__file__).parent / "on_node" / "lookup.py"
NAME = "broker.field.example"
A, CNAME = 1, 5
# A look-up must not delay the other tasks for longer; one of them feeds the watchdog.
GAP_MS = 300

Answers = Callable[[bytes], Iterable[bytes]]


def _name(text: str) -> bytes:
    return b"".join(bytes([len(x)]) + x.encode() for x in text.split(".")) + b"\0"


def _record(owner: bytes, kind: int, data: bytes, klass: int = 1) -> bytes:
    return owner + struct.pack(">HHIH", kind, klass, 60, len(data)) + data


def _reply(query: bytes, *records: bytes, flags: int = 0x8180) -> bytes:
    """An answer to `query` as RFC 1035 section 4.1 has it."""
    return (
        query[:2]
        + struct.pack(">HHHHH", flags, 1, len(records), 0, 0)
        + query[12:]
        + b"".join(records)
    )


def _address(*numbers: int) -> bytes:
    return _record(b"\xc0\x0c", A, bytes(numbers))


def _renumbered(query: bytes) -> bytes:
    return bytes([query[0] ^ 1]) + query[1:]


GOOD: dict[str, Answers] = {
    "one address": lambda q: [_reply(q, _address(10, 0, 0, 7))],
    "an alias": lambda q: [
        _reply(
            q,
            _record(b"\xc0\x0c", CNAME, _name("b.example")),
            _record(_name("b.example"), A, bytes((10, 0, 0, 7))),
        )
    ],
    "another type before it": lambda q: [
        _reply(q, _record(b"\xc0\x0c", 28, bytes(16)), _address(10, 0, 0, 7))
    ],
    "its name in capitals": lambda q: [
        _reply(q[:12] + q[12:-4].upper() + q[-4:], _address(10, 0, 0, 7))
    ],
    "a flood of nonsense first": lambda q: [
        b"",
        b"x",
        q,
        bytes(512),
        *[b"\xff" * 400] * 40,
        _reply(q, _address(10, 0, 0, 7)),
    ],
    "a forged id first": lambda q: [
        _reply(_renumbered(q), _address(6, 6, 6, 6)),
        _reply(q, _address(10, 0, 0, 7)),
    ],
    "the third try": lambda q: [_reply(q, _address(10, 0, 0, 7))],
}
BAD: dict[str, Answers] = {
    "silence": lambda _q: [],
    "another id": lambda q: [_reply(_renumbered(q), _address(6, 6, 6, 6))],
    "another question": lambda q: [_reply(q.replace(b"field", b"fielt"), _address(6, 6, 6, 6))],
    "no such name": lambda q: [_reply(q, flags=0x8183)],
    "a truncated answer": lambda q: [_reply(q, _address(6, 6, 6, 6), flags=0x8380)],
    "a query": lambda q: [_reply(q, _address(6, 6, 6, 6), flags=0x0100)],
    "a name that points at itself": lambda q: [_reply(q, b"\xc0\xff" * 8)],
    "a record cut short": lambda q: [_reply(q, _address(6, 6, 6, 6))[:-1]],
    "an address of five bytes": lambda q: [_reply(q, _address(6, 6, 6, 6, 6))],
    "another class": lambda q: [_reply(q, _record(b"\xc0\x0c", A, bytes(4), klass=3))],
    "this host": lambda q: [_reply(q, _address(0, 0, 0, 0))],
    "a group of hosts": lambda q: [_reply(q, _address(224, 0, 0, 1))],
}


class _Server(asyncio.DatagramProtocol):
    def __init__(self, answers: Answers, silent_tries: int = 0) -> None:
        self.queries: list[tuple[bytes, int]] = []
        self._answers = answers
        self._silent_tries = silent_tries
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.queries.append((data, addr[1]))
        if len(self.queries) > self._silent_tries:
            for answer in self._answers(data):
                self.transport.sendto(answer, addr)


async def _look_up(interpreter: Path, server: _Server, name: str = NAME) -> tuple[str, int]:
    """The result of the node, and the longest wait of its other tasks."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: server, ("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    lines = await asyncio.to_thread(run_on_node, interpreter, LOOKUP, name, str(port), heap="200k")
    transport.close()
    return lines[0], int(lines[1].split()[1])


@pytest.mark.parametrize("answer", GOOD)
async def test_lookup_with_a_right_answer_finds_the_address(answer: str, micropython_i386: Path):
    server = _Server(GOOD[answer], silent_tries=2 if "third" in answer else 0)
    outcome, gap_ms = await _look_up(micropython_i386, server)
    assert outcome == "found 10.0.0.7"
    assert gap_ms < GAP_MS
    query, _port = server.queries[0]
    assert query[2:] == b"\1\0\0\1\0\0\0\0\0\0" + _name(NAME) + b"\0\1\0\1"


async def test_lookup_without_a_right_answer_fails_in_six_seconds_and_never_blocks(
    micropython_i386: Path,
):
    servers = {name: _Server(answers) for name, answers in BAD.items()}
    outcomes = await asyncio.gather(
        *(_look_up(micropython_i386, server) for server in servers.values())
    )
    for (name, server), (outcome, gap_ms) in zip(servers.items(), outcomes, strict=True):
        assert outcome == f"failed no address for {NAME} from 127.0.0.1", name
        assert gap_ms < GAP_MS, name
        assert len(server.queries) == 3, name
    # A forger has to guess both: ids and ports are others each time.
    asked = [query for server in servers.values() for query in server.queries]
    assert len({data[:2] for data, _port in asked}) > 30
    assert len({port for _data, port in asked}) == len(servers)


async def test_lookup_from_another_port_is_ignored(micropython_i386: Path):
    stranger, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, ("127.0.0.1", 0)
    )
    server = _Server(lambda _q: [])
    take = server.datagram_received

    def received(data: bytes, addr: tuple[str, int]) -> None:
        take(data, addr)
        stranger.sendto(_reply(data, _address(6, 6, 6, 6)), addr)

    server.datagram_received = received  # type: ignore[method-assign]  # it answers from elsewhere
    outcome, _gap_ms = await _look_up(micropython_i386, server)
    stranger.close()
    assert outcome.startswith("failed no address")


@pytest.mark.parametrize("name", ["a..b", "x" * 64, ".", "." * 20])
async def test_lookup_of_an_invalid_name_sends_no_query(name: str, micropython_i386: Path):
    server = _Server(lambda _q: [])
    outcome, _gap_ms = await _look_up(micropython_i386, server, name)
    assert outcome.startswith("failed")
    assert server.queries == []


def test_answers_damaged_at_random_never_raise(micropython_i386: Path):
    lines = run_on_node(micropython_i386, LOOKUP, NAME, "0", "5", "20000", heap="200k")
    # A bit of the address itself may change: no check of DNS would see it.
    assert lines[0].startswith("odd ")
