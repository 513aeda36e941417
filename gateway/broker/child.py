# SPDX-License-Identifier: MIT
"""Broker: one run of a helper program: its messages go to the log, and it never outlives us."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import signal
import sys

from gateway.errors import BrokerError

_LOG = logging.getLogger(__name__)
_STOP_S, _REST_S = 5.0, 1.0
_PR_SET_PDEATHSIG = 1  # prctl(2)


class Child:
    """`last_line` is what it wrote last."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.last_line = ""
        self._name = name
        self._process = process
        self._reader = asyncio.create_task(self._read(), name=f"messages of {name}")

    @classmethod
    async def start(cls, name: str, *words: str) -> Child:
        """Raises BrokerError when it cannot be started at all."""
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        except OSError as error:
            raise BrokerError(f"{name} cannot be started: {error.strerror or error}") from None
        return cls(name, process)

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        return self._process.pid

    async def wait(self) -> str:
        """How it ended, once it has: in words."""
        status = await self._process.wait()
        await self._read_rest()
        how = f"by signal {-status}" if status < 0 else f"with status {status}"
        return f"it ended {how}" + (f": {self.last_line}" if self.last_line else "")

    def send_signal(self, number: signal.Signals) -> None:
        """Nothing once it has ended."""
        if self.running:
            self._process.send_signal(number)

    async def end(self) -> None:
        """Ask it to save and end; end it when it does not."""
        if self.running:
            self._process.terminate()
            try:
                async with asyncio.timeout(_STOP_S):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        await self._read_rest()
        self._reader.cancel()

    async def _read_rest(self) -> None:
        """A child of its own may keep its messages open."""
        await asyncio.wait({self._reader}, timeout=_REST_S)

    async def _read(self) -> None:
        """To the end: a child whose messages nothing reads would wait for us."""
        messages = self._process.stderr
        assert messages is not None
        while True:
            try:
                line = await messages.readline()
            except ValueError:  # longer than a line may be
                continue
            if not line:
                return
            self.last_line = line.decode(errors="replace").strip()[:500]
            _LOG.info("%s: %s", self._name, self.last_line)


def _die_with_parent() -> None:
    """In the child: end it when we are killed, or it would keep the port."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
