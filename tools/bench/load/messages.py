# SPDX-License-Identifier: MIT
"""Workbench, bench: a site of many nodes, and messages sealed as the nodes would seal them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gateway.keys import NodeKeys, derive, node_key
from gateway.wire import codec, seal, topics
from gateway.wire.messages import Health, Hello, Message, ResetCause
from tools.bench.load.walks import FLOOR_UM_S, SPACING_M

SITE = "bench"
ROOT = bytes(range(32))
PER_SECTOR = 4
_BOOT = 1
_RECORD = struct.Struct("<IHH")  # when it is due, ms; node index; length of the sealed message


class Sealed(NamedTuple):
    """One message of a load; `due_ms` on the load's own clock, 0 where only the order counts."""

    due_ms: int
    node: int  # index
    data: bytes


def uplink_topic(node: str) -> str:
    """Topic of what a node of this site sends."""
    return topics.uplink_topic(SITE, node)


def node_names(count: int) -> list[str]:
    """n00000, n00001, ..."""
    return [f"n{index:05}" for index in range(count)]


def node_keys(count: int) -> list[NodeKeys]:
    """Keys of the nodes of the site, in order."""
    return [derive(node_key(ROOT, SITE, name)) for name in node_names(count)]


def write_site(folder: Path, nodes: int, broker: str) -> Path:
    """A line of nodes; `broker` is the table of that name. Returns the path of gateway.toml."""
    lines = ["[site]", f'name = "{SITE}"']
    for index, name in enumerate(node_names(nodes)):
        place = f"x_m = {SPACING_M * index}\ny_m = 0\nsector = 's{index // PER_SECTOR}'"
        lines.append(f'[[node]]\nid = "{name}"\n{place}')
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site.toml").write_text("\n".join(lines))
    key = folder / "fleet.key"
    key.touch(mode=0o600)
    key.write_text(ROOT.hex())
    config = folder / "gateway.toml"
    head = '[gateway]\ndata_dir = "data"\nsite = "site.toml"\nfleet_key = "fleet.key"\n'
    config.write_text(f"{head}[broker]\n{broker}\n[console]\nport = 0\n")
    return config


def heartbeat(keys: NodeKeys, index: int, turn: int) -> bytes:
    """The `turn`-th of one node, from 0."""
    return sealed(keys, index, health(1000 * turn), seal.VOLATILE, turn + 1)


def health(t_ms: int) -> Health:
    """A heartbeat of calm ground."""
    return Health(
        t_ms=t_ms,
        battery_mv=3900,
        rssi_dbm=-60,
        floor_um_s_x100=round(100 * FLOOR_UM_S),
        samples_missed=0,
        ledger_pending=0,
    )


def hello(t_ms: int) -> Hello:
    """Of a node up for so long."""
    return Hello(
        t_ms=t_ms,
        fw="0.1",
        board="bench",
        schema=1,
        reset_cause=ResetCause.POWER_ON,
        fs_hz=250,
        heap_free=100_000,
    )


def sealed(keys: NodeKeys, index: int, message: Message, space: int, seq: int) -> bytes:
    """As the node seals it, in a counter space."""
    counter = _BOOT.to_bytes(2, "big") + seq.to_bytes(2, "big")
    piv = counter if space == seal.DURABLE else b"\x01" + counter
    aad = uplink_topic(f"n{index:05}").encode()
    return seal.seal(keys.up_key, keys.up_iv, piv, codec.encode(message), aad)


def write_messages(path: Path, messages: Sequence[Sealed]) -> None:
    """Keep them for the load generator."""
    with path.open("wb") as file:
        for due_ms, index, data in messages:
            file.write(_RECORD.pack(due_ms, index, len(data)) + data)


def read_messages(path: Path) -> Iterator[Sealed]:
    """Inverse of `write_messages`."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        due_ms, index, size = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        yield Sealed(due_ms, index, data[at : at + size])
        at += size


def write_keys(path: Path, nodes: int) -> None:
    """What a peer needs to open the messages: up key and IV by topic, in hexadecimal."""
    names = node_names(nodes)
    table = {
        uplink_topic(name): [keys.up_key.hex(), keys.up_iv.hex()]
        for name, keys in zip(names, node_keys(nodes), strict=True)
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(table))
