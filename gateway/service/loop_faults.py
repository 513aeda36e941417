# SPDX-License-Identifier: MIT
"""Service: what timers and connections of the event loop raise is reported, not only logged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

PART = "a timer or connection"  # where the context names no `part`


@contextmanager
def loop_faults(report: Callable[[str, BaseException | str], None]) -> Iterator[None]:
    """While it lasts; the running loop then has the handler of before."""
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            report(context.get("part", PART), error)
        if before is not None:
            before(loop, context)
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)
    try:
        yield
    finally:
        loop.set_exception_handler(before)
