# SPDX-License-Identifier: MIT
"""A real gateway in a thread of its own, for tests whose client blocks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

from gateway.api.access.tokens import load_tokens, new_token, save_tokens
from gateway.app import Gateway
from gateway.config import load_config
from gateway.model.actions.identity import Scope
from tests.gateway.played_node import write_config

_DAY_US = 24 * 3600 * 1_000_000


def make_token(folder: Path, name: str, scope: Scope, days: float = 1) -> str:
    """An entry of the site's tokens.toml; the secret."""
    path = folder / "tokens.toml"
    known = load_tokens(path)
    until_us = time.time_ns() // 1000 + int(days * _DAY_US)
    known[name], secret = new_token(name, scope, until_us)
    save_tokens(path, known)
    return secret


@dataclass
class Running:
    """Where it is, and the headers of an administrator's token."""

    url: str
    headers: dict[str, str]
    gateway: Gateway
    loop: asyncio.AbstractEventLoop

    def status_of(self, path: str) -> int:
        with urlopen(Request(self.url + path, headers=self.headers), timeout=20) as answer:
            return int(answer.status)


@contextmanager
def running_gateway(folder: Path) -> Iterator[Running]:
    """With an administrator's token."""
    config = load_config(write_config(folder, "port = 0"))
    secret = make_token(folder, "tester", Scope.ADMIN)
    started: list[tuple[Gateway, asyncio.AbstractEventLoop]] = []
    problems: list[BaseException] = []
    ready = threading.Event()
    stop: list[asyncio.Event] = []

    async def serve() -> None:
        async with Gateway(config) as gateway:
            stop.append(asyncio.Event())
            started.append((gateway, asyncio.get_running_loop()))
            ready.set()
            await stop[0].wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            problems.append(error)
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(30)
    if problems:
        raise problems[0]
    gateway, loop = started[0]
    headers = {"Authorization": f"Bearer {secret}"}
    try:
        yield Running(gateway.console_url.rstrip("/"), headers, gateway, loop)
    finally:
        loop.call_soon_threadsafe(stop[0].set)
        thread.join(30)
    assert not problems
