# SPDX-License-Identifier: MIT
"""Accountability: verification of a chain. Of the gateway it uses only the two functions of the
chain and the signature, so that it can be reviewed by itself. `sealed` verifies what the chain
covers. No I/O.

It detects and distinguishes an edit (digest), an insert or delete (number or link), a chain
computed again (checkpoint), and a truncated chain (head, or a code on paper).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.audit import chain
from gateway.audit.checkpoint import is_signed, key_id, signed_bytes
from gateway.audit.sealed import Sealed, check_alarms, check_records, check_state
from gateway.model.actions.record import (
    ERASED,
    STORE_CONFIRMED,
    STORE_DOUBTED,
    STORE_RESTORED,
    STORE_SALVAGED,
)

_MAX_PROBLEMS = 20
_CONTENT_TYPES: tuple[Any, ...] = (int, int, str, str, str, str, (int, type(None)), str, bytes)

Row = tuple[Any, ...]


class Noted(NamedTuple):
    """A code on paper: the number of an entry and the first digits of its link."""

    number: int
    code: str


@dataclass(slots=True)
class Evidence:
    """What is verified. Rows are of the tables audit, checkpoint, alarm_history, alarm, and those
    of records; `state` are pairs of name and value.

    `whole` is False for an excerpt: it starts at `start` (number, link), and holds only the digests
    of entries that do not concern it.
    """

    entries: Iterable[Row]
    checkpoints: Iterable[Row]
    history: Iterable[Row] = ()
    alarms: Iterable[Row] = ()
    records: Mapping[str, Iterable[Row]] = field(default_factory=dict)  # by table
    state: Iterable[Row] = ()
    head: Row | None = None
    noted: tuple[Noted, ...] = ()
    start: tuple[int, bytes] = (0, chain.GENESIS)
    whole: bool = True


@dataclass(slots=True)
class Report:
    """`problems` is empty when all holds; at most _MAX_PROBLEMS are kept. `notes` are of a store
    that was replaced, which a person confirmed."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    entries: int = 0
    erased: int = 0
    checkpoints: int = 0
    history: int = 0
    alarms: int = 0
    records: int = 0  # covered by a seal
    unsealed: int = 0  # records that none covers: from before the first one, or behind the newest
    newest: int = 0
    code: str = ""

    def add(self, problem: str) -> None:
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(problem)


@dataclass(slots=True)
class _Walk:
    """What is remembered along the chain."""

    wanted: dict[int, bytes]  # link by a checkpoint, the head or a note
    blank: int = 0  # the newest erased entry
    covered: int = 0  # up to here an entry records that audit content was erased
    sealed: Sealed = field(default_factory=Sealed)
    changes: dict[int, tuple[str, int]] = field(default_factory=dict)  # history id: sha256, at_us
    links: dict[int, bytes] = field(default_factory=dict)  # of noted entries
    bridged: list[tuple[int, int]] = field(default_factory=list)  # missing, up to a signed entry
    doubted: dict[int, str] = field(default_factory=dict)  # entries that record a replaced store
    confirmed: dict[int, str] = field(default_factory=dict)  # entries in which a person confirmed


def verify(evidence: Evidence, keys: Mapping[bytes, Ed25519PublicKey]) -> Report:
    """The report. `keys` are public keys by their id (see `by_id`)."""
    report = Report()
    wanted = _checkpoints(evidence, keys, report)
    walk = _Walk(wanted)
    number, link = evidence.start
    noted = {each.number for each in evidence.noted}
    for row in evidence.entries:
        try:
            link = _entry(row, number + 1, link, walk, report)
        except (ValueError, TypeError, OverflowError, KeyError, AttributeError):
            report.add(f"entry {number + 1}: malformed")
            break
        number = row[0]
        report.entries += 1
        if number in noted:
            walk.links[number] = link
    report.newest, report.code = number, link.hex()[:16]
    if evidence.whole and walk.blank > walk.covered:
        report.add(f"entry {walk.blank}: erased, and no entry records it")
    _ends(evidence, number, link, walk, report)
    _replaced(evidence, walk, report)
    _history(evidence, walk, report)
    if evidence.whole:
        _covered(evidence, walk.sealed, report)
    return report


def by_id(keys: Iterable[Ed25519PublicKey]) -> dict[bytes, Ed25519PublicKey]:
    """Keys as `verify` wants them."""
    return {key_id(key): key for key in keys}


def _checkpoints(
    evidence: Evidence, keys: Mapping[bytes, Ed25519PublicKey], report: Report
) -> dict[int, bytes]:
    wanted: dict[int, bytes] = {}
    rows = [("checkpoint", row) for row in evidence.checkpoints]
    if evidence.head is not None:
        rows.append(("head", evidence.head))
    for name, row in rows:
        try:
            number, link, at_us, signer, signature = row
            key = keys.get(signer)
            good = key is not None and is_signed(key, signed_bytes(number, link, at_us), signature)
        except (ValueError, TypeError, OverflowError):
            report.add(f"{name}: malformed")
            continue
        if key is None:
            report.add(f"{name} {number}: signed by a key that was not given")
        elif not good:
            report.add(f"{name} {number}: the signature is not of the given key")
        elif wanted.setdefault(number, link) != link:
            report.add(f"{name} {number}: it contradicts another one: the chain has two pasts")
        else:
            report.checkpoints += name == "checkpoint"
    return wanted


