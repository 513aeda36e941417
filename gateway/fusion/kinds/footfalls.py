# SPDX-License-Identifier: MIT
"""Fusion: arrival times of footfalls: they belong to an activity and narrow its event's place."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from gateway.fusion.estimate.arrivals import arrivals
from gateway.fusion.estimate.measurements import Rows
from gateway.fusion.estimate.modes import Path
from gateway.fusion.evidence.signs import Sign
from gateway.fusion.kinds.kind import Context, Kind
from gateway.fusion.state import FusionState
from gateway.model.event import Event
from gateway.model.footfalls import Footfalls
from gateway.model.target import TargetClass


class FootfallsKind(Kind[Footfalls]):
    """They change no event by themselves: the next evaluation uses them. Those of an activity that
    no open event has are dropped: no place is estimated of it."""

    observation = Footfalls

    def note(self, context: Context, given: Footfalls) -> FusionState:
        state = context.state
        for event in state.events:
            for activity in event.activities:
                if activity.id == given.activity:
                    both = tuple(sorted({*activity.footfalls, *given.footfalls}))
                    new = replace(activity, footfalls=both[-context.rules.max_footfalls :])
                    activities = tuple(new if one is activity else one for one in event.activities)
                    return state.with_event(replace(event, activities=activities))
        return state

    def rows(self, event: Event, context: Context, busy: Collection[str], at_us: int) -> Rows:
        return Rows(arrivals=arrivals(context.site, event.activities, at_us))

    def signs(
        self, event: Event, context: Context, target: TargetClass, path: Path | None
    ) -> Iterable[Sign]:
        """A reason without a weight: it states how the place was found."""
        if path is not None and path.by_arrivals:
            yield Sign("located", 0.0, "located by footstep arrival times")
