# SPDX-License-Identifier: MIT
"""Tuning: from one node's figures to a proposal. Pure, and monotone in the unwanted detections."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gateway.performance.intervals import rate
from gateway.tuning import bounds


class Action(Enum):
    """What is proposed."""

    NONE = "no change"
    RAISE = "raise"
    LOWER = "lower"
    RETURN = "go back"


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one node at its present threshold. `quiet_h` are the hours that count, `unwanted` the
    detections in them that were assessed as false or that no one confirmed, `assessed` the alarms
    assessed as false. `removed`: those of `unwanted` that the next step up would remove.
    `uncertain`: detections in the other hours of `listened_h` that may be unwanted too: a node is
    not called quiet because its noisy hours do not count.
    `base_x10` is the threshold to go back to when the tuning in force is over."""

    threshold_x10: int | None
    quiet_h: float
    unwanted: int
    assessed: int
    removed: int
    changed_us: int | None
    now_us: int
    base_x10: int | None = None
    uncertain: int = 0
    listened_h: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """`threshold_x10` is the present one where nothing is proposed."""

    action: Action
    threshold_x10: int | None
    why: str


def propose(of: Figures) -> Decision:
    """At most one step, within the bounds."""
    now = of.threshold_x10
    if now is None:
        return Decision(Action.NONE, None, "the node has not stated its settings")
    if of.base_x10 is not None and of.base_x10 != now:
        return Decision(Action.RETURN, of.base_x10, "the tuning is over: review it")
    if why := _too_little(of):
        return Decision(Action.NONE, now, why)
    found = rate(of.unwanted, of.quiet_h / 24)
    shown = f"{found.value:.1f} unwanted detections per day ({found.low:.1f} to {found.high:.1f})"
    if not bounds.LOW_X10 <= now <= bounds.HIGH_X10:
        span = f"{bounds.LOW_X10} to {bounds.HIGH_X10}"
        return Decision(Action.NONE, now, f"{now} was set by hand, out of the bounds {span}")
    if now < 0 and found.low > bounds.LOWER_BELOW_PER_DAY:
        # More sensitive than the model: that was right only while the ground is quiet.
        goal = f"certainly above {bounds.LOWER_BELOW_PER_DAY:g}"
        return Decision(Action.RAISE, now + bounds.STEP_X10, f"{shown}, {goal}")
    if found.low > bounds.RAISE_ABOVE_PER_DAY:
        return _raised(of, now, shown)
    if found.high < bounds.LOWER_BELOW_PER_DAY:
        return _lowered(of, now, shown)
    return Decision(Action.NONE, now, shown)


def _too_little(of: Figures) -> str:
    if of.changed_us is not None:
        days = (of.now_us - of.changed_us) / bounds.DAY_US
        if days < bounds.MIN_DAYS_BETWEEN:
            least = bounds.MIN_DAYS_BETWEEN
            return f"changed {max(0.0, days):.1f} days ago: one step in {least} days"
    if of.quiet_h < bounds.MIN_QUIET_H:
        return f"too little quiet ({of.quiet_h:.0f} of {bounds.MIN_QUIET_H:.0f} hours)"
    return ""


def _lowered(of: Figures, now: int, shown: str) -> Decision:
    worst = rate(of.unwanted + of.uncertain, max(of.quiet_h, of.listened_h) / 24)
    if worst.high >= bounds.LOWER_BELOW_PER_DAY:
        why = f"{of.uncertain} detections in hours that do not count may be unwanted too"
        return Decision(Action.NONE, now, f"{shown}; {why}")
    if now == bounds.LOW_X10:
        return Decision(Action.NONE, now, f"{shown}; {now} is the lower bound")
    lower = max(bounds.LOW_X10, now - bounds.STEP_X10)
    goal = f"certainly below {bounds.LOWER_BELOW_PER_DAY:g}"
    return Decision(Action.LOWER, lower, f"{shown}, {goal}")


def _raised(of: Figures, now: int, shown: str) -> Decision:
    why = ""
    if now == bounds.HIGH_X10:
        why = f"{now} is the upper bound: find the cause, or move the node"
    elif of.assessed < bounds.MIN_ASSESSED:
        least = bounds.MIN_ASSESSED
        why = f"{of.assessed} alarms of it assessed as false, {least} are needed: assess its alarms"
    elif not of.removed:
        why = "a step up would remove none of them: find the cause, or move the node"
    if why:
        return Decision(Action.NONE, now, f"{shown}; {why}")
    higher = min(bounds.HIGH_X10, now + bounds.STEP_X10)
    goal = f"certainly above {bounds.RAISE_ABOVE_PER_DAY:g}"
    return Decision(Action.RAISE, higher, f"{shown}, {goal}")
