# SPDX-License-Identifier: MIT
"""Fusion: which open event an observation belongs to, if any."""

from __future__ import annotations

from typing import Any

from gateway.fusion.kinds.kind import Context, Kind
from gateway.model.event import Event


def candidates(kind: Kind[Any], context: Context, given: Any) -> tuple[Event, ...]:
    """Events whose time, class and distances fit, or the one that it certainly belongs to."""
    from_us, until_us = kind.span(given)
    starts_us = until_us + context.rules.silence_us
    ends_us = from_us - context.rules.silence_us
    # Most open events of a backlog are of another time: looking no further keeps it linear.
    about = [e for e in context.state.events if e.first_us <= starts_us and e.last_us >= ends_us]
    for event in about:
        if kind.is_same(event, context, given):
            return (event,)
    return tuple(event for event in about if kind.gate(event, context, given))


def associate(kind: Kind[Any], context: Context, given: Any) -> Event | None:
    """The event that it certainly belongs to; else of those that may be its cause the best."""
    found = candidates(kind, context, given)
    if found and kind.is_same(found[0], context, given):
        return found[0]
    costs = [
        (cost, index)
        for index, event in enumerate(found)
        if (cost := kind.cost(event, context, given)) is not None
    ]
    return found[min(costs)[1]] if costs else None
