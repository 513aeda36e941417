# SPDX-License-Identifier: MIT
"""Pipeline: the duty officer's state between steps, and its rows in the store."""

from __future__ import annotations

from collections.abc import Callable

from gateway.alarms import AlarmInput, AlarmRules, AlarmState, Tick, coverage
from gateway.alarms import step as alarm_step
from gateway.alarms.coverage import Coverage, Presence
from gateway.alarms.rules import TICK_US
from gateway.alarms.saved import SavedOrders, saved_orders, with_orders
from gateway.model import text
from gateway.model.alarm import Alarm, AlarmChange
from gateway.pipeline.journal import Journal
from gateway.store.interface import (
    COUNT_ALARMS,
    COUNT_HISTORY,
    AlarmRow,
    HistoryRow,
    Snapshot,
    Writes,
)

_ORDERS, _COVERAGE = "orders", "coverage"  # names of state rows


class DutyDesk:
    """Holds the open alarms, orders and coverage; every step replaces them. `on_history` is told
    every row of the history."""

    def __init__(
        self, rules: AlarmRules, journal: Journal, on_history: Callable[[HistoryRow], None]
    ) -> None:
        self.rules = rules
        self._journal = journal
        self._on_history = on_history
        self.state = AlarmState()
        self._coverage = self._coverage_saved = Coverage()
        self._orders_saved = self._orders()
        self._ticked_s = -1
        self._last_history_id = 0
        self._alarms: dict[int, AlarmRow] = {}
        self._history: list[HistoryRow] = []

    def step(self, given: AlarmInput, now_us: int) -> tuple[AlarmChange, ...]:
        """Changes in order; each becomes a row of the history."""
        before = self.state
        self.state, changes = alarm_step(before, self.rules, given, now_us)
        if changes or self.state != before:
            self._journal.given(now_us, given)
        for change in changes:
            self._keep(change)
        return changes

    def tick(self, now_us: int, presence: Presence) -> list[AlarmChange]:
        """Time passes; looked at once in every second, as of its beginning."""
        second = now_us // TICK_US
        if second == self._ticked_s:
            return []
        self._ticked_s = second
        at_us = second * TICK_US
        self._coverage, troubles = coverage.step(self._coverage, self.rules, presence, at_us)
        inputs: list[AlarmInput] = [*troubles, Tick()]
        return [change for given in inputs for change in self.step(given, at_us)]

    def _keep(self, change: AlarmChange) -> None:
        alarm = change.alarm
        value = text.format_json(alarm)
        self._alarms[alarm.id] = AlarmRow(
            alarm.id, alarm.kind.value, alarm.key, alarm.raised_us, int(alarm.open), value
        )
        # Numbered here, so that a commit which is repeated adds no second row.
        self._last_history_id += 1
        row = HistoryRow(
            self._last_history_id, alarm.id, change.at_us, change.change.value, change.by, value
        )
        self._history.append(row)
        self._on_history(row)

    def collect(self, writes: Writes) -> None:
        """Hand over the rows since the last call."""
        if self._history:
            writes.state[COUNT_ALARMS] = str(self.state.last_id)
            writes.state[COUNT_HISTORY] = str(self._last_history_id)
        writes.alarms |= self._alarms
        writes.history += self._history
        self._alarms, self._history = {}, []
        if self._orders() != self._orders_saved:
            writes.state[_ORDERS] = text.format_json(saved_orders(self.state))
            self._orders_saved = self._orders()
        if self._coverage != self._coverage_saved:
            writes.state[_COVERAGE] = text.format_json(self._coverage)
            self._coverage_saved = self._coverage

    def _orders(self) -> tuple[object, ...]:
        state = self.state
        return state.masks, state.walks, state.overrides, state.last_order

    def restore(self, snapshot: Snapshot) -> None:
        """Take up what an earlier run left."""
        alarms = (text.parse_json(value, Alarm) for value in snapshot.open_alarms)
        closed = (text.parse_json(value, Alarm) for value in snapshot.closed_alarms)
        self.state = AlarmState(tuple(alarms), tuple(closed), snapshot.last_alarm_id)
        if _ORDERS in snapshot.state:
            self.state = with_orders(
                self.state, text.parse_json(snapshot.state[_ORDERS], SavedOrders)
            )
        if _COVERAGE in snapshot.state:
            known = text.parse_json(snapshot.state[_COVERAGE], Coverage)
            self._coverage = self._coverage_saved = coverage.of_site(known, self.rules)
        self._orders_saved = self._orders()
        self._last_history_id = snapshot.last_history_id
