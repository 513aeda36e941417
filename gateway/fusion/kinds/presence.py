# SPDX-License-Identifier: MIT
"""Fusion: presences: a PIR of another system saw movement, which counts like a node's own PIR."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import replace

from gateway.fusion.estimate.measurements import Rows
from gateway.fusion.estimate.modes import Path
from gateway.fusion.evidence.signs import Sign
from gateway.fusion.gating import MAX_PLACE_M, agree, predicted
from gateway.fusion.kinds.kind import Context, Kind
from gateway.fusion.state import FusionState
from gateway.model.event import Activity, Event
from gateway.model.observation import Presence
from gateway.model.target import TargetClass

_VIEW_S = 5.0  # a PIR holds its output: the movement was within this before


class PresenceKind(Kind[Presence]):
    """Movement in a field of view. It has no place of its own, so it opens no event; the state
    keeps it for the events of the next seconds."""

    observation = Presence
    recalled = True

    def accepts(self, context: Context, given: Presence) -> bool:
        return (
            given.at_us <= context.now_us + context.rules.max_ahead_us
            and math.hypot(given.x_m, given.y_m) <= MAX_PLACE_M
            and 0 < given.range_m <= MAX_PLACE_M
        )

    def note(self, context: Context, given: Presence) -> FusionState:
        oldest_us = context.now_us - 2 * context.rules.presence_us
        recent = [one for one in context.state.presences if one.at_us >= oldest_us]
        kept = _by_time((*recent, given), context.rules.max_recent)
        return replace(context.state, presences=kept)

    def recall(self, event: Event, context: Context) -> Event:
        fitting = [one for one in context.state.presences if _fits(event, one, context)]
        kept = _by_time((*event.presences, *fitting), context.rules.max_presences)
        return event if kept == event.presences else replace(event, presences=kept)

    def combine(self, event: Event, other: Event, context: Context) -> Event:
        kept = _by_time((*event.presences, *other.presences), context.rules.max_presences)
        return replace(event, presences=kept)

    def rows(self, event: Event, context: Context, busy: Collection[str], at_us: int) -> Rows:
        """Like a node's PIR movements: it was within the sensor's range."""
        views, places = [], []
        for number, one in enumerate(event.presences):
            name = f"presence {number} {one.source}"  # no node has a space in its name
            until_s = (one.at_us - at_us) / 1e6
            views.append((name, until_s - _VIEW_S, until_s, one.range_m))
            places.append((name, one.x_m, one.y_m))
        return Rows(views=tuple(views), places=tuple(places))

    def signs(
        self, event: Event, context: Context, target: TargetClass, path: Path | None
    ) -> Iterable[Sign]:
        rules = context.rules
        sure = [
            one
            for one in event.activities
            if one.confidence >= rules.pir_confidence
            and one.target is not TargetClass.UNKNOWN
            and agree(one.target, target)
        ]
        if any(one.pir_count for one in sure):
            return  # a node's own PIR is the same sign
        for one in event.presences:
            if any(_in_time(activity, one, rules.presence_us) for activity in sure):
                yield Sign("pir", 1.0, f"{one.source}: saw movement where nodes detected it")
                return


def _by_time(presences: tuple[Presence, ...], most: int) -> tuple[Presence, ...]:
    def key(one: Presence) -> tuple[int, str, float, float]:
        return one.at_us, one.source, one.x_m, one.y_m

    return tuple(sorted(set(presences), key=key)[-most:])


def _in_time(activity: Activity, given: Presence, slack_us: int) -> bool:
    return activity.onset_us - slack_us <= given.at_us <= activity.report_us + slack_us


def _fits(event: Event, given: Presence, context: Context) -> bool:
    """Near in time, and the place of the event may be in the field of view."""
    slack_us = context.rules.presence_us
    if not event.first_us - slack_us <= given.at_us <= event.last_us + slack_us:
        return False
    place = predicted(event, given.at_us)
    apart_m = math.hypot(place.x_m - given.x_m, place.y_m - given.y_m)
    return apart_m <= given.range_m + event.error_m
