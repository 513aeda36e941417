# SPDX-License-Identifier: MIT
"""Frames of a node against the gateway's own, under MicroPython: both ways, damage, the break."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from gateway.links.frames import FrameReader, encode_frame
from tests.on_node import run_on_node

SCRIPT = Path(__file__).parent / "on_node" / "frames_check.py"
TOPIC = "groundwatch/v1/north/n07/down"


@pytest.fixture
def on_node(micropython_i386: Path, tmp_path: Path):
    """Reads a stream and frames messages on a node; returns its output by first word."""

    def run(stream: bytes, messages: list[bytes] | None = None, seed: int = 1):
        (tmp_path / "stream").write_bytes(stream)
        lines = [f"{TOPIC} {body.hex()}\n" for body in messages or []]
        (tmp_path / "messages").write_text("".join(lines))
        args = (str(tmp_path / "stream"), str(seed), str(tmp_path / "messages"))
        # A small heap: a stream of any length must fit.
        printed: dict[str, list[str]] = {}
        for line in run_on_node(micropython_i386, SCRIPT, *args, heap="400k"):
            word, _, rest = line.partition(" ")
            printed.setdefault(word, []).append(rest)
        return printed

    return run


def bodies(seed: int) -> list[bytes]:
    """Of every size, with zeros and without: the limits of COBS."""
    rng = random.Random(seed)
    sizes = [
        1,
        2,
        200,
        218,
        219,
        220,
        221,
        222,
        253,
        254,
        255,
        507,
        508,
        509,
        762,
        1024,
        1535,
        1536,
    ]
    made = [rng.randbytes(size) for size in sizes]
    made += [bytes(1 + byte % 255 for byte in body) for body in made]
    return [*made, bytes(1536), bytes(range(256)) * 6]


def test_frames_of_the_gateway_are_read_by_a_node(on_node) -> None:
    made = bodies(1)
    printed = on_node(b"".join(encode_frame(TOPIC, body) for body in made))
    assert printed["frame"] == [f"{TOPIC} {body.hex()}" for body in made]
    assert printed["damaged"] == ["0"]


def test_frames_of_a_node_are_read_by_the_gateway_between_its_log_lines(on_node) -> None:
    made = bodies(2)
    sent = [bytes.fromhex(text) for text in on_node(b"", made)["sent"]]
    counters: Counter[str] = Counter()
    stream = b"".join(b"link up line=console\r\n" + frame for frame in sent)
    assert list(FrameReader(counters).feed(stream)) == [(TOPIC, body) for body in made]
    assert counters == {"console_text": len(made)}


def test_frames_damage_costs_a_node_no_more_than_the_frames_it_touches(on_node) -> None:
    rng = random.Random(3)
    made = [rng.randbytes(rng.randrange(1, 400)) for _ in range(150)]
    hurt = set(rng.sample(range(150), 40))
    stream = b""
    for index, body in enumerate(made):
        frame = bytearray(encode_frame(TOPIC, body))
        if index in hurt:
            match rng.randrange(4):
                case 0:
                    del frame[rng.randrange(len(frame) - 1)]
                case 1:
                    frame[rng.randrange(len(frame) - 1)] ^= 1 << rng.randrange(8)
                case 2:
                    frame = frame[: rng.randrange(1, len(frame))] + b"\0"
                case 3:
                    frame = bytearray(rng.randbytes(2000)) + b"\0" + frame[5:]
        stream += frame
    printed = on_node(stream, seed=3)
    assert printed["frame"] == [f"{TOPIC} {b.hex()}" for i, b in enumerate(made) if i not in hurt]
    assert int(printed["damaged"][0]) >= len(hurt)


def test_frames_endless_line_is_bounded_and_passes(on_node) -> None:
    printed = on_node(b"\x55" * 300_000 + b"\0" + encode_frame(TOPIC, b"x"))
    assert printed == {"frame": [f"{TOPIC} 78"], "damaged": ["1"]}


@pytest.mark.parametrize("before", [0, 15, 1500, 1613, 1700, 5000])
def test_frames_break_is_seen_wherever_it_comes(before: int, on_node) -> None:
    printed = on_node(b"\x55" * before + b"\x03" * 20 + b"\0" * 200, seed=before)
    assert list(printed) == ["break"]
    assert before + 16 <= int(printed["break"][0].removeprefix("at ")) <= before + 16 + 150


def test_frames_fifteen_interrupts_are_no_break(on_node) -> None:
    printed = on_node((b"\x03" * 15 + b"\x04") * 100 + b"\0")
    assert "break" not in printed
