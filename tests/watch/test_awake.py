# SPDX-License-Identifier: MIT
"""The machine is kept awake while sectors are armed; what prevents that is on the page.

No test machine has a logind that grants the lock: a program in its place runs its command, as
systemd-inhibit does, and records its own words. The real one is asked as well: it refuses here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.service.watch import awake
from gateway.service.watch.awake import MISSING, REFUSED, Awake
from tests.gateway.played_node import until

GRANTS = """#!/bin/sh
echo $$ "$@" >> "$0.log"
while [ "${1#--}" != "$1" ]; do shift; done
"$@"
echo end >> "$0.log"
"""


@asynccontextmanager
async def kept(made: Awake) -> AsyncIterator[Awake]:
    running = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "grants"
    path.write_text(GRANTS)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(awake, "TICK_S", 0.05)
    monkeypatch.setattr(awake, "FIRST_WAIT_S", 0.05)
    return path


def log(program: Path) -> str:
    file = program.with_name("grants.log")
    return file.read_text() if file.exists() else ""


async def test_lock_is_held_while_a_sector_is_armed_and_only_then(program: Path) -> None:
    is_armed = [False]
    async with kept(Awake(lambda: is_armed[0], "grants")) as made:
        await asyncio.sleep(0.2)
        assert log(program) == ""
        is_armed[0] = True
        await until(lambda: made.held, 60)
        assert "--what=sleep:idle:handle-lid-switch --mode=block" in log(program)
        is_armed[0] = False
        await until(lambda: not made.held, 60)
        assert made.problem == ""
    assert log(program).count("--mode=block") == 1


async def test_lock_that_was_taken_away_is_asked_for_again(program: Path) -> None:
    async with kept(Awake(lambda: True, "grants")) as made:
        await until(lambda: made.held, 60)
        os.kill(int(log(program).split()[0]), 15)
        await until(lambda: log(program).count("--mode=block") == 2 and made.held, 60)
        await until(lambda: made.problem == "", 60)


async def test_lock_ends_with_our_end_of_its_pipe(program: Path) -> None:
    """However the gateway ends, also by a kill: then the system closes the pipe."""
    made = Awake(lambda: True, "grants")
    children = []
    create = asyncio.create_subprocess_exec

    async def keep(*words: str, **more: Any) -> asyncio.subprocess.Process:
        child = await create(*words, **more)
        children.append(child)
        return child

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "create_subprocess_exec", keep)
        async with kept(made):
            await until(lambda: made.held, 60)
            children[0].stdin.close()
            await until(lambda: log(program).endswith("end\n") or "end\n" in log(program), 60)


@pytest.mark.skipif(shutil.which("systemd-inhibit") is None, reason="no systemd-inhibit")
async def test_lock_that_is_refused_is_a_line_on_the_page(program: Path) -> None:
    environment = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={program}.no_bus"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        async with kept(Awake(lambda: True)) as made:
            await until(lambda: made.problem, 60)
    assert made.problem == REFUSED


async def test_machine_without_the_program_is_a_line_on_the_page(program: Path) -> None:
    async with kept(Awake(lambda: True, "no-such-program")) as made:
        await until(lambda: made.problem == MISSING, 60)
