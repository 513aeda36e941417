# SPDX-License-Identifier: MIT
"""An operator's browser without a screen: signs in at a gateway's console and keeps the session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from gateway.app import Gateway
from gateway.console.operators import Role, load_operators, new_operator, save_operators
from tests.gateway.chromium import Page

PASSPHRASE = "four words are long"


def enrol(folder: Path, name: str = "eva", role: Role = Role.OPERATOR) -> None:
    """An entry of the site's operators.toml."""
    path = folder / "operators.toml"
    known = load_operators(path) if path.exists() else {}
    known[name] = new_operator(name, role, PASSPHRASE)
    save_operators(path, known)


class Browser:
    """One cookie jar."""

    def __init__(self, url: str) -> None:
        self.url = url
        # unsafe: cookies of an address without a name, as the console's is.
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.headers = {"Origin": url.rstrip("/")}

    async def get(self, path: str, **more: object) -> aiohttp.ClientResponse:
        return await self.http.get(self.url + path, **more)  # type: ignore[arg-type]  # passed on

    async def post(self, path: str, body: object = None, **headers: str) -> aiohttp.ClientResponse:
        data = {"data": body} if isinstance(body, bytes) else {"json": body or {}}
        sent = {**self.headers, **headers}
        return await self.http.post(self.url + path, headers=sent, **data)  # type: ignore[arg-type]  # passed on

    async def arrive(self) -> None:
        """Load the form: it brings a cookie and the token that belongs to it."""
        await self.get("sign-in")
        await self.renew()

    async def renew(self) -> dict[str, object]:
        """Ask who is signed in; later posts carry the token of the session."""
        session: dict[str, object] = await (await self.get("api/session")).json()
        self.headers["X-CSRF"] = str(session["csrf"])
        return session

    async def sign_in(self, name: str, passphrase: str = PASSPHRASE) -> int:
        await self.arrive()
        answer = await self.post("api/session", {"name": name, "passphrase": passphrase})
        await self.renew()
        return answer.status


async def sign_in_page(page: Page, name: str = "eva") -> None:
    """By the form, as a person does."""
    await page.becomes("document.querySelector('#sign-in button:enabled') !== null")
    await page.click("#name")
    await page.type(name)
    await page.press("Tab")
    await page.type(PASSPHRASE)
    await page.press("Enter")
    await page.shows(f"On duty: {name}")


@asynccontextmanager
async def signed_in(gateway: Gateway, name: str = "eva") -> AsyncIterator[Browser]:
    browser = Browser(gateway.console_url)
    try:
        assert await browser.sign_in(name) == 200
        yield browser
    finally:
        await browser.http.close()
