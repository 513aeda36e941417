# SPDX-License-Identifier: MIT
"""The window: from a posted body to what an operator does. Minutes come in, times are ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.alarms.rules import AHEAD_MOST_US, ORDER_MOST_US, WALK_MOST_US, AlarmRules
from gateway.console.body import Body
from gateway.model.acts import (
    Acknowledge,
    Act,
    AnnounceWalk,
    LiftMask,
    ResumeSchedule,
    SetArming,
    SetMask,
    WithdrawWalk,
)
from gateway.model.alarm import Disposition
from gateway.model.orders import Purpose

NOTE_MOST = 200
_WHO_MOST = 60
_CROSSINGS_MOST = 100
_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Given:
    """What an act is read with: the id of the path, the body, who signed on, the time, the site."""

    id: str
    body: Body
    by: str
    now_us: int
    rules: AlarmRules

    def number(self) -> int:
        if not (self.id.isascii() and self.id.isdigit() and len(self.id) < 16):
            raise ValueError("the number in the address is not a number")
        return int(self.id)

    def sector(self) -> str:
        if self.id not in self.rules.nodes_of:
            raise ValueError(f"{self.id[:32]!r} is not a sector of this site")
        return self.id

    def until_us(self, most_us: int) -> int:
        minutes = self.body.integer("minutes", 1, most_us // _MINUTE_US)
        return self.now_us + minutes * _MINUTE_US

    def reason(self) -> str:
        return self.body.text("reason", NOTE_MOST)


def _acknowledge(given: Given) -> Act:
    words = [disposition.value for disposition in Disposition]
    word = given.body.choice("disposition", words)
    note = given.body.text("note", NOTE_MOST, least=0)
    return Acknowledge(given.number(), given.by, Disposition(word) if word else None, note)


def _set_mask(given: Given) -> Act:
    sectors = given.body.names("sectors", set(given.rules.nodes_of))
    nodes = given.body.names("nodes", set(given.rules.sector_of))
    if not sectors and not nodes:
        raise ValueError("name at least one sector or node to mask")
    return SetMask(given.by, given.reason(), given.until_us(ORDER_MOST_US), sectors, nodes)


def read_announcement(given: Given) -> AnnounceWalk:
    """An announced walk, all but that nothing is left over in the body."""
    sectors = given.body.names("sectors", set(given.rules.nodes_of))
    if not sectors:
        raise ValueError("name at least one sector")
    words = [purpose.value for purpose in Purpose]
    purpose = given.body.choice("purpose", words) or Purpose.PATROL.value
    ahead = given.body.integer("starts_in_minutes", 0, AHEAD_MOST_US // _MINUTE_US, 0)
    minutes = given.body.integer("minutes", 1, WALK_MOST_US // _MINUTE_US)
    from_us = given.now_us + ahead * _MINUTE_US
    return AnnounceWalk(
        by=given.by,
        who=given.body.text("who", _WHO_MOST),
        from_us=from_us,
        until_us=from_us + minutes * _MINUTE_US,
        sectors=sectors,
        purpose=Purpose(purpose),
        crossings=given.body.integer("crossings", 1, _CROSSINGS_MOST, 1),
    )


def _set_arming(given: Given) -> Act:
    armed = given.body.boolean("armed")
    until_us = given.until_us(ORDER_MOST_US)
    return SetArming(given.by, given.sector(), armed, given.reason(), until_us)


# (address, how its body is read)
ACTS: tuple[tuple[str, Callable[[Given], Act]], ...] = (
    ("/api/alarms/{id}/acknowledge", _acknowledge),
    ("/api/masks", _set_mask),
    ("/api/masks/{id}/lift", lambda g: LiftMask(g.number(), g.by, g.reason())),
    ("/api/walks", read_announcement),
    ("/api/walks/{id}/withdraw", lambda g: WithdrawWalk(g.number(), g.by, g.reason())),
    ("/api/sectors/{id}/arming", _set_arming),
    ("/api/sectors/{id}/resume", lambda g: ResumeSchedule(g.by, g.sector(), g.reason())),
)


def read_act(read: Callable[[Given], Act], given: Given) -> Act:
    """The act. Raises ValueError with one line for the operator."""
    act = read(given)
    given.body.done()
    return act
