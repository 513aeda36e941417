# SPDX-License-Identifier: MIT
"""Record: single keys of a terminal, each with its time; nothing where there is no terminal."""

from __future__ import annotations

import os
import queue
import select
import sys
import threading
import time
from types import TracebackType
from typing import Any, Self

_LOOK_S = 0.1


class Keyboard:
    """`with Keyboard() as keys: keys.pressed()` gives (key, monotonic time) pairs.

    A thread takes the times, so that a slow serial port makes none late. At the end the terminal's
    settings are restored. Ctrl-C works as usual.
    """

    def __init__(self) -> None:
        self.is_there = False
        self._queue: queue.SimpleQueue[tuple[str, float]] = queue.SimpleQueue()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._before: list[Any] | None = None
        self._fd = -1

    def __enter__(self) -> Self:
        try:
            import termios  # not on Windows
            import tty

            self._fd = sys.stdin.fileno()
            if not os.isatty(self._fd):
                return self
            self._before = termios.tcgetattr(self._fd)
            tty.setcbreak(self._fd)
        except (ImportError, OSError, ValueError, AttributeError):
            # Standard input is closed, or no terminal of this kind.
            return self
        self.is_there = True
        self._thread = threading.Thread(target=self._read, name="keys", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        if self._before is not None:
            import termios

            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)

    def pressed(self) -> list[tuple[str, float]]:
        """All keys since the last call."""
        found = []
        while not self._queue.empty():
            found.append(self._queue.get())
        return found

    def _read(self) -> None:
        while not self._over.is_set():
            if not select.select([self._fd], [], [], _LOOK_S)[0]:
                continue
            at_s = time.monotonic()
            try:
                data = os.read(self._fd, 64)
            except OSError:
                return
            if not data:
                return
            for key in data.decode("utf-8", "ignore"):
                self._queue.put((key, at_s))
