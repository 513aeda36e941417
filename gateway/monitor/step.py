# SPDX-License-Identifier: MIT
"""Monitor: one step over the log: (state, input, now) -> (state, changes). Pure.

An input goes to fusion or to alarms by its type; each event that fusion changed goes on to alarms.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import cast, get_args

from gateway.alarms import AlarmInput, AlarmState, EventChanged, Tick
from gateway.alarms import step as alarm_step
from gateway.alarms.rules import TICK_US
from gateway.fusion import HANDLED, FusionState
from gateway.fusion import step as fusion_step
from gateway.model.actions.cue import CueChange
from gateway.model.alarm import AlarmChange
from gateway.model.event import Event
from gateway.monitor import cues as cue_machine
from gateway.monitor.cues import CueRules, Cues
from gateway.monitor.inputs import Input, OfCues, Start, Unreadable
from gateway.monitor.policy import Policy, SavedPolicy, restored


@dataclass(frozen=True, slots=True)
class MonitorState:
    """Open events, alarms with operators' actions in force, and the policy."""

    policy: Policy
    fusion: FusionState = field(default_factory=FusionState)
    alarms: AlarmState = field(default_factory=AlarmState)
    cues: Cues = field(default_factory=Cues)


@dataclass(frozen=True, slots=True)
class Changes:
    """What one step changed, oldest first. `done`: the act was possible."""

    events: tuple[Event, ...] = ()
    alarms: tuple[AlarmChange, ...] = ()
    cues: tuple[CueChange, ...] = ()
    done: bool = False
    refused: str = ""  # one line why an input about cues was not possible


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
    if isinstance(given, get_args(OfCues)):
        return _cued(state, cast(OfCues, given), now_us)
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
    """Time passes for alarms: evaluated at the start of each second."""
    at_us = now_us // TICK_US * TICK_US
    passed = Tick(frozenset(event.id for event in state.fusion.events))
    alarms, changes = alarm_step(state.alarms, state.policy.alarms, passed, at_us)
    if alarms is state.alarms or (alarms == state.alarms and not changes):
        return state, Changes()
    return replace(state, alarms=alarms), Changes(alarms=changes)


def tick_cues(state: MonitorState, now_us: int) -> tuple[MonitorState, Changes]:
    """Time passes for cues and their policies."""
    return _cued(state, cue_machine.Tick(), now_us)


def _cued(
    state: MonitorState, given: cue_machine.CueInput, now_us: int
) -> tuple[MonitorState, Changes]:
    policy = state.policy
    rules = CueRules(dict(policy.devices), frozenset(policy.site.sectors))
    after = cue_machine.step(state.cues, rules, given, now_us)
    if after.state != state.cues:
        state = replace(state, cues=after.state)
    return state, Changes(cues=after.changes, done=not after.refused, refused=after.refused)


def _alarmed(
    state: MonitorState, events: tuple[Event, ...], now_us: int
) -> tuple[MonitorState, Changes]:
    alarms, found = state.alarms, list[AlarmChange]()
    for event in events:
        alarms, changes = alarm_step(alarms, state.policy.alarms, EventChanged(event), now_us)
        found += changes
    return replace(state, alarms=alarms), Changes(events, tuple(found))
