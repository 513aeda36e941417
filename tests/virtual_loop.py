# SPDX-License-Identifier: MIT
"""An event loop whose time passes only where nothing else is left to do: hours in seconds.

Sockets are real. Time jumps to the next timer when no socket had anything for `QUIET_S`.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
QUIET_S = 0.005  # answers of a server in this process are here long before


class _Selector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]  # chosen by the system
    """Its waits are skipped; `ahead_s` counts them."""

    ahead_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= QUIET_S:
            return super().select(timeout)
        found = super().select(QUIET_S)
        if not found:
            self.ahead_s += timeout - QUIET_S
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its `time()` is what timers count by."""

    def __init__(self) -> None:
        self._selector_of_ours = _Selector()
        super().__init__(self._selector_of_ours)

    def time(self) -> float:
        return super().time() + self._selector_of_ours.ahead_s


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
