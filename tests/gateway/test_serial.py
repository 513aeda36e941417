# SPDX-License-Identifier: MIT
"""Serial links over a pseudo-terminal: noise, cuts, unplugging; and the frames by themselves."""

from __future__ import annotations

import asyncio
import os
import pty
import random
import sqlite3
import tty
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.app import Gateway
from gateway.config import load_config
from gateway.links import serial as serial_module
from gateway.links.frames import FrameReader, cobs_decode, cobs_encode, decode_frame, encode_frame
from gateway.links.serial import SerialLink
from gateway.ports.link import Arrival
from tests.gateway.played_node import PlayedNode, until, write_config


@given(st.binary(max_size=1700))
def test_cobs_any_bytes_round_trip_without_zeros(data: bytes) -> None:
    encoded = cobs_encode(data)
    assert 0 not in encoded
    assert cobs_decode(encoded) == data
    assert len(encoded) <= len(data) + len(data) // 254 + 1


@given(st.binary(max_size=300))
def test_frame_hostile_bytes_are_refused_with_a_word(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^bad_(cobs|crc|frame)$"):
        decode_frame(data)


def test_frames_damage_costs_no_more_than_the_frames_it_touches() -> None:
    rng = random.Random(4)
    sent = [("t/up", rng.randbytes(rng.randrange(1, 200))) for _ in range(400)]
    frames = [encode_frame(*item) for item in sent]
    hurt = set(rng.sample(range(400), 60))
    stream = b""
    for index, frame in enumerate(frames):
        body = bytearray(frame)
        if index in hurt:
            for _ in range(1 + rng.randrange(4)):
                body[rng.randrange(len(body) - 1)] ^= 1 << rng.randrange(8)
        stream += body
    counters: Counter[str] = Counter()
    reader, got = FrameReader(counters), []
    while stream:
        size = rng.randrange(1, 90)
        got += list(reader.feed(stream[:size]))
        stream = stream[size:]
    assert got == [item for index, item in enumerate(sent) if index not in hurt]
    assert sum(counters.values()) >= len(hurt)


def test_frames_endless_line_is_bounded_and_passes() -> None:
    counters: Counter[str] = Counter()
    reader = FrameReader(counters)
    for _ in range(100):
        assert list(reader.feed(b"\x55" * 1000)) == []
    assert len(reader._buffer) <= 2000
    assert list(reader.feed(b"\0" + encode_frame("t", b"x"))) == [("t", b"x")]
    assert counters["frame_too_long"] == 1


class Line:
    """A pty whose far end has a fixed name, as a USB port has."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.plug()

    def plug(self) -> None:
        self.ours, theirs = pty.openpty()
        tty.setraw(theirs)
        os.set_blocking(self.ours, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(theirs))
        os.close(theirs)

    def unplug(self) -> None:
        self.path.unlink()
        os.close(self.ours)


async def converse(line: Line, node: PlayedNode, rng: random.Random, noise: float) -> None:
    """Send the ledger over and over, some of it damaged, until every receipt is in."""
    reader = FrameReader(Counter())
    async with asyncio.timeout(10):
        while node.ledger:
            for data in [node.hello(1), *node.ledger.values()]:
                frame = bytearray(encode_frame(node.up, data))
                if rng.random() < noise:
                    frame[rng.randrange(len(frame))] ^= 0x10
                os.write(line.ours, frame)
            await asyncio.sleep(0.1)
            try:
                received = os.read(line.ours, 65536)
            except BlockingIOError:
                continue
            for topic, data in reader.feed(received):
                assert topic == node.down
                node.open_down(data)


async def test_serial_noise_and_replug_all_messages_are_stored_once(tmp_path: Path) -> None:
    line, rng, node = Line(tmp_path / "tty"), random.Random(5), PlayedNode("n01")
    serial = f'[[serial]]\nport = "{line.path}"\n'
    config = load_config(write_config(tmp_path, 'kind = "embedded"\nport = 0', serial=serial))
    async with Gateway(config) as gateway:
        for plug in range(3):
            link = gateway.links[1]
            await until(lambda: link.connected)  # noqa: B023  # awaited within the loop
            for number in range(10):
                node.detection(10_000 * plug + number)
            await converse(line, node, rng, 0.3)
            line.unplug()
            await until(lambda: not link.connected)  # noqa: B023  # awaited within the loop
            line.plug()
        assert link.counters["unplugged"] == 3
        assert link.counters["bad_crc"] + link.counters["bad_cobs"] > 0
    db = sqlite3.connect(tmp_path / "data" / "groundwatch.db")
    assert db.execute("SELECT count(*) FROM message WHERE lane = 0").fetchone() == (30,)


async def test_serial_fault_of_our_own_costs_what_was_read_and_not_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, arrived = Line(tmp_path / "tty"), list[bytes]()
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, given: faults.append(given))

    def offer(arrival: Arrival) -> bool:
        if arrival.payload == b"poison":
            raise LookupError("injected")
        arrived.append(arrival.payload)
        return True

    link = SerialLink(str(line.path), 115200, offer, lambda: 0)
    running = asyncio.create_task(link.run())
    await until(lambda: link.connected)
    os.write(line.ours, encode_frame("t/up", b"poison"))
    await until(lambda: link.counters["faults"] == 1)
    os.write(line.ours, encode_frame("t/up", b"1"))
    await until(lambda: arrived == [b"1"])
    assert (link.connected, link.counters["unplugged"], len(faults)) == (True, 0, 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    line.unplug()


async def test_serial_port_that_is_not_there_is_reported_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(serial_module, "_RETRY_S", 0.01)
    link = SerialLink("/dev/no-such-line", 115200, lambda _arrival: True, lambda: 0)
    running = asyncio.create_task(link.run())
    await asyncio.sleep(0.1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "/dev/no-such-line" in caplog.text
