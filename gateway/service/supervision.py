# SPDX-License-Identifier: MIT
"""Service: a task that ends by a fault of our own is reported and started again."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

_LOG = logging.getLogger(__name__)
FIRST_WAIT_S, MAX_WAIT_S = 0.5, 30.0
GOOD_S = 60.0  # a task that ran so long is started again at once
_ENDED = "it ended by itself"


class Supervisor:
    """`restarts` counts by task. While a gateway runs no error ends a task for good: not one that
    the user can correct (it may be corrected meanwhile), and not a cancellation by another task."""

    def __init__(self, report: Callable[[str, BaseException | str], None]) -> None:
        self.restarts: Counter[str] = Counter()
        self._report = report

    async def keep_up(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run until cancelled; whatever ends it, the task starts again."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        wait_s = FIRST_WAIT_S
        while True:
            started_s = loop.time()
            problem: BaseException | str = _ENDED
            try:
                await run()
            except (Exception, asyncio.CancelledError, SystemExit) as error:
                problem = error
            if task.cancelling():
                raise asyncio.CancelledError
            self.restarts[name] += 1
            _LOG.error("the task %s failed; it starts again", name)
            self._report(f"task {name}", problem)
            if loop.time() - started_s >= GOOD_S:
                wait_s = FIRST_WAIT_S
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, MAX_WAIT_S)
