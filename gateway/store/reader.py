# SPDX-License-Identifier: MIT
"""Store: the reader: searches of alarms and detections over a connection of its own.

A read never waits for a commit, nor a commit for a read: SQLite's write-ahead log and PostgreSQL
both give a reader the last committed state. Every search is bounded by its limit and by the rows
it may look at; the next one continues at a cursor (an id).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from gateway.errors import StoreError
from gateway.model.alarm import Alarm
from gateway.store.choose import reading
from gateway.store.sql_commit import Database

MAX_LIMIT = 1000
MAX_MESSAGES = 200_000  # stored while a command was open, at 10,000 nodes for 20 minutes
MAX_SCANNED = 20_000  # rows one search looks at; then it answers with what it has and a cursor
_CHUNK = 500
MAX_WAITING = 32  # searches; more are refused at once

_T = TypeVar("_T")


class AlarmSearch(msgspec.Struct, frozen=True, kw_only=True):
    """What alarms are looked for; None and empty: any. Times are of raising, UTC microseconds."""

    state: str | None = None  # open | closed | active | unacknowledged
    kind: str | None = None
    sector: str | None = None
    from_us: int | None = None
    to_us: int | None = None
    text: str = ""
    before_id: int | None = None
    limit: int = 100


class DetectionSearch(msgspec.Struct, frozen=True, kw_only=True):
    """What detections are looked for; None: any. Times are of the onset, UTC microseconds."""

    node: str | None = None
    target: str | None = None
    from_us: int | None = None
    to_us: int | None = None
    before_id: int | None = None
    limit: int = 100


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One row of an alarm's history; `by` is empty for the system."""

    id: int
    at_us: int
    change: str
    by: str
    alarm: Alarm


class StoredDetection(msgspec.Struct, frozen=True, kw_only=True):
    """One report of a node as it is stored; `id` orders reports as they were stored."""

    id: int
    node: str
    boot: int
    seq: int
    onset_ms: int
    phase: str
    target: str
    confidence: float
    peak_um_s: float
    onset_us: int
    report_us: int
    uncertainty_us: int
    arrival_us: int


class Found(NamedTuple):
    """Newest first; `cursor` is the `before_id` of the next search, None at the end."""

    items: list[Any]
    cursor: int | None


class StoreReader:
    """`where`: a SQLite file, or the URL of a PostgreSQL database. All methods raise StoreError."""

    def __init__(self, where: Path | str) -> None:
        self._where = where
        self._executor = ThreadPoolExecutor(1, "store-reader")
        self._waiting = 0

    async def alarms(self, search: AlarmSearch) -> Found:
        """Alarms that fit."""
        return await self._read(lambda db: _alarms(db, search))

    async def alarm(self, alarm_id: int) -> Alarm | None:
        """One alarm as it is stored; None when there is none."""
        return await self._read(lambda db: _alarm(db, alarm_id))

    async def alarm_history(self, alarm_id: int, limit: int = MAX_LIMIT) -> list[Change]:
        """Its changes, oldest first; the newest `limit` of them."""
        return await self._read(lambda db: _history(db, alarm_id, limit))

    async def detections(self, search: DetectionSearch) -> Found:
        """Reports that fit."""
        return await self._read(lambda db: _detections(db, search))

    async def answers(self, kind: str, node: str, after_id: int, upto_id: int) -> list[bytes]:
        """Payloads of a node's messages of one kind among those stored after one number up to
        another, in the order they came; the first `MAX_LIMIT` of them."""
        return await self._read(lambda db: _answers(db, kind, node, after_id, upto_id))

    def close(self) -> None:
        """End the thread; a search under way ends first."""
        self._executor.shutdown(wait=True)

    async def _read(self, work: Callable[[Database], _T]) -> _T:
        if self._waiting >= MAX_WAITING:
            raise StoreError("too many searches at once: try again")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._executor, self._work, work
            )
        finally:
            self._waiting -= 1

    def _work(self, work: Callable[[Database], _T]) -> _T:
        # One moment of the store for each search: a transaction held open would keep SQLite from
        # emptying its log, and PostgreSQL from vacuuming.
        with reading(self._where) as db:
            return work(db)


def _between(
    column: str, from_us: int | None, to_us: int | None
) -> tuple[list[str], list[int | str]]:
    clauses, values = [], []
    if from_us is not None:
        clauses.append(f"{column} >= ?")
        values.append(from_us)
    if to_us is not None:
        clauses.append(f"{column} <= ?")
        values.append(to_us)
    return clauses, [*values]


