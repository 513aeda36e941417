# SPDX-License-Identifier: MIT
"""Monitor: the state between steps, the cursor, and the effects of a step that fails.

Live operation and replay both use it. A step that raises is rolled back: the state before it is
used again, the entry is recorded as skipped, and a fault alarm names the source of the entry.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from gateway.alarms import step as alarm_step
from gateway.alarms.rules import TICK_US
from gateway.alarms.tick import forgotten
from gateway.model import text
from gateway.model.alarm import Alarm, AlarmChange, AlarmKind
from gateway.model.detection import Detection
from gateway.model.entry import Entry, kind_of
from gateway.model.numbering import floor_at
from gateway.model.observation import AreaCondition, NoiseFloor
from gateway.monitor import rows
from gateway.monitor.inputs import Start, Unreadable
from gateway.monitor.policy import Policy
from gateway.monitor.step import Changes, MonitorState, step, tick_alarms, tick_cues, tick_fusion
from gateway.store.interface import (
    COUNT_ALARMS,
    COUNT_HISTORY,
    COUNT_TICKS,
    CURSOR,
    AlarmRow,
    HistoryRow,
    SkippedRow,
    Snapshot,
    TickRow,
    Writes,
)

_LOG = logging.getLogger(__name__)
FUSION, ALARMS, CUES = "fusion", "alarms", "cues"  # kinds of ticks
_FAILED = " failed "
_TICKS: Mapping[str, Callable[[MonitorState, int], tuple[MonitorState, Changes]]] = {
    FUSION: tick_fusion,
    ALARMS: tick_alarms,
    CUES: tick_cues,
}


_ALARMS_PER_S = 16  # more than any site raises for long


class Monitor:
    """`cursor` is the last entry of the log that was processed; `failures` counts steps that were
    rolled back."""

    def __init__(self, policy: Policy) -> None:
        self.state = MonitorState(policy)
        self.cursor = 0
        self.failures = 0
        self._rows: dict[str, str] = {}
        self._saved_cursor = -1  # not known from the store
        self._ticked_s = -1
        self._last_history_id = 0
        self._last_tick_id = 0
        self._alarms: dict[int, AlarmRow] = {}
        self._history: list[HistoryRow] = []
        self._unchained: list[HistoryRow] = []
        self._ticks: list[TickRow] = []
        self._skipped: list[SkippedRow] = []
        self._failing: set[str] = set()  # kinds of ticks that failed last time

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from the state that an earlier run stored."""
        self.start_from(rows.start_of(snapshot, self.state.policy))
        self.cursor = snapshot.cursor
        # A store without a cursor gets one with its first entry, processed or not.
        self._saved_cursor = snapshot.cursor if CURSOR in snapshot.state else -1
        self._last_tick_id = snapshot.last_tick_id

    def start(self, now_us: int) -> Start:
        """The first entry of a run: the present state, without old alarms. The log must not keep
        an alarm longer than the store keeps it."""
        alarms = forgotten(self.state.alarms, now_us)
        if alarms is not self.state.alarms:
            self.state = replace(self.state, alarms=alarms)
        return rows.start_from(self.state, self._last_history_id)

    def start_from(self, start: Start) -> None:
        """Continue from the state of a start."""
        self.state = rows.restored_state(self.state, start)
        self._last_history_id = start.last_history_id

    def skip_numbers(self, now_us: int) -> None:
        """The store is not the one that ran last: alarms go on above all numbers that may be
        taken."""
        last_id = max(self.state.alarms.last_id, floor_at(now_us, _ALARMS_PER_S))
        alarms = replace(self.state.alarms, last_id=last_id)
        self.state = replace(self.state, alarms=alarms)
        self._rows[COUNT_ALARMS] = str(alarms.last_id)

    def process(self, entry: Entry, error: str = "") -> Changes:
        """One entry of the log. `error`: in replay, why it could not be processed then."""
        try:
            if error:
                raise _SkippedThen(error)
            state, changes = step(self.state, entry.given, entry.at_us)
            floor = entry.given.node if isinstance(entry.given, NoiseFloor) else ""
            self._accept(state, changes, floor)
        except Exception as problem:  # whatever it is, monitoring goes on
            changes = self._skip(entry, problem)
        self.cursor = entry.id
        return changes

    def tick(self, now_us: int) -> Changes:
        """Time passes; one that raises is rolled back and tried again with the next tick."""
        found = [self._tick(FUSION, now_us)]
        if now_us // TICK_US != self._ticked_s:
            self._ticked_s = now_us // TICK_US
            found += [self._tick(ALARMS, now_us), self._tick(CUES, now_us)]
        return Changes(
            tuple(event for one in found for event in one.events),
            tuple(change for one in found for change in one.alarms),
            tuple(change for one in found for change in one.cues),
        )

    def replay_tick(self, kind: str, at_us: int) -> Changes:
        """A tick that the store holds."""
        if kind not in _TICKS:
            kind, _, error = kind.partition(_FAILED)
            return self.fault("site", f"{kind} over time", _SkippedThen(error), at_us)
        state, changes = _TICKS[kind](self.state, at_us)
        self._accept(state, changes)
        return changes

    def take_unchained(self) -> list[HistoryRow]:
        """Rows of the history since the last call, for the audit: each has its entry there."""
        unchained, self._unchained = self._unchained, []
        return unchained

    def collect(self, writes: Writes) -> None:
        """Hand over the rows since the last call."""
        history = self._history
        writes.state |= self._rows
        if history:
            writes.state[COUNT_ALARMS] = str(self.state.alarms.last_id)
            writes.state[COUNT_HISTORY] = str(self._last_history_id)
        if self._ticks:
            writes.state[COUNT_TICKS] = str(self._last_tick_id)
        if self.cursor != self._saved_cursor:
            writes.state[CURSOR] = str(self.cursor)
            self._saved_cursor = self.cursor
        writes.alarms |= self._alarms
        writes.history += history
        writes.ticks += self._ticks
        writes.skipped += self._skipped
        self._rows, self._alarms = {}, {}
        self._history, self._ticks, self._skipped = [], [], []

    def _tick(self, kind: str, now_us: int) -> Changes:
        before = self.state
        try:
            state, changes = _TICKS[kind](before, now_us)
            self._accept(state, changes)
        except Exception as problem:  # whatever it is, monitoring goes on
            return self._tick_failed(kind, problem, now_us)
        self._failing.discard(kind)
        if state is not before:
            self._note_tick(kind, now_us)
        return changes

    def _accept(self, state: MonitorState, changes: Changes, floor: str = "") -> None:
        """Accept the step. Its rows are made now: if that fails, the step is rolled back too.
        `floor` names the only node whose noise floor may differ."""
        made = rows.changed_rows(self.state, state, floor)
        values = [text.format_json(change.alarm) for change in changes.alarms]
        # From here on nothing raises.
        self.state = state
        self._rows |= made
        self._keep(changes.alarms, values)

    def _tick_failed(self, kind: str, problem: Exception, now_us: int) -> Changes:
        """One alarm only, until a tick of this kind succeeds: there are two ticks a second."""
        if kind in self._failing:
            self.failures += 1
            return Changes()
        self._failing.add(kind)
        self._note_tick(f"{kind}{_FAILED}{type(problem).__name__}", now_us)
        return self.fault("site", f"{kind} over time", problem, now_us)

    def _note_tick(self, kind: str, now_us: int) -> None:
        self._last_tick_id += 1
        self._ticks.append(TickRow(self._last_tick_id, self.cursor, now_us, kind))

    def _skip(self, entry: Entry, problem: Exception) -> Changes:
        error = problem.error if isinstance(problem, _SkippedThen) else type(problem).__name__
        if not isinstance(problem, _SkippedThen):
            self._skipped.append(SkippedRow(entry.id, entry.at_us, entry.source, error))
        what = entry.given.kind if isinstance(entry.given, Unreadable) else kind_of(entry.given)
        if isinstance(entry.given, Detection):
            what = f"detection of {entry.given.target.label}"
        return self.fault(entry.source, what, problem, entry.at_us)

    def fault(self, source: str, what: str, problem: Exception, now_us: int) -> Changes:
        """Active and cleared at once: the alarm stays until an operator acknowledges it."""
        self.failures += 1
        replayed = isinstance(problem, _SkippedThen)
        if not replayed:
            _LOG.error("monitor: %s of %s was rolled back", what, source, exc_info=problem)
        error = problem.error if isinstance(problem, _SkippedThen) else type(problem).__name__
        site = self.state.policy.site
        node = site.nodes.get(source)
        reason = f"message could not be processed: {what} from {source} ({error})"
        found: list[AlarmChange] = []
        state = self.state.alarms
        try:
            for active in (True, False):
                condition = AreaCondition(
                    AlarmKind.PROCESSING_FAULT,
                    source,
                    (node.id,) if node else (),
                    (node.sector,) if node else tuple(site.sectors),
                    active,
                    reason,
                )
                state, changes = alarm_step(state, self.state.policy.alarms, condition, now_us)
                found += changes
            fault = Changes(alarms=tuple(found))
            self._accept(replace(self.state, alarms=state), fault)
        except Exception:
            _LOG.exception("monitor: the fault alarm failed as well")
            return Changes()
        return fault

    def _keep(self, changes: tuple[AlarmChange, ...], values: list[str]) -> None:
        for change, value in zip(changes, values, strict=True):
            alarm = change.alarm
            self._alarms[alarm.id] = _alarm_row(alarm, value)
            # Numbered here, so that a commit which is repeated adds no second row.
            self._last_history_id += 1
            row = HistoryRow(
                self._last_history_id, alarm.id, change.at_us, change.change.value, change.by, value
            )
            self._history.append(row)
            self._unchained.append(row)


def _alarm_row(alarm: Alarm, value: str) -> AlarmRow:
    return AlarmRow(alarm.id, alarm.kind.value, alarm.key, alarm.raised_us, int(alarm.open), value)


class _SkippedThen(Exception):
    """In replay: the entry could not be processed when it was read first."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error
