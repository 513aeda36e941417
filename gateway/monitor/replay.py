# SPDX-License-Identifier: MIT
"""Monitor: replay: the log is read from a run's start once more, by the code that runs live.

With the policy of then each run must give the history that is stored, byte for byte. With another
policy it shows which alarms there would have been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.model.actions.acts import Acknowledge
from gateway.model.entry import Entry
from gateway.monitor.inputs import Start, Unreadable, decoded
from gateway.monitor.monitor import Monitor
from gateway.monitor.policy import Policy, SavedPolicy, restored, saved
from gateway.store import sql_replay
from gateway.store.interface import HistoryRow, LogRow, SkippedRow, TickRow, Writes
from gateway.store.sql_commit import Database

_EVERYTHING = (1 << 63) - 1

Change = Callable[[Policy], Policy]
Keep = Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the gateway: entries of the log from `start_id` up to `upto_id`."""

    start_us: int
    start_id: int
    start: Start
    upto_id: int
    history_upto: int


@dataclass(slots=True)
class Verdict:
    """What a run gave again. `expected`, `given` is the first change that is different;
    `same_policy`: it ended with the policy of today."""

    start_us: int
    same_policy: bool
    changes: int
    erased: int = 0  # changes of alarms that were erased by retention: not compared
    expected: HistoryRow | None = None
    given: HistoryRow | None = None

    @property
    def identical(self) -> bool:
        return self.expected is None and self.given is None


def runs(db: Database) -> list[Run]:
    """Runs whose start the log still holds, in order. Raises ValueError."""
    rows = sql_replay.log_of(db, Start.__name__)
    starts = [(row, _input(row)) for row in rows]
    if not starts:
        return []
    ends = [(row.id - 1, start.last_history_id) for row, start in starts[1:]]
    ends.append((_EVERYTHING, _EVERYTHING))
    return [
        Run(row.at_us, row.id, start, upto_id, history_upto)
        for (row, start), (upto_id, history_upto) in zip(starts, ends, strict=True)
    ]


def begins_late(db: Database) -> bool:
    """Whether the log's first entries are of a run whose start was erased: it is left out."""
    first, found = sql_replay.first_log_id(db), runs(db)
    return first is not None and (not found or found[0].start_id > first)


def replay(db: Database, today: Policy) -> Iterator[Verdict]:
    """Each run from its start, under the policy of then. Raises ValueError for what cannot be
    read."""
    for run in runs(db):
        monitor = Monitor(_policy(run.start.policy, run.start_id))
        monitor.start_from(run.start)
        _step(db, monitor, run)
        replayed = _history(monitor)
        given = _kept(db, replayed)
        expected = sql_replay.history(db, run.start.last_history_id, run.history_upto)
        same = monitor.state.policy.digest == today.digest
        verdict = Verdict(run.start_us, same, len(expected), len(replayed) - len(given))
        for number in range(max(len(given), len(expected))):
            pair = (_at(expected, number), _at(given, number))
            if pair[0] != pair[1]:
                verdict.expected, verdict.given = pair
                break
        yield verdict


def replay_with(
    db: Database, change: Change, keep: Keep | None = None, from_us: int = 0
) -> tuple[list[HistoryRow], list[HistoryRow]]:
    """(recorded history, history under what `change` makes of the policy of then), the second also
    without the inputs that `keep` does not want. From the first run on, or from the last one
    that started before `from_us`.

    Operators' acknowledgements are left out of the second: they are of alarms as they were.
    """
    found = runs(db)
    if not found:
        return [], []
    started = [number for number, run in enumerate(found) if run.start_us <= from_us]
    found = found[started[-1] if started else 0 :]
    first = found[0]
    monitor = Monitor(change(_policy(first.start.policy, first.start_id)))
    monitor.start_from(first.start)
    for run in found:
        policy = change(_policy(run.start.policy, run.start_id))
        monitor.process(Entry(run.start_id, run.start_us, "", saved(policy)))
        _step(db, monitor, run, change, keep)
    was = sql_replay.history(db, first.start.last_history_id, None)
    return was, _history(monitor)


def _step(
    db: Database,
    monitor: Monitor,
    run: Run,
    change: Change | None = None,
    keep: Keep | None = None,
) -> None:
    """Entries and ticks in the order in which they were processed. `change`: under another
    policy, and without acknowledgements."""
    skipped = sql_replay.skipped(db)
    ticks = iter(sql_replay.ticks(db, run.start_id, run.upto_id))
    tick: TickRow | None = next(ticks, None)
    monitor.cursor = run.start_id
    for row in sql_replay.log(db, run.start_id, run.upto_id):
        while tick is not None and tick.after_id < row.id:
            monitor.replay_tick(tick.kind, tick.at_us)
            tick = next(ticks, None)
        entry = _entry(row, skipped, change)
        if entry is not None and (keep is None or keep(entry.given)):
            monitor.process(entry, skipped[row.id].error if row.id in skipped else "")
    while tick is not None:
        monitor.replay_tick(tick.kind, tick.at_us)
        tick = next(ticks, None)


def _entry(row: LogRow, skipped: dict[int, SkippedRow], change: Change | None) -> Entry | None:
    try:
        given = decoded(row.kind, row.value)
    except Exception as error:
        if row.id in skipped:
            return Entry(row.id, row.at_us, row.source, Unreadable(row.kind))
        raise ValueError(f"log {row.id}: {error}") from None
    if change is not None and isinstance(given, Acknowledge):
        return None
    if isinstance(given, SavedPolicy):
        policy = _policy(given, row.id)
        given = saved(change(policy)) if change is not None else given
    return Entry(row.id, row.at_us, row.source, given)


def _input(row: LogRow) -> Start:
    try:
        given = decoded(row.kind, row.value)
    except ValueError as error:
        raise ValueError(f"log {row.id}: no start of a run: {error}") from None
    assert isinstance(given, Start)
    return given


def _policy(value: SavedPolicy, log_id: int) -> Policy:
    try:
        return restored(value)
    except ValueError as error:
        raise ValueError(f"log {log_id}: no policy: {error}") from None


def _history(monitor: Monitor) -> list[HistoryRow]:
    writes = Writes()
    monitor.collect(writes)
    return writes.history


def _kept(db: Database, given: list[HistoryRow]) -> list[HistoryRow]:
    """Without alarms that retention has erased from the store."""
    before_us = sql_replay.alarms_erased_us(db)
    if not before_us:
        return given
    stored = sql_replay.alarm_ids(db)
    young = {row.alarm_id for row in given if row.at_us >= before_us}
    return [row for row in given if row.alarm_id in stored or row.alarm_id in young]


def _at(rows: list[HistoryRow], number: int) -> HistoryRow | None:
    return rows[number] if number < len(rows) else None
