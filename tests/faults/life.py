# SPDX-License-Identifier: MIT
"""One run of the real gateway, in a process forked from one that has imported it already, so that a
thousand kills take minutes. It may be given a point at which it is killed."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvloop

from gateway import app
from gateway.config import load_config
from gateway.mqtt.session import MqttSession
from gateway.service.running.commits import Commits
from gateway.service.running.intake_stage import IntakeStage
from gateway.service.running.monitor_stage import MonitorStage
from gateway.store.sqlite import SqliteStore

_FORK = multiprocessing.get_context("forkserver")
_FORK.set_forkserver_preload(["tests.faults.life"])
_START_S = 30.0

# Named points: statements are about to run, functions about to be called.
STATEMENTS = ("BEGIN IMMEDIATE", "INSERT INTO message", "INSERT INTO boot", "COMMIT")
FUNCTIONS: dict[str, tuple[type, str]] = {
    "committed, no receipt sent": (IntakeStage, "_settle"),
    "before a PUBACK": (MqttSession, "acknowledge"),
    "before an answer": (IntakeStage, "_send"),
    "before a commit": (Commits, "_commit"),
    "committed, not handed over": (MonitorStage, "hand_over"),
    "before the outcome is shown": (MonitorStage, "_publish_all"),
}
POINTS = (*STATEMENTS, *FUNCTIONS)


class Life:
    """After `start()` nodes may come; `ready_s` is how long that took."""

    def __init__(self, config: Path, point: str = "", nth: int = 1, offset: Any = None) -> None:
        self.ready_s = 0.0
        self._here, self._there = _FORK.Pipe(duplex=False)
        self._process = _FORK.Process(
            target=_serve, args=(config, self._there, point, nth, offset), daemon=True
        )

    def start(self) -> bool:
        """False when it died before it was ready: its point lay there."""
        start_s = time.monotonic()
        self._process.start()
        self._there.close()
        assert self._here.poll(_START_S), "the gateway does not start"
        try:
            state = self._here.recv()
        except EOFError:
            self.kill()
            return False
        assert state == "ready", state
        self.ready_s = time.monotonic() - start_s
        return True

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def over(self) -> bool:
        return not self._process.is_alive()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def stop(self) -> None:
        self._process.terminate()
        self._process.join(20)
        assert self._process.exitcode == 0


def _serve(config: Path, there: Connection, point: str, nth: int, offset: Any) -> None:
    logging.disable(logging.CRITICAL)
    if offset is not None:
        app._utc_us = lambda: time.time_ns() // 1000 + offset.value
    _arm(point, nth)
    uvloop.run(_run(config, there))


async def _run(config: Path, there: Connection) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    try:
        async with app.Gateway(load_config(config)):
            there.send("ready")
            await stop.wait()
    except Exception as error:
        there.send(repr(error))
        raise


def _arm(point: str, nth: int) -> None:
    """Die the n-th time this point is reached."""
    left = nth

    def reached() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if point in STATEMENTS:
        _wrap(SqliteStore, "_open", after=partial(_trace, point=point, reached=reached))
    elif point:
        owner, name = FUNCTIONS[point]
        _wrap(owner, name, before=reached)


def _trace(store: SqliteStore, point: str, reached: Callable[[], None]) -> None:
    db: sqlite3.Connection | None = store._db
    assert db is not None
    db.set_trace_callback(lambda sql: reached() if sql.startswith(point) else None)


def _wrap(
    owner: type,
    name: str,
    before: Callable[[], None] = lambda: None,
    after: Callable[[Any], None] = lambda _self: None,
) -> None:
    original = getattr(owner, name)

    def wrapped(self: Any, *args: Any, **named: Any) -> Any:
        before()
        result = original(self, *args, **named)
        after(self)
        return result

    setattr(owner, name, wrapped)
