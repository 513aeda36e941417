# SPDX-License-Identifier: MIT
"""Fusion: contacts: authorised persons mark the events they may cause; they hide none."""

from __future__ import annotations

from dataclasses import replace

from gateway.fusion.gating import GATE_95, is_position, predicted
from gateway.fusion.kinds.kind import Context, Kind
from gateway.fusion.state import FusionState
from gateway.model.event import Event
from gateway.model.observation import Contact, Covariance

_WALK_M_S = 1.5  # how fast authorised persons leave their last position
_MAX_NAMED = 3


class ContactKind(Kind[Contact]):
    """The newest position of each call sign. It adds nothing to the estimator and no evidence: an
    intruder beside a patrol is an intruder."""

    observation = Contact
    recalled = True
    evaluates = False

    def accepts(self, context: Context, given: Contact) -> bool:
        return given.at_us <= context.now_us + context.rules.max_ahead_us and is_position(
            given.x_m, given.y_m, given.covariance
        )

    def note(self, context: Context, given: Contact) -> FusionState:
        newest = {(one.source, one.call_sign): one for one in context.state.contacts}
        key = (given.source, given.call_sign)
        if key in newest and newest[key].at_us > given.at_us:
            return context.state
        newest[key] = given
        oldest_us = context.now_us - context.rules.contact_us
        kept = sorted(
            (one for one in newest.values() if one.at_us >= oldest_us),
            key=lambda one: (one.at_us, one.source, one.call_sign),
        )
        return replace(context.state, contacts=tuple(kept[-context.rules.max_recent :]))

    def recall(self, event: Event, context: Context) -> Event:
        """Marked while authorised persons are there; the mark ends when they are elsewhere."""
        near = tuple(one for one in context.state.contacts if _fits(event, one, context))
        near = near[-context.rules.max_contacts :]
        own = ", ".join(sorted({f"{one.call_sign} ({one.source})" for one in near})[:_MAX_NAMED])
        if near == event.contacts and own == event.own:
            return event
        return replace(event, contacts=near, own=own)


def _fits(event: Event, given: Contact, context: Context) -> bool:
    gap_us = max(0, event.first_us - given.at_us, given.at_us - event.last_us)
    if gap_us > context.rules.contact_us:
        return False
    # Where the event was when the contact was reported, or the nearest time it is known for.
    at_us = min(max(given.at_us, event.first_us), event.last_us)
    walked_m = _WALK_M_S * abs(at_us - given.at_us) / 1e6
    error = given.covariance
    error = Covariance(error.xx_m2 + walked_m**2, error.yy_m2 + walked_m**2, error.xy_m2)
    return predicted(event, at_us).distance_sq(given.x_m, given.y_m, error) <= GATE_95
