# SPDX-License-Identifier: MIT
"""Control: how commands on this machine speak to the gateway that runs: a Unix socket in its data
folder, open to its owner only. One JSON object comes in on a line, one goes out."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.errors import ConfigError, GroundwatchError

NAME = "control.sock"
_LINE_MOST = 64 * 1024
_PATIENCE_S = 30.0
_CLIENTS_MOST = 8
_CREDENTIALS = struct.Struct("3i")  # struct ucred of unix(7): pid, uid, gid


class NoGateway(ConfigError):
    """None runs on that folder."""


# Answers a request of the person named; raises GroundwatchError for what cannot be.
Handler = Callable[[dict[str, Any], str], Awaitable[dict[str, Any]]]


class Control:
    """Serves `handlers` by the request's "verb" until closed."""

    def __init__(self, folder: Path, handlers: dict[str, Handler]) -> None:
        self.path = folder / NAME
        self._handlers = handlers
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Listening when it returns. Raises ConfigError.

        A socket left by a gateway that was killed is replaced; one that answers is not.
        """
        if self.path.exists() and await _answers(self.path):
            raise ConfigError(f"another gateway runs on {self.path.parent}")
        self.path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _short(self.path) as address:
                listening.bind(address)
            self.path.chmod(0o600)
            self._server = await asyncio.start_unix_server(
                self._serve, sock=listening, limit=_LINE_MOST
            )
        except OSError as error:
            listening.close()
            raise ConfigError(f"cannot listen on {self.path}: {error.strerror or error}") from None

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            for task in self._tasks:
                task.cancel()
            self.path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= _CLIENTS_MOST:
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                answer = await self._answer(await reader.readline(), _person(writer))
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError, TimeoutError):
            pass  # gone, asleep, or no line at all: there is nobody to tell
        except asyncio.CancelledError:
            pass  # the gateway stops, and nobody waits for this task
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, line: bytes, person: str) -> dict[str, Any]:
        try:
            request: Any = json.loads(line)
        except (ValueError, RecursionError):
            return {"problem": "the request is not JSON"}
        verb = request.get("verb") if isinstance(request, dict) else None
        handler = self._handlers.get(verb) if isinstance(verb, str) else None
        if handler is None:
            return {"problem": "the request has no verb that is known"}
        try:
            return await handler(request, person)
        except GroundwatchError as error:
            return {"problem": str(error)}


def ask(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Ask the gateway that runs on `folder`. Raises ConfigError when none does, or it refuses."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(_PATIENCE_S)
            with _short(folder / NAME) as address:
                line.connect(address)
            line.sendall(json.dumps(request).encode() + b"\n")
            answer: Any = json.loads(line.makefile("rb").readline(_LINE_MOST * 16))
    except (OSError, ValueError):
        raise NoGateway(f"no gateway answers in {folder}: start it first") from None
    if "problem" in answer:
        raise ConfigError(str(answer["problem"]))
    return dict(answer)


async def _answers(path: Path) -> bool:
    try:
        with _short(path) as address:
            _reader, writer = await asyncio.open_unix_connection(address)
    except OSError:
        return False
    writer.close()
    return True


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """Its folder as an open file: an address of a socket has 107 bytes at most (unix(7))."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _person(writer: asyncio.StreamWriter) -> str:
    """The login name of who is at the other end, as the kernel knows it."""
    peer: socket.socket = writer.get_extra_info("socket")
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _pid, uid, _gid = _CREDENTIALS.unpack(raw)
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
