# SPDX-License-Identifier: MIT
"""Intake: numbers of starts. Messages carry 16 bits of it, the boot number; it starts again at 1
with the next turn, which the hello names. Inside the gateway `boot` is the whole number, turn and
boot number, so that it only rises (docs/wire.md section 3)."""

from __future__ import annotations

HALF = 0x8000  # no record lives longer than half a turn
_LOW = 0xFFFF


def on_wire(boot: int) -> int:
    """The boot number that messages carry."""
    return boot & _LOW


def of_turn(turn: int, number: int) -> int:
    """The whole number of a start."""
    return turn << 16 | number


def latest(newest: int, number: int) -> int:
    """The whole number of the start that a message belongs to, when the newest start known is
    `newest`: of the same turn or, more than half a turn ahead of it, of the turn before."""
    turn = newest >> 16
    if turn and number - on_wire(newest) >= HALF:
        turn -= 1
    return of_turn(turn, number)


def is_next_turn(newest: int, number: int) -> bool:
    """Whether it is more than half a turn behind: of a turn whose hello has not arrived yet."""
    return on_wire(newest) - number >= HALF
