# SPDX-License-Identifier: MIT
"""Fusion: which open event an observation belongs to, if any."""

from __future__ import annotations

from typing import Any, NamedTuple

from gateway.fusion.kinds.kind import Context, Kind
from gateway.model.event import Event


class Candidates(NamedTuple):
    """The event to which an observation must belong; else all events whose time, class and
    distances fit it."""

    certain: Event | None
    possible: tuple[Event, ...] = ()


def candidates(kind: Kind[Any], context: Context, given: Any) -> Candidates:
    """Of the open events."""
    from_us, until_us = kind.span(given)
    starts_us = until_us + context.rules.silence_us
    ends_us = from_us - context.rules.silence_us
    # Most open events of a backlog are of another time. To stop here keeps the work linear.
    about = [e for e in context.state.events if e.first_us <= starts_us and e.last_us >= ends_us]
    for event in about:
        if kind.is_same(event, context, given):
            return Candidates(event)
    return Candidates(None, tuple(event for event in about if kind.gate(event, context, given)))


def best(found: Candidates, kind: Kind[Any], context: Context, given: Any) -> Event | None:
    """The event to which it must belong; else the one that explains it best."""
    if found.certain is not None:
        return found.certain
    costs = [
        (cost, index)
        for index, event in enumerate(found.possible)
        if (cost := kind.cost(event, context, given)) is not None
    ]
    return found.possible[min(costs)[1]] if costs else None
