# SPDX-License-Identifier: MIT
"""Export: the file: JSON lines, the last of which signs the bytes of all before it.

Bytes are hexadecimal digits. Of the audit, entries about the alarm are there in full; of the others
in between only the digests, which are enough to follow the chain from one checkpoint to the next.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gateway.audit import chain, keys
from gateway.audit.checkpoint import EXPORT_PREFIX, Signer
from gateway.store.interface import (
    AuditRow,
    CheckpointRow,
    DetectionRow,
    HistoryRow,
    MessageRow,
)
from gateway.store.sql_incident import Incident
from gateway.wire import codec
from gateway.wire.errors import WireError
from gateway.wire.messages import Snippet

FORMAT = "groundwatch incident 1"


def write(incident: Incident, site: str, entry: AuditRow, signer: Signer) -> bytes:
    """The whole file. `entry` is the audit's entry about this export."""
    lines = [
        {
            "type": "export",
            "format": FORMAT,
            "site": site,
            "alarm": incident.alarm[0],
            "made_us": entry.at_us,
            "by": entry.actor,
            "reason": entry.reason,
            "public_key": keys.public_pem(signer.public).decode(),
        },
        *_lines(incident),
    ]
    body = b"".join(_line(value) for value in lines)
    signature = signer.sign(EXPORT_PREFIX + body)
    end = {"type": "signature", "key_id": signer.key_id, "signature": signature}
    return body + _line(end)


def _lines(incident: Incident) -> Iterator[dict[str, Any]]:
    number, kind, key, raised_us, is_open, value = incident.alarm
    yield {
        "type": "alarm",
        "id": number,
        "kind": kind,
        "key": key,
        "raised_us": raised_us,
        "open": bool(is_open),
        "value": value,
    }
    for row in incident.history:
        yield {"type": "history", **HistoryRow(*row)._asdict()}
    for row in incident.detections:
        yield {"type": "detection", **DetectionRow(*row)._asdict()}
    for row in incident.messages:
        yield from _message(MessageRow(*row))
    start = incident.start or (0, chain.GENESIS)
    yield {"type": "chain", "number": start[0], "link": start[1]}
    signed = {row[0]: row[1] for row in incident.checkpoints}
    before = start[0]
    for row in incident.audit:
        entry = AuditRow(*row)
        if entry.id > before + 1 and entry.id - 1 in signed:
            # The store was replaced there: the chain goes on from a signed entry that is missing.
            yield {"type": "chain", "number": entry.id - 1, "link": signed[entry.id - 1]}
        before = entry.id
        if entry.id in incident.about and entry.salt is not None:
            content = entry._asdict()
            del content["link"]
            yield {"type": "audit", **content}
        else:
            yield {"type": "digest", "id": entry.id, "digest": entry.digest}
    for row in incident.checkpoints:
        yield {"type": "checkpoint", **CheckpointRow(*row)._asdict()}


def _message(row: MessageRow) -> Iterator[dict[str, Any]]:
    yield {"type": "message", **row._asdict()}
    try:
        snippet = codec.decode(row.payload, "up") if row.kind == Snippet.NAME else None
    except WireError:
        return  # of an earlier version of the wire: the payload is there as it came
    if isinstance(snippet, Snippet):
        yield {
            "type": "waveform",
            "node": row.node,
            "boot": row.boot,
            "t_ms": snippet.t_ms,
            "fs_hz": snippet.fs_hz,
            "part": snippet.index,
            "parts": snippet.total,
            "encoding": snippet.encoding.label,
            "data": snippet.data,
        }


def _line(value: dict[str, Any]) -> bytes:
    plain = {key: item.hex() if isinstance(item, bytes) else item for key, item in value.items()}
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"