def _entry(row: Row, number: int, before: bytes, walk: _Walk, report: Report) -> bytes:
    """The link that the row holds for this entry, so that one fault is reported once."""
    *content, digest, link = row
    if type(digest) is not bytes or type(link) is not bytes or type(content[0]) is not int:
        raise ValueError("not a row of the audit")
    if content[0] != number:
        signed = walk.wanted.get(content[0] - 1)
        if signed is not None and content[0] > number:
            # The gateway went on from the signed head of a store that was replaced.
            walk.bridged.append((number, content[0] - 1))
            before = signed
        else:
            report.add(f"entry {number}: missing, the next is {content[0]}")
        number = content[0]
    if all(value is None for value in content[1:]):
        report.erased += 1
        walk.blank = number
    elif not _is_content(content):
        raise ValueError("not a row of the audit")
    else:
        if chain.digest(*content) != digest:
            report.add(f"entry {number}: its content was changed")
        _remember(content, walk)
    if chain.link(before, digest) != link:
        report.add(f"entry {number}: does not follow from the one before it")
    if walk.wanted.get(number, link) != link:
        report.add(f"entry {number}: not what was signed: the chain was computed again")
    return link


def _is_content(content: list[Any]) -> bool:
    pairs = zip(content, _CONTENT_TYPES, strict=False)
    return len(content) == len(_CONTENT_TYPES) and all(isinstance(*pair) for pair in pairs)


def _remember(content: list[Any], walk: _Walk) -> None:
    at_us, action = content[1], content[3]
    detail = json.loads(content[7])
    walk.sealed.note(content[0], action, content[4], detail)
    if action == ERASED and detail.get("class") == "audit":
        walk.covered = max(walk.covered, int(detail["upto"]))
    elif action == STORE_DOUBTED:
        walk.doubted[content[0]] = content[5]
    elif action in (STORE_RESTORED, STORE_SALVAGED):
        walk.doubted[content[0]] = f"the store was replaced ({action})"
        walk.confirmed[content[0]] = content[2]
    elif action == STORE_CONFIRMED:
        walk.confirmed[content[0]] = content[2]
    elif action.startswith("history."):
        walk.changes[int(detail["history"])] = (str(detail["sha256"]), at_us)


def _ends(evidence: Evidence, number: int, link: bytes, walk: _Walk, report: Report) -> None:
    beyond = max((each for each in walk.wanted if each > number), default=0)
    if evidence.whole and beyond:
        report.add(f"entries {number + 1} to {beyond}: signed once, and no longer there")
    if number > evidence.start[0] and walk.wanted.get(number) != link:
        report.add(f"entry {number}: the last one, and no checkpoint signs it")
    for noted in evidence.noted:
        there = walk.links.get(noted.number, b"").hex()[:16]
        if not there:
            report.add(f"entry {noted.number}: written down as {noted.code}, and not there")
        elif there[: len(noted.code)] != noted.code:
            report.add(f"entry {noted.number}: written down as {noted.code}, now {there}")
    if evidence.start[0] and walk.wanted.get(evidence.start[0]) != evidence.start[1]:
        report.add(f"entry {evidence.start[0]}: where the excerpt starts, and nothing signs it")


def _replaced(evidence: Evidence, walk: _Walk, report: Report) -> None:
    """Stretches that are missing, and entries that record why: notes once a person confirmed."""
    for first, last in walk.bridged:
        if not evidence.whole or last <= walk.covered:
            report.notes.append(f"entries {first} to {last}: not here")
        elif last + 1 not in walk.doubted:
            report.add(f"entry {first}: missing, the next is {last + 1}")
    for number, line in walk.doubted.items():
        by = next((who for at, who in walk.confirmed.items() if at >= number), "")
        if by:
            report.notes.append(f"entry {number}: {line}; confirmed by {by}")
        else:
            report.add(f"entry {number}: {line}; no person has confirmed it")


def _covered(evidence: Evidence, sealed: Sealed, report: Report) -> None:
    for number, subject in sealed.edited:
        report.add(f"entry {number}: at a start the gateway found changed: {subject}")
    for name, rows in evidence.records.items():
        if not sealed.ranges[name]:
            continue  # of a version without seals
        covered, uncovered = check_records(name, rows, sealed, report.add)
        report.records += covered
        report.unsealed += uncovered
    if evidence.records:
        check_state(dict(evidence.state), sealed, report.add)


def _history(evidence: Evidence, walk: _Walk, report: Report) -> None:
    first = min(walk.changes, default=0)
    seen = set()
    newest: dict[int, Row] = {}
    erased_before_us = walk.sealed.erased.get("alarms", 0)
    for row in evidence.history:
        report.history += 1
        seen.add(row[0])
        newest[row[1]] = row
        known = walk.changes.get(row[0])
        # Changes before the audit, or whose entries are erased, cannot be compared.
        if known is None and walk.changes and row[0] > first:
            report.add(f"alarm history {row[0]}: no entry records it: inserted")
        elif known is not None and chain.history_digest(*row).hex() != known[0]:
            report.add(f"alarm history {row[0]}: changed after it was written")
    for number, (_digest, at_us) in sorted(walk.changes.items()):
        if number not in seen and evidence.whole and at_us >= erased_before_us:
            report.add(f"alarm history {number}: an entry records it, and it is not there")
    report.alarms = check_alarms(evidence.alarms, newest, report.add)
