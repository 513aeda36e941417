# SPDX-License-Identifier: MIT
"""Replay of a store: what was stored goes through map table and duty desk once more.

With the rules of then each run must give the history that is stored, byte for byte. With other
rules it shows which alarms there would have been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gateway.alarms import Acknowledge
from gateway.pipeline import Pipeline
from gateway.pipeline.journal import ORDERS, SILENCE, START, base_of, input_of, orders_of
from gateway.pipeline.standing import Orders
from gateway.store import sql_replay
from gateway.store.interface import HistoryRow, JournalRow, Snapshot
from gateway.store.sql_commit import Database

_EVERYTHING = (1 << 63) - 1


Change = Callable[[Orders], Orders]


@dataclass(slots=True)
class Run:
    """One run of the gateway. `base` is what it began with, `orders` the digest of its standing
    orders and `standing` these, `rows` its journal without the start; messages and history end with
    the numbers `messages_upto` and `history_upto`."""

    start: JournalRow
    base: Snapshot
    orders: str
    standing: Orders | None
    rows: list[JournalRow] = field(default_factory=list)
    messages_upto: int = _EVERYTHING
    history_upto: int = _EVERYTHING


@dataclass(slots=True)
class Verdict:
    """What a run gave again. `expected`, `given` is the first change that is not the same;
    `same_orders`: it ended with the standing orders of today."""

    start_us: int
    same_orders: bool
    changes: int
    expected: HistoryRow | None = None
    given: HistoryRow | None = None

    @property
    def identical(self) -> bool:
        return self.expected is None and self.given is None


def runs(db: Database) -> list[Run]:
    """Runs of the gateway that the store tells whole, in order. Raises ValueError."""
    found: list[Run] = []
    for row in sql_replay.journal(db):
        if row.kind == START:
            base, orders, standing = base_of(row)
            if found:
                found[-1].messages_upto = row.message_id
                found[-1].history_upto = base.last_history_id
            found.append(Run(row, base, orders, standing))
        elif found:
            found[-1].rows.append(row)
    return found


def again(db: Database, today: Orders) -> Iterator[Verdict]:
    """Each run from what it began with, under the orders in force then; those of today where the
    store does not tell them. Raises ValueError for what cannot be read."""
    for run in runs(db):
        pipeline = _pipeline(run.standing or today, run.base)
        _step(db, pipeline, run)
        given = pipeline.take_writes().history
        expected = sql_replay.history(db, run.base.last_history_id, run.history_upto)
        ended = run.orders if pipeline.orders == (run.standing or today) else pipeline.orders.digest
        verdict = Verdict(run.start.at_us, ended == today.digest, len(expected))
        for number in range(max(len(given), len(expected))):
            pair = (_at(expected, number), _at(given, number))
            if pair[0] != pair[1]:
                verdict.expected, verdict.given = pair
                break
        yield verdict


def with_other_orders(
    db: Database, today: Orders, change: Change
) -> tuple[list[HistoryRow], list[HistoryRow]]:
    """(history as it was, as it would have been) from the first run on, under what `change` makes
    of the orders of then.

    Operators' acknowledgements are left out of the second: they are of alarms as they were.
    """
    found = runs(db)
    if not found:
        return [], []
    pipeline = _pipeline(change(found[0].standing or today), found[0].base)
    for run in found:
        pipeline.orders_again(run.start.at_us, change(run.standing or today))
        _step(db, pipeline, run, change, acknowledge=False)
    was = sql_replay.history(db, found[0].base.last_history_id, None)
    return was, pipeline.take_writes().history


def _pipeline(orders: Orders, base: Snapshot) -> Pipeline:
    return Pipeline(orders.site, {}, base, orders.rules, orders.alarms)


def _same(orders: Orders) -> Orders:
    return orders


def _step(
    db: Database, pipeline: Pipeline, run: Run, change: Change = _same, acknowledge: bool = True
) -> None:
    messages = sql_replay.heard(db, run.start.message_id, run.messages_upto)
    waiting = next(messages, None)
    for row in run.rows:
        while waiting is not None and waiting.row.id <= row.message_id:
            pipeline.hear_again(waiting.row, waiting.times)
            waiting = next(messages, None)
        if row.kind == SILENCE:
            pipeline.silence_again(row.at_us)
            continue
        if row.kind == ORDERS:
            pipeline.orders_again(row.at_us, change(orders_of(row)))
            continue
        given = input_of(row)
        if acknowledge or not isinstance(given, Acknowledge):
            pipeline.take_again(row.at_us, given)
    while waiting is not None:
        pipeline.hear_again(waiting.row, waiting.times)
        waiting = next(messages, None)


def _at(rows: list[HistoryRow], number: int) -> HistoryRow | None:
    return rows[number] if number < len(rows) else None
