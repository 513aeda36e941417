# SPDX-License-Identifier: MIT
"""Workbench: the power that a node draws from its battery in a mode, by row, with its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tools.power.facts import Board, Figure, boards, parts, regulators

Mode = Literal["continuous", "sentinel"]
Radio = Literal["always", "burst"]
Sleep = Literal["light", "deep"]

_DAY_S = 86_400.0
_RAIL_V = 3.3
# Of one message and its receipts on the air, retries included: assumed.
_SEND_S = 0.005
# Heartbeats: 60 s unless configured (firmware/ugs/remote/settings.py); in radio burst one in half
# an hour, so that a silent node counts as missed after an hour and a half; of a sentinel one
# an hour.
_HEARTBEAT_S = {"always": 60.0, "burst": 1_800.0}
_SENTINEL_HEARTBEAT_S = 3_600.0


@dataclass(frozen=True)
class Use:
    """What a node does in a day. Durations in s; None takes the board's or the mode's own."""

    mode: Mode = "continuous"
    radio: Radio = "always"
    messages_per_day: float = 24.0  # beside heartbeats; with radio burst each turns it on
    wakes_per_day: float = 24.0  # sentinel: false ones included
    awake_s: float = 30.0  # sentinel: after a wake-up, until it sleeps again
    heartbeat_s: float | None = None
    burst_s: float | None = None
    sleep: Sleep = "light"  # of a sentinel; deep sleep ends in a start and is here to compare

    @property
    def heartbeats_per_day(self) -> float:
        """How often a heartbeat is sent."""
        usual = _SENTINEL_HEARTBEAT_S if self.mode == "sentinel" else _HEARTBEAT_S[self.radio]
        return _DAY_S / (self.heartbeat_s or usual)


@dataclass(frozen=True)
class Row:
    """One share of the budget: mean power from the battery in mW."""

    title: str
    mw: float
    kind: str
    source: str


@dataclass(frozen=True)
class Budget:
    """All rows of one board in one use."""

    board: str
    use: Use
    rows: tuple[Row, ...]

    @property
    def mw(self) -> float:
        """Mean power from the battery."""
        return sum(row.mw for row in self.rows)

    @property
    def wh_per_day(self) -> float:
        """Energy from the battery in a day."""
        return self.mw * 24 / 1000


def budget(name: str, use: Use) -> Budget:
    """The budget of a board that is in the table (KeyError when it is not; ValueError for a
    sentinel on a board that no pin wakes)."""
    board = boards()[name]
    spent = _sentinel(board, use) if use.mode == "sentinel" else _continuous(board, use)
    resting = _parts(board, board.resting, 1.0)
    return Budget(name, use, (*spent, *resting, *_converter(board)))


def sentinels() -> tuple[str, ...]:
    """The boards that a pin can wake."""
    return tuple(name for name, board in boards().items() if board.light_ma is not None)


def _continuous(board: Board, use: Use) -> list[Row]:
    rows = _parts(board, (*board.sampling, *board.awake), 1.0)
    if use.radio == "always":
        messages = use.messages_per_day + use.heartbeats_per_day
        return [
            _row(board, "processor and radio, connected and waiting", board.always_ma, 1.0),
            _row(board, "sending", board.send_ma, messages * _SEND_S / _DAY_S),
            *rows,
        ]
    bursts = use.messages_per_day + use.heartbeats_per_day
    share = min(1.0, bursts * (use.burst_s or board.burst_s.value) / _DAY_S)
    return [
        _row(board, "processor, radio off", board.run_ma, 1.0 - share),
        _row(board, f"{bursts:.0f} radio bursts a day", board.burst_ma, share),
        *rows,
    ]


def _sentinel(board: Board, use: Use) -> list[Row]:
    if board.light_ma is None or board.deep_ma is None or board.boot_s is None:
        raise ValueError(f"no pin wakes a {board.title}")
    figure, awake_s = board.light_ma, use.wakes_per_day * use.awake_s
    title = f"awake, {use.wakes_per_day:.0f} wake-ups a day"
    if use.sleep == "deep":
        # A heartbeat needs the firmware too: the board starts for it as for a wake-up.
        starts = use.wakes_per_day + use.heartbeats_per_day
        figure, awake_s = board.deep_ma, awake_s + starts * board.boot_s.value
        title = f"awake, {starts:.0f} starts a day"
    bursts = use.messages_per_day + use.heartbeats_per_day
    radio = min(1.0, bursts * (use.burst_s or board.burst_s.value) / _DAY_S)
    awake = min(1.0 - radio, awake_s / _DAY_S)
    asleep = 1.0 - awake - radio
    return [
        _row(board, f"asleep, {use.sleep} sleep", figure, asleep),
        _row(board, title, board.run_ma, awake),
        _row(board, f"{bursts:.0f} radio bursts a day", board.burst_ma, radio),
        *_parts(board, (*board.sampling, *board.awake), awake + radio),
        *_parts(board, board.asleep, asleep),
        *_parts(board, board.sentinel, 1.0),
    ]


def _row(board: Board, title: str, figure: Figure, share: float) -> Row:
    efficiency = 1.0 if board.at_input else _efficiency(board)
    text = f"{figure.value:g} mA at {board.supply_v:g} V for {share:.2%} of the time: "
    mw = figure.value * board.supply_v * share / efficiency
    return Row(title, mw, figure.kind, text + figure.source)


def _parts(board: Board, names: tuple[str, ...], share: float) -> list[Row]:
    rows = []
    for name in names:
        part = parts()[name]
        mw = part.ua.value * _RAIL_V * share / 1000 / _efficiency(board)
        rows.append(Row(part.title, mw, part.ua.kind, f"{part.ua.value:g} uA: {part.ua.source}"))
    return rows


def _converter(board: Board) -> list[Row]:
    if board.at_input:
        return []
    figure = regulators()[board.regulator].quiescent_ua
    title = f"{board.regulator.upper()} itself"
    return [Row(title, figure.value * _RAIL_V / 1000, figure.kind, figure.source)]


def _efficiency(board: Board) -> float:
    return regulators()[board.regulator].efficiency.value
