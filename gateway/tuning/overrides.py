# SPDX-License-Identifier: MIT
"""Tuning: what operators ordered over the weeks: walks, masks, arming; by the rules of alarms.

The entries of the log are stepped by the code that runs live, so an override that was not possible
then is none here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from gateway.alarms import AlarmRules, AlarmState
from gateway.alarms.overrides import expire
from gateway.alarms.suppression import armed
from gateway.model.actions.acts import Acknowledge
from gateway.model.actions.overrides import Mask, Override, Walk
from gateway.monitor.inputs import Start, decoded
from gateway.monitor.policy import SavedPolicy, restored
from gateway.monitor.rows import restored_state
from gateway.monitor.step import MonitorState, step
from gateway.store.interface import LogRow

KINDS = (
    "Start",
    "SavedPolicy",
    "AnnounceWalk",
    "WithdrawWalk",
    "SetMask",
    "LiftMask",
    "SetArming",
    "ResumeSchedule",
)

_Action = TypeVar("_Action", Mask, Override, Walk)


@dataclass
class Overrides:
    """Each order with the time at which it really ended; the rules of alarms by the time from which
    they were in force."""

    walks: dict[int, Walk] = field(default_factory=dict)
    masks: dict[int, Mask] = field(default_factory=dict)
    overrides: dict[int, Override] = field(default_factory=dict)
    rules: list[tuple[int, AlarmRules]] = field(default_factory=list)
    unreadable: int = 0

    def walk_at(self, sector: str, at_us: int) -> Walk | None:
        """Authorised activity in the sector."""
        for walk in self.walks.values():
            if walk.from_us <= at_us < walk.until_us and sector in walk.sectors:
                return walk
        return None

    def rules_at(self, at_us: int) -> AlarmRules:
        """Those in force; before the first entry of the log the first."""
        found = self.rules[0][1] if self.rules else AlarmRules()
        for since_us, one in self.rules:
            if since_us <= at_us:
                found = one
        return found

    def is_armed(self, sector: str, at_us: int) -> bool:
        """By the rule that is used live."""
        state = AlarmState(overrides=tuple(self.overrides.values()))
        return armed(state, self.rules_at(at_us), sector, at_us)


def overrides_of(rows: Iterable[LogRow]) -> Overrides:
    """From entries of these kinds, in the order of the log. What cannot be read is counted."""
    found = Overrides()
    state: MonitorState | None = None
    for row in rows:
        try:
            given = decoded(row.kind, row.value)
            if isinstance(given, Start):
                state = restored_state(MonitorState(restored(given.policy)), given)
            elif state is not None and not isinstance(given, Acknowledge):
                state = replace(state, alarms=expire(state.alarms, row.at_us))
                state, _changes = step(state, given, row.at_us)
        except ValueError:
            found.unreadable += 1
            continue
        if state is None:
            continue
        if isinstance(given, (Start, SavedPolicy)):
            found.rules.append((row.at_us, state.policy.alarms))
        _follow(found.walks, state.alarms.walks, None)
        _follow(found.masks, state.alarms.masks, row.at_us)
        _follow(found.overrides, state.alarms.overrides, row.at_us)
    return found


def _follow(known: dict[int, _Action], now: tuple[_Action, ...], at_us: int | None) -> None:
    """Those in force as they are now; one that is gone before its time ended here."""
    in_force = {one.id for one in now}
    if at_us is not None:
        for number, one in known.items():
            if number not in in_force and one.until_us > at_us:
                known[number] = replace(one, until_us=max(at_us, one.from_us))
    for one in now:
        known[one.id] = one
