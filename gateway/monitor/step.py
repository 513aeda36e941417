# SPDX-License-Identifier: MIT
"""Monitor: one step over the log: (state, input, now) -> (state, changes). Pure.

An input goes to fusion or to alarms by its type; each event that fusion changed goes on to alarms.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import cast

from gateway.alarms import AlarmInput, AlarmState, EventChanged, Tick
from gateway.alarms import step as alarm_step
from gateway.alarms.rules import TICK_US
from gateway.fusion import HANDLED, FusionState
from gateway.fusion import step as fusion_step
from gateway.model.alarm import AlarmChange
from gateway.model.event import Event
from gateway.monitor.inputs import Input, Start, Unreadable
from gateway.monitor.policy import Policy, SavedPolicy, restored


@dataclass(frozen=True, slots=True)
class MonitorState:
    """Open events, alarms with operators' actions in force, and the policy."""

    policy: Policy
    fusion: FusionState = field(default_factory=FusionState)
    alarms: AlarmState = field(default_factory=AlarmState)


@dataclass(frozen=True, slots=True)
class Changes:
    """What one step changed, oldest first. `done`: the act was possible."""

    events: tuple[Event, ...] = ()
    alarms: tuple[AlarmChange, ...] = ()
    done: bool = False


def step(state: MonitorState, given: Input, now_us: int) -> tuple[MonitorState, Changes]:
    """What the input changes. Raises whatever a fault in our own code raises."""
    if isinstance(given, SavedPolicy):
        return replace(state, policy=restored(given)), Changes(done=True)
    if isinstance(given, Start):
        return state, Changes()
    if isinstance(given, Unreadable):
        raise ValueError(f"{given.kind} cannot be read")
    if isinstance(given, HANDLED):
        policy = state.policy
        fusion, events = fusion_step(state.fusion, policy.site, policy.rules, now_us, given)
        return _alarmed(replace(state, fusion=fusion), events, now_us)
    of_alarms = cast(AlarmInput, given)
    alarms, changes = alarm_step(state.alarms, state.policy.alarms, of_alarms, now_us)
    done = alarms is not state.alarms
    return replace(state, alarms=alarms), Changes(alarms=changes, done=done)


def tick_fusion(state: MonitorState, now_us: int) -> tuple[MonitorState, Changes]:
    """Time passes for open events; the same state when nothing was due."""
    policy = state.policy
    fusion, events = fusion_step(state.fusion, policy.site, policy.rules, now_us, None)
    if fusion is state.fusion or (fusion == state.fusion and not events):
        return state, Changes()
    return _alarmed(replace(state, fusion=fusion), events, now_us)


def tick_alarms(state: MonitorState, now_us: int) -> tuple[MonitorState, Changes]:
    """Time passes for alarms: looked at as of the beginning of a second."""
    at_us = now_us // TICK_US * TICK_US
    passed = Tick(frozenset(event.id for event in state.fusion.events))
    alarms, changes = alarm_step(state.alarms, state.policy.alarms, passed, at_us)
    if alarms is state.alarms or (alarms == state.alarms and not changes):
        return state, Changes()
    return replace(state, alarms=alarms), Changes(alarms=changes)


def _alarmed(
    state: MonitorState, events: tuple[Event, ...], now_us: int
) -> tuple[MonitorState, Changes]:
    alarms, found = state.alarms, list[AlarmChange]()
    for event in events:
        alarms, changes = alarm_step(alarms, state.policy.alarms, EventChanged(event), now_us)
        found += changes
    return replace(state, alarms=alarms), Changes(events, tuple(found))
