# SPDX-License-Identifier: MIT
"""Record: one session at one node: it reads lines and keys until its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tools.errors import UserError
from tools.record.assemble import Signal, StreamError
from tools.record.keyboard import Keyboard
from tools.record.marks import QUIT, Mark, Marker, moved
from tools.record.source import Source
from tools.record.stream import Edge, End, Facts, Samples, parse

# The record with the least delay gives the best estimate of the offset between the two clocks.
_NO_DELAY = float("inf")


@dataclass
class Session:
    """The result; `ended` is the cause of its end: "asked", "time", or what broke it off."""

    signal: Signal = field(default_factory=Signal)
    facts: Facts | None = None
    marks: list[Mark] = field(default_factory=list)
    damaged: int = 0
    ended: str = "asked"
    t0_utc_s: float = 0.0
    _offset_s: float = _NO_DELAY  # of this machine's monotonic clock over the node's uptime
    _first_ms: int | None = None

    @property
    def seconds(self) -> float:
        """How much has been recorded."""
        return self.signal.size / self.facts.fs_hz if self.facts else 0.0

    def take(self, line: str, at_s: float, node: str) -> bool:
        """Process one line of the node; False when the node ends the stream. Raises UserError,
        StreamError."""
        try:
            record = parse(line)
        except ValueError:
            self.damaged += 1
            return True
        if isinstance(record, Facts):
            if record.node != node:
                raise UserError(f"the node at this port is {record.node}, not {node}")
            if self.facts is not None and record != self.facts:
                raise StreamError("the node started again")
            self.facts = record
        elif isinstance(record, Samples):
            self._note_time(record, at_s)
            self.signal.add(record)
        elif isinstance(record, Edge):
            self.signal.add_edge(record)
        elif isinstance(record, End):
            self.ended = record.cause
            return False
        return True

    def place_marks(self, marks: list[Mark]) -> None:
        """Marks at times of this machine's monotonic clock get times of the take."""
        assert self.facts is not None
        fs_hz = self.facts.fs_hz
        for mark in marks:
            uptime_ms = 1000 * (mark.t_s - self._offset_s)
            self.marks.append(moved(mark, self.signal.sample_at(uptime_ms) / fs_hz))

    def _note_time(self, record: Samples, at_s: float) -> None:
        fs_hz = self.facts.fs_hz if self.facts else 250
        newest_s = record.t_ms / 1000 + (record.counts.size - 1) / fs_hz
        self._offset_s = min(self._offset_s, at_s - newest_s)
        if self._first_ms is None:
            self._first_ms = record.t_ms
        wall_s = time.time() - time.monotonic()
        self.t0_utc_s = wall_s + self._offset_s + self._first_ms / 1000


def run(
    source: Source,
    node: str,
    marker: Marker,
    keyboard: Keyboard,
    seconds: float | None,
    show: Callable[[Session, str], None],
) -> Session:
    """Record until the time is over, `q` or Ctrl-C is pressed, or the node or the cable ends it.

    Raises UserError when no samples come.
    """
    session = Session()
    try:
        _run(session, source, node, marker, keyboard, seconds, show)
    except KeyboardInterrupt:
        session.ended = "asked"
    except StreamError as error:
        session.ended = str(error)
    if session.facts is None or session.seconds < 1:
        raise UserError(
            f"no second of samples came from {node} on {source.port}; "
            f"{source.ended or session.ended}; groundwatch node monitor shows what the node prints"
        )
    session.place_marks(list(marker.pressed()))
    return session


def _run(
    session: Session,
    source: Source,
    node: str,
    marker: Marker,
    keyboard: Keyboard,
    seconds: float | None,
    show: Callable[[Session, str], None],
) -> None:
    for line in source.lines():
        if line is not None and not session.take(line.text, line.at_s, node):
            return
        for key, at_s in keyboard.pressed():
            if session.signal.size or key == QUIT:
                show(session, marker.press(key, at_s))
            else:
                show(session, "no samples yet")
        if line is None:
            show(session, "")
        if marker.is_over:
            return
        if seconds is not None and session.seconds >= seconds:
            session.ended = "time"
            return
    session.ended = source.ended
