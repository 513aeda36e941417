# SPDX-License-Identifier: MIT
"""Fusion: one observation at a time joins an open event or starts one; silence closes events.

Pure: association goes by the time of the observations, evaluation and closing by the arrival of
their reports. Merging is cheap; an event is evaluated (fit, evidence, reasons) at most once within
`Rules.evaluate_us`, else it is pending until the next tick. Two things do not wait: association
compares places, so what is pending near a new activity is evaluated before; and a node that is new
in an event which is not confirmed yet may confirm it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gateway.fusion.associate import best, candidates
from gateway.fusion.duplicates import combine, find_duplicate, is_only_plotted
from gateway.fusion.kinds.kind import Context, Kind
from gateway.fusion.kinds.registry import kind_of
from gateway.fusion.records import noted
from gateway.fusion.rules import Rules
from gateway.fusion.state import FusionState
from gateway.fusion.update import evaluate
from gateway.model.event import Event
from gateway.model.observation import Observation
from gateway.model.place.site import Site
from gateway.model.target import Phase, TargetClass

Changed = tuple[Event, ...]


def step(
    state: FusionState, site: Site, rules: Rules, now_us: int, given: Observation | None
) -> tuple[FusionState, Changed]:
    """(new state, events that changed, oldest change first); None: time passes."""
    context = Context(site, rules, state, now_us)
    if given is None:
        return _tick(context)
    kind = kind_of(given)
    if kind is None or not kind.accepts(context, given):
        return state, ()
    context = replace(context, state=kind.note(context, given))
    if kind.joins:
        return _join(kind, context, given)
    return _recall(kind, context) if kind.recalled else (context.state, ())


def _tick(context: Context) -> tuple[FusionState, Changed]:
    context, evaluated = _evaluate_all(
        context, [event.id for event in context.state.events if event.pending]
    )
    context, closed = _close_silent(context)
    return context.state, (*evaluated, *closed)


def _join(kind: Kind[Any], context: Context, given: Any) -> tuple[FusionState, Changed]:
    context, changed = _close_silent(context)
    found = candidates(kind, context, given)
    stale = [event.id for event in found.possible if event.pending]
    if kind.needs_place and stale:
        context, evaluated = _evaluate_all(context, stale)
        changed = (*changed, *evaluated)
        found = candidates(kind, context, given)
    before = best(found, kind, context, given)
    if before is None:
        if not kind.opens(context, given):
            return context.state, changed
        number = context.state.last_number + 1
        context = replace(context, state=replace(context.state, last_number=number))
        before = _blank(f"e{number}", kind, context, given)
    event = _merge(before, kind, context, given)
    context = replace(context, state=context.state.with_event(event))
    is_new = len(event.activities) > len(before.activities) and not event.confirmed
    if is_new or _is_due(event, context):
        context, evaluated = _evaluate(context, event)
        changed = (*changed, *evaluated)
    context, shed = _shed(context)
    return context.state, (*changed, *shed)


def _blank(event_id: str, kind: Kind[Any], context: Context, given: Any) -> Event:
    from_us, until_us = kind.span(given)
    x_m, y_m, error_m = kind.start(context, given)
    return Event(
        id=event_id,
        activities=(),
        sectors=(),
        target=TargetClass.UNKNOWN,
        confidence=0.0,
        first_us=from_us,
        last_us=until_us,
        touched_us=context.now_us,
        x_m=x_m,
        y_m=y_m,
        track=None,
        confirmed=False,
        closed=False,
        reasons=(),
        error_m=error_m,
    )


def _merge(event: Event, kind: Kind[Any], context: Context, given: Any) -> Event:
    from_us, until_us = kind.span(given)
    return replace(
        kind.merge(event, context, given),
        first_us=min(event.first_us, from_us),
        last_us=max(event.last_us, until_us),
        touched_us=max(event.touched_us, context.now_us),
        pending=True,
    )


def _is_due(event: Event, context: Context) -> bool:
    """Not evaluated lately. A clock that was set back makes it due: it would wait for long."""
    last_us = event.evaluated_us
    return last_us is None or not 0 <= context.now_us - last_us < context.rules.evaluate_us


def _recall(kind: Kind[Any], context: Context) -> tuple[FusionState, Changed]:
    """The observation is in the state: every open event that it fits has it now."""
    changed: Changed = ()
    for name in [event.id for event in context.state.events]:
        before = context.state.find(name)
        if before is None:
            continue  # an evaluation combined it with another one
        event = kind.recall(before, context)
        if event is before:
            continue
        if kind.evaluates:
            event = replace(event, pending=True)
        context = replace(context, state=context.state.with_event(event))
        if kind.evaluates and _is_due(event, context):
            context, evaluated = _evaluate(context, event)
            changed = (*changed, *evaluated)
        elif event.own != before.own:
            changed = (*changed, event)
    return context.state, changed


def _evaluate_all(context: Context, names: Sequence[str]) -> tuple[Context, Changed]:
    changed: Changed = ()
    for name in names:
        event = context.state.find(name)
        if event is not None and event.pending:
            context, evaluated = _evaluate(context, event)
            changed = (*changed, *evaluated)
    return context, changed


def _evaluate(context: Context, event: Event) -> tuple[Context, Changed]:
    """The event evaluated, in the state. When it is confirmed now, or only plotted, and another
    event has the same cause, that one takes it over: the changes are that one and this one's own
    end, unconfirmed."""
    new = evaluate(event, context)
    context = _with(context, new)
    if event.confirmed or not (new.confirmed or is_only_plotted(new)):
        return context, (new,)
    known = find_duplicate(new, context)
    if known is None:
        return context, (new,)
    context = replace(context, state=context.state.without_events(new.id))
    both = evaluate(combine(known, new, context), context)
    return _with(context, both), (both, replace(new, confirmed=False, closed=True))


def _with(context: Context, event: Event) -> Context:
    state = context.state.with_event(event)
    if event.problem:
        state = replace(state, failures=state.failures + 1)
    return replace(context, state=state)


def _close_silent(context: Context) -> tuple[Context, Changed]:
    """What is silent ends, after what is pending of it was evaluated: it may be an alarm yet."""
    pending = [e.id for e in context.state.events if e.pending and _is_silent(e, context)]
    context, changed = _evaluate_all(context, pending)
    over = [event for event in context.state.events if _is_silent(event, context)]
    if not over:
        return context, changed
    state = context.state.without_events(*(event.id for event in over))
    state = replace(state, records=noted(state.records, over))
    return replace(context, state=state), (*changed, *(replace(e, closed=True) for e in over))


def _is_silent(event: Event, context: Context) -> bool:
    rules, quiet_us = context.rules, context.now_us - event.touched_us
    if event.last_us - event.first_us > rules.longest_us:
        return True
    if len(event.activities) >= rules.max_activities:
        return True
    if 0 <= quiet_us <= min(rules.ended_us, rules.stale_us):
        return False  # most events of most steps
    running = any(activity.phase is not Phase.END for activity in event.activities)
    # Touched in the future: the gateway's clock was set back, and the event would never end.
    # Over a bad link the last report is not the last to come: a late one must find its event.
    wait_us = rules.stale_us if running else rules.ended_us + 2 * event.late_us
    if event.plots:
        wait_us = max(wait_us, rules.silence_us)  # a radar's turn takes seconds
    return quiet_us > wait_us or -quiet_us > rules.stale_us


def _shed(context: Context) -> tuple[Context, Changed]:
    """The oldest events over the bound, first those without any node: a source of false plots must
    not end what nodes detect."""
    extra = len(context.state.events) - context.rules.max_open
    if extra <= 0:
        return context, ()
    by_worth = sorted(context.state.events, key=lambda event: bool(event.activities))
    context, changed = _evaluate_all(context, [event.id for event in by_worth[:extra]])
    found = [context.state.find(event.id) for event in by_worth[:extra]]
    shed = [event for event in found if event is not None]
    state = context.state.without_events(*(event.id for event in shed))
    closed = tuple(replace(event, closed=True) for event in shed)
    return replace(context, state=state), (*changed, *closed)
