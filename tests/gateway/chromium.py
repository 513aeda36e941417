# SPDX-License-Identifier: MIT
"""A real browser, spoken to over its DevTools socket: one page, questions in JavaScript."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.gateway.played_node import until


class Page:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0

    async def ask(self, expression: str) -> Any:
        """Value of a JavaScript expression; None while the page is being loaded."""
        self._number += 1
        parameters = {"expression": expression, "returnByValue": True}
        await self._socket.send_json(
            {"id": self._number, "method": "Runtime.evaluate", "params": parameters}
        )
        while True:
            answer = json.loads((await self._socket.receive()).data)
            if answer.get("id") == self._number:
                return answer.get("result", {}).get("result", {}).get("value")

    async def shows(self, *words: str, seconds: float = 15.0) -> str:
        """The text of the page once it holds all of them."""
        text = ""
        try:
            async with asyncio.timeout(seconds):
                while not all(word in text for word in words):
                    await asyncio.sleep(0.1)
                    text = await self.ask("document.body.innerText") or ""
        except TimeoutError:
            missing = [word for word in words if word not in text]
            raise AssertionError(f"the page lacks {missing}:\n{text}") from None
        return text


@asynccontextmanager
async def open_page(folder: Path, url: str) -> AsyncIterator[Page]:
    """A headless Chromium on `url`; without one the test fails and says what to install."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.fail("chromium is not installed: apt-get install chromium")
    profile = folder / "chromium"
    process = await asyncio.create_subprocess_exec(
        program, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,800",
        "--remote-debugging-port=0", f"--user-data-dir={profile}", url,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        told = profile / "DevToolsActivePort"
        await until(lambda: told.exists() and "\n" in told.read_text(), 20)
        port = told.read_text().split()[0]
        async with aiohttp.ClientSession() as session:
            tabs = await (await session.get(f"http://127.0.0.1:{port}/json/list")).json()
            tab = next(tab for tab in tabs if tab["type"] == "page")
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        process.terminate()
        await process.wait()
