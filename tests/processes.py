# SPDX-License-Identifier: MIT
"""Ending processes under test."""

from __future__ import annotations

from asyncio.subprocess import Process


async def end(process: Process) -> int:
    """SIGTERM, unless it has ended by itself; its exit status.

    A fixture that fails because a process died has to report that failure, not a second one.
    """
    if process.returncode is None:
        process.terminate()
    return await process.wait()
