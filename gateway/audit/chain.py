# SPDX-License-Identifier: MIT
"""Accountability: the hash chain of the audit (docs/adr/0008-audit-chain.md). No I/O.

An entry's digest covers its content, its link the link before it and that digest. So the content
can be erased when its time is over, and the chain still holds.
"""

from __future__ import annotations

from hashlib import sha256

import cbor2

GENESIS = sha256(b"groundwatch/v1 audit").digest()
SALT_BYTES = 16


def digest(
    number: int,
    at_us: int,
    actor: str,
    action: str,
    subject: str,
    reason: str,
    until_us: int | None,
    detail: str,
    salt: bytes,
) -> bytes:
    """SHA-256 of the content as deterministic CBOR (RFC 8949 4.2).

    `salt` goes with the content when it is erased: what is left cannot be found by guessing.
    """
    content = [number, at_us, actor, action, subject, reason, until_us, detail, salt]
    return sha256(cbor2.dumps(content, canonical=True)).digest()


def link(before: bytes, entry: bytes) -> bytes:
    """The chain's value after an entry, from the one before and the entry's digest."""
    return sha256(before + entry).digest()


def history_digest(number: int, alarm: int, at_us: int, change: str, by: str, value: str) -> bytes:
    """SHA-256 of one change of an alarm: the entry about it holds this."""
    content = [number, alarm, at_us, change, by, value]
    return sha256(cbor2.dumps(content, canonical=True)).digest()
