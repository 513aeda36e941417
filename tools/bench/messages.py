# SPDX-License-Identifier: MIT
"""Workbench, bench: a site of many nodes, and messages sealed as the nodes would seal them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

from gateway.keys import NodeKeys, derive, node_key
from gateway.wire import codec, seal
from gateway.wire.messages import Detection, Health, Hello, Message, Phase, ResetCause, TargetClass
from gateway.wire.topics import uplink_topic

SITE = "bench"
ROOT = bytes(range(32))
SPACING_M = 25
PER_SECTOR = 4
_BOOT = 1
_SLOT_MS = 30_000  # of a backlog: one node hears something, then the next one elsewhere
_RECORD = struct.Struct("<HH")  # node index, length of the sealed message

Sealed = tuple[int, bytes]  # node index, sealed message


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


def heartbeats(nodes: int, count: int) -> Iterator[Sealed]:
    """Each node in turn says how it is: nine tenths of what a site sends."""
    keys = node_keys(nodes)
    for number in range(count):
        index, turn = number % nodes, number // nodes
        yield index, heartbeat(keys[index], index, turn)


def heartbeat(keys: NodeKeys, index: int, turn: int) -> bytes:
    """The `turn`-th of one node, from 0."""
    message = Health(
        t_ms=1000 * turn,
        battery_mv=3900,
        rssi_dbm=-60,
        floor_um_s_x100=12,
        samples_missed=0,
        ledger_pending=0,
    )
    return _seal(keys, index, message, seal.VOLATILE, turn + 1)


def backlog(nodes: int, count: int) -> Iterator[Sealed]:
    """After an outage each node says hello and tells what it kept: walkers, one after another."""
    keys = node_keys(nodes)
    rounds = max(1, -(-(count - nodes) // nodes))
    span_ms = (rounds // 4 + 1) * nodes * _SLOT_MS
    for index in range(nodes):
        yield index, _seal(keys[index], index, _hello(span_ms), seal.VOLATILE, 1)
    for number in range(count - nodes):
        index, turn = number % nodes, number // nodes
        phase = (Phase.ONSET, Phase.UPDATE, Phase.UPDATE, Phase.END)[turn % 4]
        message = Detection(
            t_ms=1000 + (turn // 4 * nodes + index) * _SLOT_MS,
            phase=phase,
            class_=TargetClass.PERSON,
            confidence_pct=60,
            peak_um_s_x100=500,
            cadence_hz_x20=36,
            pir_count=0,
            elapsed_s_x10=None if phase is Phase.ONSET else 50 * (turn % 4),
        )
        yield index, _seal(keys[index], index, message, seal.DURABLE, turn + 1)


def _hello(t_ms: int) -> Hello:
    return Hello(
        t_ms=t_ms,
        fw="0.1",
        board="bench",
        schema=1,
        reset_cause=ResetCause.POWER_ON,
        fs_hz=250,
        heap_free=100_000,
    )


def _seal(keys: NodeKeys, index: int, message: Message, lane: int, seq: int) -> bytes:
    counter = _BOOT.to_bytes(2, "big") + seq.to_bytes(2, "big")
    piv = counter if lane == seal.DURABLE else b"\x01" + counter
    aad = uplink_topic(SITE, f"n{index:05}").encode()
    return seal.seal(keys.up_key, keys.up_iv, piv, codec.encode(message), aad)


def write_messages(path: Path, messages: Iterator[Sealed]) -> int:
    """Keep them for the load generator; how many."""
    count = 0
    with path.open("wb") as file:
        for index, data in messages:
            file.write(_RECORD.pack(index, len(data)) + data)
            count += 1
    return count


def read_messages(path: Path) -> Iterator[Sealed]:
    """Inverse of `write_messages`."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        index, size = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        yield index, data[at : at + size]
        at += size


def write_keys(path: Path, nodes: int) -> None:
    """What a peer needs to open the messages: up key and IV by topic, in hexadecimal."""
    names = node_names(nodes)
    table = {
        uplink_topic(SITE, name): [keys.up_key.hex(), keys.up_iv.hex()]
        for name, keys in zip(names, node_keys(nodes), strict=True)
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(table))
