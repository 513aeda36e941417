# SPDX-License-Identifier: MIT
"""Record: a node that streams at the other end of a serial port, real, emulated or simulated."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import serial

from tools.errors import UserError
from tools.flash.repl import BAUD
from tools.monitor import Lines

_READ_S = 0.05
_ALIVE_EVERY_S = 1.0
_ALIVE = b"\0"  # nothing to a prompt, and the end of no frame on a wired node
_REOPEN_S = 0.2
# An emulated board on a busy machine takes minutes of the wall clock for its start. A node that has
# started streams within a second.
START_S = 900.0
_STARTED_S = 60.0
_SILENCE_S = 20.0


@dataclass(frozen=True)
class Line:
    """One line of the node, and when it came by this machine's monotonic clock."""

    text: str
    at_s: float


class Source:
    """`with Source(port) as source: for line in source.lines()`. It writes to the port each second,
    by which the node detects a host.

    Before the first record the port may disappear and come back, as it does while the board
    restarts. After that, `lines` ends when the port disappears or the node stops sending.
    """

    def __init__(self, port: str) -> None:
        self.port = port
        self.ended = ""  # why `lines` ended by itself
        self._line: serial.Serial | None = None
        self._lines = Lines()
        self._shown_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def lines(self) -> Iterator[Line | None]:
        """Lines as they come, and None at least every 50 ms."""
        start_s = came_s = time.monotonic()
        has_started = False
        while True:
            now_s = time.monotonic()
            try:
                data = self._read(now_s)
            except (OSError, ValueError, TypeError):  # TypeError: pyserial, a port just closed
                self._close()
                if has_started:
                    self.ended = "the port is gone"
                    return
                time.sleep(_REOPEN_S)
                data = b""
            now_s = time.monotonic()
            for text in self._lines.feed(data):
                if text.startswith("node started ") and not has_started:
                    start_s = min(start_s, now_s + _STARTED_S - START_S)
                if text.startswith("stream ") and not text.startswith("stream starts "):
                    has_started, came_s = True, now_s
                yield Line(text, now_s)
            if has_started and now_s - came_s > _SILENCE_S:
                self.ended = "the node sends nothing any more"
                return
            if not has_started and now_s - start_s > START_S:
                raise UserError(
                    f"the node on {self.port} does not stream: its firmware may be older than "
                    "`groundwatch record`; groundwatch node flash brings it up to date"
                )
            yield None

    def _read(self, now_s: float) -> bytes:
        if self._line is None:
            self._line = serial.Serial(
                self.port, BAUD, timeout=_READ_S, write_timeout=1.0, exclusive=True
            )
        if now_s - self._shown_s >= _ALIVE_EVERY_S:
            self._shown_s = now_s
            self._line.write(_ALIVE)
        return bytes(self._line.read(max(1, self._line.in_waiting)))

    def _close(self) -> None:
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.close()
            self._line = None
