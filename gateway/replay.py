# SPDX-License-Identifier: MIT
"""Replay of a store: what was stored goes through map table and duty desk once more.

With the rules of then each run must give the history that is stored, byte for byte. With other
rules it shows which alarms there would have been.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.alarms import Acknowledge, AlarmRules
from gateway.fusion.rules import Rules
from gateway.pipeline import Pipeline
from gateway.pipeline.journal import SILENCE, START, base_of, input_of
from gateway.site import Site
from gateway.store import sql_replay
from gateway.store.interface import HistoryRow, JournalRow, Snapshot
from gateway.store.sql_commit import Database

_EVERYTHING = (1 << 63) - 1


class Orders(NamedTuple):
    """Where nodes are and what is worth an alarm."""

    site: Site
    rules: Rules
    alarms: AlarmRules

    def pipeline(self, base: Snapshot) -> Pipeline:
        return Pipeline(self.site, {}, base, self.rules, self.alarms)


@dataclass(slots=True)
class Run:
    """One run of the gateway. `base` is what it began with, `rows` its journal without the start;
    messages and history end with the numbers `messages_upto` and `history_upto`."""

    start: JournalRow
    base: Snapshot
    orders: str
    rows: list[JournalRow] = field(default_factory=list)
    messages_upto: int = _EVERYTHING
    history_upto: int = _EVERYTHING


@dataclass(slots=True)
class Verdict:
    """What a run gave again. `expected`, `given` is the first change that is not the same."""

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
            base, orders = base_of(row)
            if found:
                found[-1].messages_upto = row.message_id
                found[-1].history_upto = base.last_history_id
            found.append(Run(row, base, orders))
        elif found:
            found[-1].rows.append(row)
    return found


def again(db: Database, orders: Orders) -> Iterator[Verdict]:
    """Each run from what it began with. Raises ValueError for what cannot be read."""
    for run in runs(db):
        pipeline = orders.pipeline(run.base)
        _step(db, pipeline, run)
        given = pipeline.take_writes().history
        expected = sql_replay.history(db, run.base.last_history_id, run.history_upto)
        same = run.orders == pipeline.orders
        verdict = Verdict(run.start.at_us, same, len(expected))
        for number in range(max(len(given), len(expected))):
            pair = (_at(expected, number), _at(given, number))
            if pair[0] != pair[1]:
                verdict.expected, verdict.given = pair
                break
        yield verdict


def with_other_orders(db: Database, orders: Orders) -> tuple[list[HistoryRow], list[HistoryRow]]:
    """(history as it was, as it would have been) from the first run on.

    Operators' acknowledgements are left out of the second: they are of alarms as they were.
    """
    found = runs(db)
    if not found:
        return [], []
    pipeline = orders.pipeline(found[0].base)
    for run in found:
        _step(db, pipeline, run, acknowledge=False)
    was = sql_replay.history(db, found[0].base.last_history_id, None)
    return was, pipeline.take_writes().history


def _step(db: Database, pipeline: Pipeline, run: Run, acknowledge: bool = True) -> None:
    messages = sql_replay.heard(db, run.start.message_id, run.messages_upto)
    waiting = next(messages, None)
    for row in run.rows:
        while waiting is not None and waiting.row.id <= row.message_id:
            pipeline.hear_again(waiting.row, waiting.times)
            waiting = next(messages, None)
        if row.kind == SILENCE:
            pipeline.silence_again(row.at_us)
            continue
        given = input_of(row)
        if acknowledge or not isinstance(given, Acknowledge):
            pipeline.take_again(row.at_us, given)
    while waiting is not None:
        pipeline.hear_again(waiting.row, waiting.times)
        waiting = next(messages, None)


def _at(rows: list[HistoryRow], number: int) -> HistoryRow | None:
    return rows[number] if number < len(rows) else None
