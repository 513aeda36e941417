# SPDX-License-Identifier: MIT
"""The gateway as a whole new process, as an operator starts it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any


class Process:
    """`ready_s` is the time from the start of the process; `summary` is its last line of output."""

    def __init__(self, process: asyncio.subprocess.Process, ready_s: float) -> None:
        self.process = process
        self.ready_s = ready_s
        self.summary: dict[str, Any] = {}


@asynccontextmanager
async def gateway(config: Path) -> AsyncIterator[Process]:
    start_s = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tools.cli", "gateway", "--config", str(config), "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    first = await asyncio.wait_for(process.stdout.readline(), 60)
    assert b'"ready"' in first, first
    running = Process(process, time.monotonic() - start_s)
    lines = asyncio.create_task(process.stdout.read())
    yield running
    if process.returncode is not None:  # it was killed
        lines.cancel()
        return
    process.send_signal(signal.SIGTERM)
    running.summary = json.loads((await lines).splitlines()[-1])
    assert await process.wait() == 0
