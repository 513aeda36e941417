# SPDX-License-Identifier: MIT
"""Alarms: operator actions in force: masks, authorised activity, arming against the schedule.

Each ends by itself. An invalid one (no sector, an end too far ahead) changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from gateway.alarms import rules as limits
from gateway.alarms.rules import TICK_US, AlarmRules
from gateway.alarms.state import AlarmState
from gateway.model.actions.acts import (
    AnnounceWalk,
    LiftMask,
    ResumeSchedule,
    SetArming,
    SetMask,
    WithdrawWalk,
)
from gateway.model.actions.overrides import Mask, Override, Walk

_Action = TypeVar("_Action", Mask, Override, Walk)


def mask(state: AlarmState, rules: AlarmRules, act: SetMask, now_us: int) -> AlarmState:
    """A mask from now on."""
    known = rules.nodes_of.keys() >= set(act.sectors) and rules.sector_of.keys() >= set(act.nodes)
    if not known or not (act.sectors or act.nodes) or not _bounded(act.until_us, now_us):
        return state
    if len(state.masks) >= limits.MAX_MASKS:
        return state
    number = state.last_override + 1
    new = Mask(number, act.by, act.reason, now_us, act.until_us, act.sectors, act.nodes)
    return replace(state, masks=(*state.masks, new), last_override=number)


def unmask(state: AlarmState, act: LiftMask) -> AlarmState:
    """Removes the mask."""
    if not any(mask.id == act.mask_id for mask in state.masks):
        return state
    return replace(state, masks=tuple(m for m in state.masks if m.id != act.mask_id))


def announce(state: AlarmState, rules: AlarmRules, act: AnnounceWalk, now_us: int) -> AlarmState:
    """Schedules authorised activity."""
    sectors = set(act.sectors)
    timely = now_us - limits.MAX_WALK_US <= act.from_us <= now_us + limits.MAX_AHEAD_US
    lasts = now_us < act.until_us and 0 < act.until_us - act.from_us <= limits.MAX_WALK_US
    if not sectors or not sectors <= rules.nodes_of.keys() or not timely or not lasts:
        return state
    if len(state.walks) >= limits.MAX_WALKS:
        return state
    number = state.last_override + 1
    new = Walk(
        number,
        act.purpose,
        act.who,
        act.by,
        act.from_us,
        act.until_us,
        act.sectors,
        act.crossings,
    )
    return replace(state, walks=(*state.walks, new), last_override=number)


def withdraw(state: AlarmState, act: WithdrawWalk, now_us: int) -> AlarmState:
    """Ends the authorised activity, or cancels it."""
    known = next((walk for walk in state.walks if walk.id == act.walk_id), None)
    if known is None or known.until_us <= now_us:
        return state
    # Late reports of the time before its end are still of authorised activity.
    ended = replace(known, until_us=max(now_us, known.from_us))
    return replace(state, walks=tuple(ended if w.id == known.id else w for w in state.walks))


def arm(state: AlarmState, rules: AlarmRules, act: SetArming, now_us: int) -> AlarmState:
    """The sector is armed or disarmed from now on; a second action replaces the first."""
    if act.sector not in rules.nodes_of or not _bounded(act.until_us, now_us):
        return state
    number = state.last_override + 1
    new = Override(number, act.sector, act.armed, act.by, act.reason, now_us, act.until_us)
    others = tuple(o for o in state.overrides if o.sector != act.sector)
    return replace(state, overrides=(*others, new), last_override=number)


def resume(state: AlarmState, act: ResumeSchedule) -> AlarmState:
    """The schedule applies again."""
    kept = tuple(o for o in state.overrides if o.sector != act.sector)
    return state if len(kept) == len(state.overrides) else replace(state, overrides=kept)


def expire(state: AlarmState, now_us: int) -> AlarmState:
    """Ends what has expired."""
    masks = _running(state.masks, now_us)
    overrides = _running(state.overrides, now_us)
    ahead_us = now_us + limits.MAX_AHEAD_US
    walks = tuple(
        w
        for w in state.walks
        if now_us < w.until_us + limits.WALK_KEPT_US and w.from_us <= ahead_us
    )
    if (masks, overrides, walks) == (state.masks, state.overrides, state.walks):
        return state
    return replace(state, masks=masks, overrides=overrides, walks=walks)


def _running(orders: tuple[_Action, ...], now_us: int) -> tuple[_Action, ...]:
    # From the future: the clock was set back, and the end might be a year away.
    soon_us = now_us + TICK_US
    return tuple(order for order in orders if order.from_us <= soon_us and now_us < order.until_us)


def _bounded(until_us: int, now_us: int) -> bool:
    return now_us < until_us <= now_us + limits.MAX_ORDER_US
