# SPDX-License-Identifier: MIT
"""A mosquitto that is nobody's child: for the external broker, with or without rules."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest


def mosquitto() -> str:
    program = shutil.which(
        "mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/opt/homebrew/sbin"
    )
    if program is None:
        pytest.fail("mosquitto is not installed: apt-get install mosquitto")
    return program


@asynccontextmanager
async def running_mosquitto(
    folder: Path, port: int, wanted: bool = True, more: str = ""
) -> AsyncIterator[None]:
    """Anonymous, on loopback; `more` goes into its configuration."""
    if not wanted:
        yield
        return
    conf = folder / "open.conf"
    conf.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n{more}"
    )
    process = await asyncio.create_subprocess_exec(
        mosquitto(), "-c", str(conf), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(5):
            while True:
                try:
                    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    break
                except OSError:
                    await asyncio.sleep(0.02)
        writer.close()
        yield
    finally:
        process.terminate()
        await process.wait()
