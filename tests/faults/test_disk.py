# SPDX-License-Identifier: MIT
"""A full or failing disk: receipts stop, no message is lost, and the gateway recovers."""

from __future__ import annotations

import asyncio
import resource
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.faults.nodes import Crowd, assert_all_once
from tests.faults.process import gateway
from tests.gateway.played_node import write_config
from tests.ports import free_port

TIMES = [pytest.param(1, id="once"), pytest.param(30, id="often", marks=pytest.mark.faults)]
# Of the calls of the store's thread and all others: which fail, from the moment strace looks.
ERRORS = [
    pytest.param("fdatasync", "EIO", "1+"),
    pytest.param("pwrite64", "ENOSPC", "2+3"),
    pytest.param("fdatasync", "EIO", "1+2", marks=pytest.mark.faults),
    pytest.param("pwrite64", "EIO", "1+", marks=pytest.mark.faults),
    pytest.param("pwrite64", "EIO", "3+5", marks=pytest.mark.faults),
    pytest.param("fdatasync", "ENOSPC", "2+7", marks=pytest.mark.faults),
]


def strace() -> str:
    program = shutil.which("strace")
    if program is None:
        pytest.fail("strace is not installed: apt-get install strace")
    return program


@asynccontextmanager
async def failing(pid: int, call: str, error: str, when: str) -> AsyncIterator[None]:
    """Make these calls of that process fail."""
    tracer = await asyncio.create_subprocess_exec(
        *(strace(), "-f", "-qq", "-o", "/dev/null", "-p", str(pid), "-e", f"trace={call}"),
        *("-e", f"inject={call}:error={error}:when={when}"),
    )
    try:
        yield
    finally:
        tracer.send_signal(signal.SIGINT)  # detaches
        try:
            async with asyncio.timeout(5):
                await tracer.wait()
        except TimeoutError:  # it has been seen to wait for a thread that never stops
            tracer.kill()
            await tracer.wait()


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize(("call", "error", "when"), ERRORS)
async def test_disk_with_failing_calls_loses_no_message_and_recovers(
    call: str, error: str, when: str, times: int, tmp_path: Path
) -> None:
    port = free_port()
    config = write_config(tmp_path, f'kind = "embedded"\nport = {port}')
    crowd = Crowd(port)
    async with gateway(config) as running, crowd.running():
        for _ in range(times):
            await crowd.until_progress(3)
            async with failing(running.process.pid, call, error, when):
                await asyncio.sleep(1.0)
            await crowd.until_progress(3)
        await crowd.until_empty()
    failures = running.summary["store_failures"]
    assert failures > 0
    rows = assert_all_once(tmp_path / "data" / "groundwatch.db", crowd)
    print(f"\n{call} {error} {when}: {failures} failed commits, {rows} messages, 0 lost, each once")


@pytest.mark.parametrize("times", TIMES)
async def test_disk_full_stops_receipts_until_there_is_space(times: int, tmp_path: Path) -> None:
    port = free_port()
    config = write_config(tmp_path, f'kind = "embedded"\nport = {port}')
    crowd = Crowd(port)
    async with gateway(config) as running, crowd.running():
        pid = running.process.pid
        for _ in range(times):
            await crowd.until_progress(3)
            free = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            # No page may be written behind the first of a file: EFBIG, which fills any disk.
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, free[1]))
            await asyncio.sleep(0.3)
            before = len(crowd.receipted)
            await asyncio.sleep(0.5)
            assert len(crowd.receipted) == before
            resource.prlimit(pid, resource.RLIMIT_FSIZE, free)
            await crowd.until_progress(3)
        await crowd.until_empty()
    assert running.summary["store_failures"] > 0
    rows = assert_all_once(tmp_path / "data" / "groundwatch.db", crowd)
    print(f"\ndisk full {times} times: {rows} messages, 0 lost, each once")
