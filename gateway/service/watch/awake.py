# SPDX-License-Identifier: MIT
"""Service: the machine must not sleep while a sector is armed, by systemd-inhibit.

The lock is held by a child that ends with our end of its pipe, however the gateway ends.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Callable

_LOG = logging.getLogger(__name__)
TICK_S = 1.0
FIRST_WAIT_S, MAX_WAIT_S = 1.0, 300.0
_ANSWER_S = 10.0
_COMMAND = (
    "--what=sleep:idle:handle-lid-switch",
    "--mode=block",
    "--who=Groundwatch",
    "--why=sectors are armed",
    "sh",
    "-c",
    "echo held; exec cat >/dev/null",
)
MISSING = "this machine may sleep while sectors are armed: it has no systemd-inhibit"
REFUSED = "this machine may sleep while sectors are armed: systemd-inhibit was refused"


class Awake:
    """`armed` is asked each second. `problem` states why the machine may sleep all the same."""

    def __init__(self, armed: Callable[[], bool], program: str = "systemd-inhibit") -> None:
        self.problem = ""
        self.held = False
        self._armed = armed
        self._program = program

    async def run(self) -> None:
        """Until cancelled; the lock ends with it."""
        wait_s = FIRST_WAIT_S
        while True:
            if not self._armed():
                self.problem = ""
                await asyncio.sleep(TICK_S)
                continue
            program = shutil.which(self._program)
            was_held = program is not None and await self._hold(program)
            if was_held and not self._armed():
                wait_s = FIRST_WAIT_S
                continue
            self._failed(MISSING if program is None else REFUSED)
            wait_s = FIRST_WAIT_S if was_held else min(2 * wait_s, MAX_WAIT_S)
            await asyncio.sleep(wait_s)

    async def _hold(self, program: str) -> bool:
        """Hold the lock until nothing is armed or the child ends; False when it was refused."""
        pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        # systemd takes what comes on this socket for the gateway's own state.
        environment = {key: value for key, value in os.environ.items() if key != "NOTIFY_SOCKET"}
        child = await asyncio.create_subprocess_exec(
            program, *_COMMAND, stdin=pipe, stdout=pipe, stderr=nothing, env=environment
        )
        assert child.stdin is not None and child.stdout is not None
        try:
            async with asyncio.timeout(_ANSWER_S):
                self.held = await child.stdout.readline() == b"held\n"
            if not self.held:
                return False
            self.problem = ""
            _LOG.info("the machine is kept awake while sectors are armed")
            ended = asyncio.ensure_future(child.wait())
            while self._armed() and not ended.done():
                await asyncio.wait({ended}, timeout=TICK_S)
            return True
        except (TimeoutError, ValueError):
            return False
        finally:
            self.held = False
            child.stdin.close()
            if child.returncode is None:
                child.terminate()
            await child.wait()

    def _failed(self, problem: str) -> None:
        if problem != self.problem:
            _LOG.warning("%s", problem)
        self.problem = problem
