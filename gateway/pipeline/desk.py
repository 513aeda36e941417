# SPDX-License-Identifier: MIT
"""Pipeline: the duty officer's state between steps, and its rows in the store."""

from __future__ import annotations

import json

from gateway.alarms import AlarmInput, AlarmState
from gateway.alarms import step as alarm_step
from gateway.model import text
from gateway.model.alarm import AlarmChange
from gateway.store.interface import AlarmRow, HistoryRow, Snapshot, Writes


class DutyDesk:
    """Holds the open alarms; `state` is replaced by every step."""

    def __init__(self) -> None:
        self.state = AlarmState()
        self._last_history_id = 0
        self._alarms: dict[int, AlarmRow] = {}
        self._history: list[HistoryRow] = []

    def step(self, given: AlarmInput, now_us: int) -> tuple[AlarmChange, ...]:
        """Changes in order; each becomes a row of the history."""
        self.state, changes = alarm_step(self.state, given, now_us)
        for change in changes:
            self._keep(change)
        return changes

    def _keep(self, change: AlarmChange) -> None:
        alarm = change.alarm
        value = text.format_json(text.alarm_to_dict(alarm))
        self._alarms[alarm.id] = AlarmRow(
            alarm.id, alarm.kind.value, alarm.key, alarm.raised_us, int(alarm.open), value
        )
        # Numbered here, so that a commit which is repeated adds no second row.
        self._last_history_id += 1
        self._history.append(
            HistoryRow(
                self._last_history_id,
                alarm.id,
                change.at_us,
                change.change.value,
                change.by,
                value,
            )
        )

    def collect(self, writes: Writes) -> None:
        """Hand over the rows since the last call."""
        writes.alarms |= self._alarms
        writes.history += self._history
        self._alarms, self._history = {}, []

    def restore(self, snapshot: Snapshot) -> None:
        """Take up what an earlier run left."""
        alarms = (text.alarm_from_dict(json.loads(value)) for value in snapshot.open_alarms)
        self.state = AlarmState(tuple(alarms), snapshot.last_alarm_id)
        self._last_history_id = snapshot.last_history_id
