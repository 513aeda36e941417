# SPDX-License-Identifier: MIT
"""Service: a task that a fault of our own ends is started again."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from gateway.errors import GroundwatchError

_LOG = logging.getLogger(__name__)
FIRST_WAIT_S, MAX_WAIT_S = 0.5, 30.0
GOOD_S = 60.0  # a task that ran so long is started again at once


class Supervisor:
    """`restarts` counts by task. What the user can correct (GroundwatchError) ends the gateway."""

    def __init__(self) -> None:
        self.restarts: Counter[str] = Counter()

    async def keep_up(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run until cancelled; what is raised is logged, and the task starts again."""
        loop = asyncio.get_running_loop()
        wait_s = FIRST_WAIT_S
        while True:
            started_s = loop.time()
            try:
                await run()
            except GroundwatchError:
                raise
            except Exception:
                self.restarts[name] += 1
                _LOG.exception("the task %s failed; it starts again", name)
            if loop.time() - started_s >= GOOD_S:
                wait_s = FIRST_WAIT_S
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, MAX_WAIT_S)
