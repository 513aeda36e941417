# SPDX-License-Identifier: MIT
"""The control socket: for the owner of the data folder, one JSON line each way."""

from __future__ import annotations

import asyncio
import getpass
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from gateway.control import Control, ask
from gateway.errors import ConfigError


async def echo(request: dict[str, Any], person: str) -> dict[str, Any]:
    if request.get("fail"):
        raise ConfigError("it cannot be")
    return {"person": person, "said": request["said"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    # Deeper than an address of a socket may be long.
    path = tmp_path / ("deep" * 20) / ("er" * 20)
    path.mkdir(parents=True)
    return path


async def test_request_is_answered_with_the_person_the_kernel_knows(folder: Path):
    control = Control(folder, {"echo": echo})
    await control.start()
    answer = await asyncio.to_thread(ask, folder, {"verb": "echo", "said": "hello"})
    assert answer == {"person": getpass.getuser(), "said": "hello"}
    assert control.path.stat().st_mode & 0o077 == 0
    with pytest.raises(ConfigError, match="it cannot be"):
        await asyncio.to_thread(ask, folder, {"verb": "echo", "fail": 1})
    with pytest.raises(ConfigError, match="another gateway runs"):
        await Control(folder, {}).start()
    await control.stop()
    with pytest.raises(ConfigError, match="no gateway answers"):
        await asyncio.to_thread(ask, folder, {"verb": "echo"})


async def test_socket_left_by_a_killed_gateway_is_replaced(folder: Path):
    control = Control(folder, {"echo": echo})
    control.path.touch()
    await control.start()
    assert (await asyncio.to_thread(ask, folder, {"verb": "echo", "said": 1}))["said"] == 1
    await control.stop()


@pytest.mark.parametrize(
    "line",
    [b"\n", b"{\n", b"[" * 5000 + b"\n", b"[]\n", b'{"verb": ["echo"]}\n', b'{"verb": "x"}\n'],
)
async def test_request_that_is_none_is_answered_with_a_problem(line: bytes, tmp_path: Path):
    control = Control(tmp_path, {"echo": echo})
    await control.start()
    reader, writer = await asyncio.open_unix_connection(str(control.path))
    writer.write(line)
    assert "problem" in json.loads(await reader.readline())
    await control.stop()


async def test_client_that_floods_or_hangs_holds_up_nobody(tmp_path: Path):
    control = Control(tmp_path, {"echo": echo})
    await control.start()
    silent = socket.socket(socket.AF_UNIX)
    silent.connect(str(control.path))
    reader, writer = await asyncio.open_unix_connection(str(control.path))
    writer.write(b"x" * 300_000)
    try:
        assert await reader.read() == b""
    except ConnectionResetError:
        pass  # put out with most of it unread
    assert (await asyncio.to_thread(ask, tmp_path, {"verb": "echo", "said": 2}))["said"] == 2
    silent.close()
    await control.stop()
