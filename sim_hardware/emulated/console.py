# SPDX-License-Identifier: MIT
"""What the board printed, line by line, each with the emulated time at which it ended."""

from __future__ import annotations

from collections import deque

LINES_MAX = 20_000  # the oldest go first
_LINE_BYTES_MAX = 4096


class Console:
    """Lines are numbered from 0 since the program started; `lost` of them were dropped."""

    def __init__(self) -> None:
        self.lost = 0
        self._lines: deque[tuple[int, str]] = deque()
        self._partial = b""

    def take(self, data: bytes, now_us: int) -> None:
        """Add bytes from the board."""
        *whole, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > _LINE_BYTES_MAX:
            whole.append(self._partial)
            self._partial = b""
        for line in whole:
            self._lines.append((now_us, line.decode("utf-8", "replace").rstrip("\r")))
        while len(self._lines) > LINES_MAX:
            self._lines.popleft()
            self.lost += 1

    def reset(self) -> None:
        """The board was reset: drop its partial line."""
        self._partial = b""

    def since(self, number: int, most: int) -> tuple[list[tuple[int, str]], int]:
        """Up to `most` lines from a number on, and the number of the line after them."""
        first = max(number, self.lost)
        begin = first - self.lost
        found = [self._lines[at] for at in range(begin, min(begin + most, len(self._lines)))]
        return found, first + len(found)