def _alarms(db: Database, search: AlarmSearch) -> Found:
    clauses, values = _between("raised_us", search.from_us, search.to_us)
    if search.kind is not None:
        clauses.append("kind = ?")
        values.append(search.kind)
    if search.state is not None:
        # Active and unacknowledged alarms are open.
        clauses.append("open = 0" if search.state == "closed" else "open = 1")
    clauses.append("id < ?")
    condition = " AND ".join(clauses)
    before = search.before_id if search.before_id is not None else 1 << 62
    found: list[Alarm] = []
    scanned = 0
    while True:
        rows = db.run(
            f"SELECT id, value FROM alarm WHERE {condition} ORDER BY id DESC LIMIT ?",
            (*values, before, _CHUNK),
        )
        for number, value in rows:
            alarm = msgspec.json.decode(value, type=Alarm)
            if _fits(alarm, search):
                found.append(alarm)
                if len(found) == search.limit:
                    return Found(found, number)
        scanned += len(rows)
        if len(rows) < _CHUNK:
            return Found(found, None)
        before = rows[-1][0]
        if scanned >= MAX_SCANNED:
            return Found(found, before)


def _fits(alarm: Alarm, search: AlarmSearch) -> bool:
    if search.sector is not None and search.sector not in alarm.sectors:
        return False
    if search.state == "active" and not alarm.active:
        return False
    if search.state == "unacknowledged" and not alarm.unacknowledged:
        return False
    return not search.text or search.text.casefold() in _words(alarm)


def _words(alarm: Alarm) -> str:
    target = alarm.target.label if alarm.target else ""
    disposition = alarm.disposition.value if alarm.disposition else ""
    parts: Sequence[str] = (
        f"#{alarm.id}",
        alarm.kind.value,
        target,
        disposition,
        alarm.note,
        alarm.acknowledged_by,
        alarm.assessed_by,
        alarm.masked,
        alarm.walk,
        *alarm.nodes,
        *alarm.sectors,
        *alarm.reasons,
    )
    return " ".join(parts).casefold()


def _alarm(db: Database, alarm_id: int) -> Alarm | None:
    rows = db.run("SELECT value FROM alarm WHERE id = ?", (alarm_id,))
    return msgspec.json.decode(rows[0][0], type=Alarm) if rows else None


def _history(db: Database, alarm_id: int, limit: int) -> list[Change]:
    rows = db.run(
        "SELECT id, at_us, change, by, value FROM alarm_history WHERE alarm_id = ? "
        "ORDER BY id DESC LIMIT ?",
        (alarm_id, min(limit, MAX_LIMIT)),
    )
    return [
        Change(id=number, at_us=at_us, change=change, by=by,
               alarm=msgspec.json.decode(value, type=Alarm))
        for number, at_us, change, by, value in reversed(rows)
    ]  # fmt: skip


def _answers(db: Database, kind: str, node: str, after_id: int, upto_id: int) -> list[bytes]:
    rows = db.run(
        "SELECT payload FROM message WHERE id > ? AND id <= ? AND node = ? AND kind = ? "
        "ORDER BY id LIMIT ?",
        (after_id, min(upto_id, after_id + MAX_MESSAGES), node, kind, MAX_LIMIT),
    )
    return [bytes(payload) for (payload,) in rows]


def _detections(db: Database, search: DetectionSearch) -> Found:
    clauses, values = _between("onset_us", search.from_us, search.to_us)
    for column, wanted in (("node", search.node), ("class", search.target)):
        if wanted is not None:
            clauses.append(f"{column} = ?")
            values.append(wanted)
    if search.before_id is not None:
        clauses.append("id < ?")
        values.append(search.before_id)
    condition = f"WHERE {' AND '.join(clauses)} " if clauses else ""
    rows = db.run(
        "SELECT id, node, boot, seq, onset_ms, phase, class, confidence_pct, peak_um_s_x100, "
        f"onset_us, report_us, uncertainty_us, arrival_us FROM detection {condition}"
        "ORDER BY id DESC LIMIT ?",
        (*values, search.limit),
    )
    found = [
        StoredDetection(
            id=row[0], node=row[1], boot=row[2], seq=row[3], onset_ms=row[4], phase=row[5],
            target=row[6], confidence=row[7] / 100, peak_um_s=row[8] / 100, onset_us=row[9],
            report_us=row[10], uncertainty_us=row[11], arrival_us=row[12],
        )
        for row in rows
    ]  # fmt: skip
    return Found(found, found[-1].id if len(found) == search.limit else None)
