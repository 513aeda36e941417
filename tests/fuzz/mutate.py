# SPDX-License-Identifier: MIT
"""Valid inputs of every kind, and mutations of them: bytes changed, inserted, removed, spliced."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from gateway.broker.packets import Kind, Publish
from gateway.broker.packets import frame as packet
from gateway.links.frames import encode_frame
from tests.fuzz.targets import NODE, TARGETS

VECTORS = Path(__file__).parent.parent / "wire" / "vectors"
# Heads of CBOR items where a reader decides.
_HEADS = bytes.fromhex("00171818191a1b1c1f2038404158596061787f8081989fa0a1b8bfc0d8f4f6f9fbff")


def seeds() -> list[bytes]:
    """Valid inputs, each with the first byte that selects its reader."""
    payloads = [bytes.fromhex(vector["payload"]) for vector in _vectors("messages")]
    refused = [bytes.fromhex(vector["payload"]) for vector in _vectors("refused")]
    sealed = [NODE.detection(1000), NODE.health(2000), NODE.hello(3000)]
    frames = [encode_frame(NODE.up, data) for data in sealed]
    connect = b"\0\4MQTT\4\xc2\0\x3c\0\3n01\0\3n01\0\3pwd"
    answers = [
        packet(Kind.CONNACK, b"\0\0") + packet(Kind.SUBACK, b"\0\1\1"),
        Publish(NODE.up, sealed[0], 1).encode(7) + packet(Kind.PINGRESP),
    ]
    down = NODE.down.encode()
    wanted = b"\0\1" + len(down).to_bytes(2, "big") + down + b"\0"
    subscribe = packet(Kind.SUBSCRIBE, wanted) + packet(Kind.UNSUBSCRIBE, wanted[:-1])
    by_target: dict[str, list[bytes]] = {
        "decode": payloads + refused,
        "read_cbor": payloads + refused,
        "open_seal": sealed,
        "sealed": payloads,
        "uplink": sealed,
        "topic": [NODE.up.encode() + b"|" + data for data in sealed],
        "frame": [data[:-1] for data in frames],
        "line": [b"".join(frames)],
        "broker_packet": [connect, b"\0\5topic\0\1payload", b"\0\1\0\3a/b\1"],
        "node": [Publish(NODE.up, sealed[0], 1).encode(7) + packet(Kind.PINGREQ), subscribe],
        "session": answers,
    }
    return [
        bytes((number,)) + data
        for number, target in enumerate(TARGETS)
        for data in by_target[target.__name__]
        if len(data) < 2000
    ]


def mutations(valid: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """The first byte stays: it only selects the reader."""
    rng = random.Random(seed)
    for _ in range(count):
        first = rng.choice(valid)
        data = bytearray(first)
        for _ in range(rng.choice((1, 1, 2, 3, 8))):
            at = rng.randrange(1, len(data) + 1)
            match rng.randrange(6):
                case 0:
                    data[at : at + 1] = bytes((rng.randrange(256),))
                case 1:
                    data[at:at] = bytes((rng.choice(_HEADS),))
                case 2:
                    del data[at : at + rng.randrange(1, 4)]
                case 3:
                    data[at:at] = data[at : at + rng.randrange(1, 9)]
                case 4:
                    data[at:at] = rng.randbytes(rng.choice((1, 4, 60, 3000)))
                case _:
                    data[at:] = rng.choice(valid)[at:]
        yield bytes(data)


def _vectors(name: str) -> list[dict[str, str]]:
    return [v for v in json.loads((VECTORS / f"{name}.json").read_text()) if "payload" in v]
