# SPDX-License-Identifier: MIT
"""Alarms: suppression of intrusion alarms by a mask or a disarmed sector; authorised activity.

Only intrusion: alarms of offline nodes and tamper are raised in masked and disarmed sectors too
(NAVFAC DM 13.02: mask, do not shunt).
"""

from __future__ import annotations

from msgspec.structs import replace

from gateway.alarms.rules import AlarmRules
from gateway.alarms.state import AlarmState
from gateway.model.actions.overrides import Mask
from gateway.model.alarm import LATE_PRIORITY, PRIORITY, UNSURE_PRIORITY, WALK_PRIORITY, Alarm


def armed(state: AlarmState, rules: AlarmRules, sector: str, at_us: int) -> bool:
    """By an operator's action in force, else by the schedule, else armed."""
    for override in state.overrides:
        if override.sector == sector and override.from_us <= at_us < override.until_us:
            return override.armed
    schedule = rules.schedules.get(sector)
    return schedule is None or schedule.armed(at_us)


def suppressed(
    state: AlarmState, rules: AlarmRules, nodes: tuple[str, ...], at_us: int
) -> tuple[str, str]:
    """(masked by, suppressed because), both empty when one of the nodes is neither."""
    masks: list[Mask] = []
    off: list[str] = []
    for node in nodes:
        sector = rules.sector_of.get(node, "")
        mask = _mask(state, node, sector, at_us)
        if mask is not None:
            masks.append(mask)
        elif armed(state, rules, sector, at_us):
            return "", ""
        else:
            off.append(sector)
    masked = "; ".join(dict.fromkeys(str(mask) for mask in masks))
    disarmed = ", ".join(dict.fromkeys(off))
    return masked, f"disarmed: {disarmed}" if disarmed else ""


def authorised(state: AlarmState, alarm: Alarm, first_us: int, last_us: int) -> str:
    """The authorised activity that covers all of the alarm, or nothing."""
    for walk in state.walks:
        during = walk.from_us <= first_us and last_us < walk.until_us
        if during and set(alarm.sectors) <= set(walk.sectors):
            return str(walk)
    return ""


def prioritised(alarm: Alarm) -> Alarm:
    """Late, low-confidence and authorised ones have a lower priority."""
    priority = PRIORITY[alarm.kind]
    if alarm.late:
        priority = max(priority, LATE_PRIORITY)
    if alarm.unsure:
        priority = max(priority, UNSURE_PRIORITY)
    if alarm.walk:
        priority = max(priority, WALK_PRIORITY)
    return replace(alarm, priority=priority)


def _mask(state: AlarmState, node: str, sector: str, at_us: int) -> Mask | None:
    for mask in state.masks:
        if mask.from_us <= at_us < mask.until_us and (node in mask.nodes or sector in mask.sectors):
            return mask
    return None
