# SPDX-License-Identifier: MIT
"""The map table: one detection at a time joins an open event or begins one; silence closes events.

Pure: association goes by the time things happened, closing by the time their reports came.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gateway.fusion.associate import home
from gateway.fusion.cause import busy_elsewhere, known_already
from gateway.fusion.ears import Ears, listened
from gateway.fusion.grow import grown, merged
from gateway.fusion.rules import Rules
from gateway.model.detection import Detection
from gateway.model.event import Event
from gateway.model.footfalls import Footfalls
from gateway.model.observation import NoiseFloor
from gateway.model.site import Site
from gateway.model.target import Phase

HANDLED = (Detection, Footfalls, NoiseFloor)


@dataclass(frozen=True, slots=True)
class FusionState:
    """Open events in order of their beginning, the number of the last one, and what each node's
    heartbeat said last."""

    events: tuple[Event, ...] = ()
    last_number: int = 0
    ears: Ears = field(default_factory=Ears)


def step(
    state: FusionState,
    site: Site,
    rules: Rules,
    now_us: int,
    given: Detection | NoiseFloor | Footfalls | None,
) -> tuple[FusionState, tuple[Event, ...]]:
    """(new state, events that changed, oldest first). Footfalls change no event: the next detection
    of it makes use of them."""
    if isinstance(given, NoiseFloor):
        ears = listened(state.ears, given) if given.node in site.nodes else state.ears
        return (state if ears is state.ears else replace(state, ears=ears)), ()
    if isinstance(given, Footfalls):
        return _struck(state, rules, given), ()
    state, changed = _close_silent(state, rules, now_us)
    if given is None or given.node not in site.nodes:
        return state, changed
    event = home(state.events, site, state.ears, rules, given)
    if event is None and given.phase is Phase.END and given.confidence == 0:
        return state, changed
    number = state.last_number + (event is None)
    activities = merged(event.activities if event else (), given, rules.sounds_most)
    busy = busy_elsewhere(state.events, event.id if event else "")
    name = event.id if event else f"e{number}"
    new = grown(event, name, site, state.ears, rules, now_us, activities, busy)
    if given.phase is not Phase.ONSET:
        late_us = given.arrival_us - given.report_us
        new = replace(new, late_us=max(new.late_us, min(late_us, rules.late_most_us)))
    state = replace(state, events=_with(state.events, new), last_number=number)
    if new.confirmed and not (event and event.confirmed):
        state, joined = _joined(state, site, rules, now_us, new)
    else:
        joined = (new,)
    state, shed = _shed(state, rules)
    return state, (*changed, *joined, *shed)


def _struck(state: FusionState, rules: Rules, given: Footfalls) -> FusionState:
    """Of an event that is over, or not known yet, nobody asks where it is."""
    for event in state.events:
        for activity in event.activities:
            if activity.id == given.activity:
                heard = tuple(sorted({*activity.strikes, *given.heard}))[-rules.strikes_most :]
                new = replace(activity, strikes=heard)
                activities = tuple(new if one is activity else one for one in event.activities)
                return replace(
                    state, events=_with(state.events, replace(event, activities=activities))
                )
    return state


def _with(events: tuple[Event, ...], new: Event) -> tuple[Event, ...]:
    if any(event.id == new.id for event in events):
        return tuple(new if event.id == new.id else event for event in events)
    return (*events, new)


def _joined(
    state: FusionState, site: Site, rules: Rules, now_us: int, new: Event
) -> tuple[FusionState, tuple[Event, ...]]:
    """The events changed: the new one, or the one it is part of and its own end, untold."""
    known = known_already(new, state.events, site, state.ears, rules)
    if known is None:
        return state, (new,)
    events = tuple(event for event in state.events if event.id != new.id)
    activities = tuple(
        sorted((*known.activities, *new.activities), key=lambda one: (one.onset_us, one.id))
    )
    busy = busy_elsewhere(events, known.id)
    both = grown(known, known.id, site, state.ears, rules, now_us, activities, busy)
    over = replace(new, confirmed=False, closed=True)
    return replace(state, events=_with(events, both)), (both, over)


def _close_silent(
    state: FusionState, rules: Rules, now_us: int
) -> tuple[FusionState, tuple[Event, ...]]:
    over = tuple(replace(e, closed=True) for e in state.events if _silent(e, rules, now_us))
    if not over:
        return state, ()
    gone = {event.id for event in over}
    return replace(state, events=tuple(e for e in state.events if e.id not in gone)), over


def _silent(event: Event, rules: Rules, now_us: int) -> bool:
    quiet_us = now_us - event.touched_us
    if event.last_us - event.first_us > rules.longest_us:
        return True
    if len(event.activities) >= rules.activities_most:
        return True
    running = any(activity.phase is not Phase.END for activity in event.activities)
    # Touched in the future: the gateway's clock was set back, and the event would never end.
    # Over a bad link the last word is not the last to come: what comes late shall find its event.
    wait_us = rules.stale_us if running else rules.ended_us + 2 * event.late_us
    return quiet_us > wait_us or -quiet_us > rules.stale_us


def _shed(state: FusionState, rules: Rules) -> tuple[FusionState, tuple[Event, ...]]:
    extra = len(state.events) - rules.open_most
    if extra <= 0:
        return state, ()
    shed = tuple(replace(event, closed=True) for event in state.events[:extra])
    return replace(state, events=state.events[extra:]), shed
