# SPDX-License-Identifier: MIT
"""A real browser, spoken to over its DevTools socket: one page, questions in JavaScript."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.gateway.played_node import until
from tests.processes import end


class Page:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0

    async def _do(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            answer = json.loads((await self._socket.receive()).data)
            if answer.get("id") == self._number:
                result: dict[str, Any] = answer.get("result", {})
                return result

    async def ask(self, expression: str) -> Any:
        """Value of a JavaScript expression; None while the page is being loaded."""
        answer = await self._do("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer.get("result", {}).get("value")

    async def press(self, *keys: str) -> None:
        """Keys, one after the other, as from a keyboard: "a", "Tab", "Enter", "Escape"."""
        for key in keys:
            text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
            code = {"Enter": 13, "Tab": 9, "Escape": 27}.get(key, ord(key[0].upper()))
            same = {"key": key, "code": key, "windowsVirtualKeyCode": code}
            down = {"type": "keyDown", "text": text} if text else {"type": "rawKeyDown"}
            await self._do("Input.dispatchKeyEvent", **same, **down)
            await self._do("Input.dispatchKeyEvent", type="keyUp", **same)

    async def type(self, text: str) -> None:
        """Text into what has the focus."""
        await self._do("Input.insertText", text=text)

    async def click(self, selector: str) -> None:
        """The middle of an element, as with a mouse."""
        place = await self.ask(
            f"(e => {{ e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect();"
            f" return [r.x + r.width / 2, r.y + r.height / 2]; }})"
            f"(document.querySelector({json.dumps(selector)}))"
        )
        assert place, f"no {selector} on the page"
        await self.click_at(*place)

    async def click_at(self, x: float, y: float) -> None:
        """A point of the window, in pixels."""
        for kind in ("mousePressed", "mouseReleased"):
            await self._do("Input.dispatchMouseEvent", type=kind, x=x, y=y,
                           button="left", clickCount=1)  # fmt: skip

    async def resize(self, width: int, height: int) -> None:
        """As on a screen of so many pixels."""
        await self._do("Emulation.setDeviceMetricsOverride", width=width, height=height,
                       deviceScaleFactor=1, mobile=width < 600)  # fmt: skip

    async def picture(self, path: Path) -> None:
        """What the page looks like, as PNG."""
        shot = await self._do("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))  # noqa: ASYNC240  # nothing waits for it

    async def becomes(self, expression: str, seconds: float = 60.0) -> None:
        """Until a JavaScript expression is true."""
        async with asyncio.timeout(seconds):
            while not await self.ask(expression):  # noqa: ASYNC110  # pages have no event to wait for
                await asyncio.sleep(0.05)

    async def shows(self, *words: str, seconds: float = 60.0) -> str:
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
    """A headless Chromium on `url`; without one the test fails and names what to install."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.fail("chromium is not installed: apt-get install chromium")
    profile = folder / "chromium"
    process = await asyncio.create_subprocess_exec(
        program, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1440,900",
        "--remote-debugging-port=0", f"--user-data-dir={profile}", url,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        port_file = profile / "DevToolsActivePort"
        await until(lambda: port_file.exists() and "\n" in port_file.read_text(), 60)
        port = port_file.read_text().split()[0]
        async with aiohttp.ClientSession() as session:
            tabs = await (await session.get(f"http://127.0.0.1:{port}/json/list")).json()
            tab = next(tab for tab in tabs if tab["type"] == "page")
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        await end(process)
