# SPDX-License-Identifier: MIT
"""Accountability: whether the store is the one that ran last, by the audit's head beside it.

The head names the newest entry, signed. A store that was restored from an older copy, copied while
a gateway ran, cut, or lost ends before its head.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from gateway.audit import head as head_file
from gateway.audit.checkpoint import Signer, is_signed, signed_bytes
from gateway.audit.clock import shown
from gateway.audit.head import code
from gateway.errors import ConfigError
from gateway.store.interface import CLOCK, CheckpointRow, Snapshot


class Break(Enum):
    """What the comparison shows; the value begins the text for people."""

    LOST = "the store is new or empty"
    OLDER = (
        "the store ends before its audit head: restored, copied while a gateway ran, or its last "
        "entries were deleted"
    )
    CUT = "entries are missing at the end of the audit, and the records after them are there"
    OTHER = "the store and its audit head are of two different pasts"
    NO_HEAD = "the file audit.head is missing: the store was copied alone, or the file was deleted"
    UNREADABLE = "the file audit.head is damaged"
    FOREIGN = "the file audit.head is signed by another key: audit.key was replaced"


@dataclass(frozen=True, slots=True)
class Difference:
    """`head` is where the chain goes on; None: where the store ends."""

    kind: Break
    text: str
    detail: dict[str, int | str]
    head: CheckpointRow | None = None


def compare(
    snapshot: Snapshot, folder: Path, signer: Signer, link_of: Callable[[int], bytes | None]
) -> Difference | None:
    """None: the store goes on where it ended. `link_of` reads the chain's value at an entry."""
    last, link = snapshot.audit_head or (0, b"")
    detail: dict[str, int | str] = {"entry": last, "code": code(link)}
    if not (folder / head_file.NAME).exists():
        # A store without an entry is a first start.
        return _found(Break.NO_HEAD, detail) if last else None
    try:
        head = head_file.load(folder / head_file.NAME)
    except ConfigError:
        return _found(Break.UNREADABLE, detail)
    detail |= {"head": head.number, "head_code": code(head.link), "head_at_us": head.at_us}
    if head.number <= last:
        # Also of another key: after a restore without keys the gateway signs with a new one.
        same = (link if head.number == last else link_of(head.number)) == head.link
        return None if same else _found(Break.OTHER, detail)
    if not _is_of(signer, head):
        return _found(Break.FOREIGN, detail)
    return _ends_before(snapshot, head, detail)


def newer_head(folder: Path, signer: Signer, last: int) -> CheckpointRow | None:
    """The signed head of a folder, when it is of an entry beyond `last`."""
    try:
        head = head_file.load(folder / head_file.NAME)
    except ConfigError:
        return None
    return head if head.number > last and _is_of(signer, head) else None


def _ends_before(
    snapshot: Snapshot, head: CheckpointRow, detail: dict[str, int | str]
) -> Difference:
    last = (snapshot.audit_head or (0, b""))[0]
    missing = f"; audit entries {last + 1} to {head.number} are missing"
    detail |= {"missing_from": last + 1, "missing_to": head.number}
    since_us = snapshot.newest_us
    if since_us is None:
        return _found(Break.LOST, detail, missing, head)
    detail["newest_us"] = since_us
    # Records are committed in order: an older copy holds none of after its newest entry. A store
    # whose audit was cut after its last commit looks the same.
    if not last or since_us > head.at_us:
        return _found(Break.CUT, detail, missing, head)
    missing += f", with all records between {shown(since_us)} and {shown(head.at_us)}"
    return _found(Break.OLDER, detail, missing, head)


def _is_of(signer: Signer, head: CheckpointRow) -> bool:
    signed = signed_bytes(head.number, head.link, head.at_us)
    return head.key_id == signer.key_id and is_signed(signer.public, signed, head.signature)


def known_moment(snapshot: Snapshot, finding: Difference | None) -> int | None:
    """The newest moment on record, UTC microseconds; None at a first start."""
    stored = snapshot.state.get(CLOCK)
    moment = int(stored) if stored else snapshot.newest_us
    if finding is not None and finding.head is not None:
        moment = max(moment or 0, finding.head.at_us)
    return moment


def _found(
    kind: Break,
    detail: dict[str, int | str],
    missing: str = "",
    head: CheckpointRow | None = None,
) -> Difference:
    return Difference(kind, f"{kind.value}{missing}", {"found": kind.name.lower(), **detail}, head)
