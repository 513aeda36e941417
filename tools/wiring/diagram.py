# SPDX-License-Identifier: MIT
"""The wiring of a board, drawn: each part a box, each wire one line to its pin."""

from __future__ import annotations

import textwrap

from tools.wiring.rows import Group, Wired
from tools.wiring.svg import box, drawing, text, wire

_WIDTH = 940
_PART_X, _PART_WIDTH = 24, 440
_BOARD_X, _BOARD_WIDTH = 640, 276
_ROW, _GAP, _TOP = 26, 22, 64
_WRAPPED = 58


def draw_board(board: Wired, geophone: str | None) -> str:
    """SVG. `geophone` is the wiring of a coil that hangs on the first part without an amplifier."""
    y = float(_TOP)
    parts = []
    if geophone is not None:
        drawn, y = _geophone(geophone, y)
        parts += drawn
    first = y
    for group in board.family.group:
        drawn, y = _group(board, group, y)
        parts += drawn
    height = y - _GAP - first
    frame = [
        text(_PART_X, 30, f"{board.row.title}: wiring", "h"),
        box(_BOARD_X, first - 8, _BOARD_WIDTH, height + 16, "b"),
        text(_BOARD_X, first - 32, board.row.title, "h"),
        text(_BOARD_X, first - 15, board.row.part, "t"),
    ]
    bottom = y + 6
    notes = textwrap.wrap(board.row.note, 120)
    tail = [text(_PART_X, bottom + 18 * at, line) for at, line in enumerate(notes)]
    label = f"Wiring of the {board.row.title}; the page's table lists the same wires"
    return drawing(_WIDTH, int(bottom + 18 * len(notes)), label, [*frame, *parts, *tail])


def _group(board: Wired, group: Group, top: float) -> tuple[list[str], float]:
    wires = board.wires(group)
    words = [group.part, *group.lines]
    height = max(_ROW * len(wires), 22 + 17 * len(words)) + 12
    parts = [
        box(_PART_X, top, _PART_WIDTH, height),
        text(_PART_X + 12, top + 22, group.title, "h"),
        *(text(_PART_X + 12, top + 42 + 17 * at, line) for at, line in enumerate(words)),
    ]
    for at, one in enumerate(wires):
        y = top + 6 + _ROW * (at + 0.5)
        parts += [
            text(_PART_X + _PART_WIDTH - 10, y + 4, one.end, "s e"),
            wire((_PART_X + _PART_WIDTH, y), (_BOARD_X, y)),
            text(_BOARD_X + 10, y + 4, one.pin, "s"),
        ]
    return parts, top + height + _GAP


def _geophone(wiring: str, top: float) -> tuple[list[str], float]:
    lines = textwrap.wrap(wiring, _WRAPPED)
    height = 34 + 17 * len(lines)
    below = top + height + _GAP + 8
    return [
        box(_PART_X, top, _PART_WIDTH, height),
        text(_PART_X + 12, top + 22, "geophone, beside the converter", "h"),
        *(text(_PART_X + 12, top + 42 + 17 * at, line) for at, line in enumerate(lines)),
        wire((_PART_X + 120, top + height), (_PART_X + 120, below)),
        wire((_PART_X + 220, top + height), (_PART_X + 220, below)),
        text(_PART_X + 128, below - 10, "AIN0", "s"),
        text(_PART_X + 228, below - 10, "AIN1", "s"),
    ], below
