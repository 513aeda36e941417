# SPDX-License-Identifier: MIT
"""Alarms: the policy of a sector: does one node suffice, or must a second source agree?

`single`: one node may raise an alarm. `confirmed`: two nodes that do not depend on each other, one
node and a PIR, or a plot that agrees. An event without a second source stays a track.
"""

from __future__ import annotations

from gateway.alarms.rules import AlarmRules
from gateway.model.event import Event

SINGLE, CONFIRMED = "single", "confirmed"


def policy(rules: AlarmRules, sector: str, at_us: int) -> str:
    """The policy of a sector at a time."""
    schedule = rules.confirmed.get(sector)
    return CONFIRMED if schedule is not None and schedule.armed(at_us) else SINGLE


def policy_text(rules: AlarmRules, sector: str, at_us: int) -> str:
    """The policy in force, and when `confirmed` applies."""
    schedule = rules.confirmed.get(sector)
    now = policy(rules, sector, at_us)
    return now if schedule is None else f"{now} (confirmed: {schedule.text})"


def may_raise(rules: AlarmRules, event: Event, at_us: int) -> bool:
    """Whether the event may be an alarm in one of its sectors. The strictest does not decide: an
    event that reaches a sector of the policy `single` is an alarm there."""
    if not event.confirmed or event.corroborated:
        return event.confirmed
    sectors = event.sectors or ("",)
    return any(policy(rules, sector, at_us) == SINGLE for sector in sectors)
