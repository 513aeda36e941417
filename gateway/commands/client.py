# SPDX-License-Identifier: MIT
"""Commands: how a verb asks the running gateway: its API over the UNIX socket, or over TCP.

`GROUNDWATCH_API` (an address such as http://127.0.0.1:8480) and `GROUNDWATCH_TOKEN` name a gateway
that this login cannot reach by its socket.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from gateway.api.access.local_socket import NAME, short_address
from gateway.api.prefix import PREFIX
from gateway.errors import ConfigError

if TYPE_CHECKING:
    import aiohttp

ADDRESS, TOKEN = "GROUNDWATCH_API", "GROUNDWATCH_TOKEN"
MAX_ANSWER_BYTES = 64 << 20
_TOTAL_S, _CONNECT_S = 45, 5

_T = TypeVar("_T")


class NoGateway(ConfigError):
    """None runs on that folder."""


class Client:
    """Asks the gateway that runs on `data_dir`, or the one at `address` (by default that of
    GROUNDWATCH_API). All methods raise ConfigError, and NoGateway."""

    def __init__(self, data_dir: Path, address: str = "") -> None:
        self._data_dir = data_dir
        self._address = address or os.environ.get(ADDRESS, "")

    def get(self, path: str, answer: type[_T], query: dict[str, Any] | None = None) -> _T:
        """A read; None in the query is left out."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return self._ask("GET", path + (f"?{urlencode(given)}" if given else ""), None, answer)

    def post(self, path: str, answer: type[_T], body: msgspec.Struct | None = None) -> _T:
        """Something that changes the gateway: it is done once, whatever is sent twice."""
        return self._ask("POST", path, msgspec.json.encode(body) if body else b"{}", answer)

    def _ask(self, method: str, path: str, body: bytes | None, answer: type[_T]) -> _T:
        status, data = asyncio.run(self._request(method, path, body))
        try:
            if status == 200:
                return msgspec.json.decode(data, type=answer)
            problem = msgspec.json.decode(data, type=dict[str, str])["problem"]
        except (ValueError, KeyError):
            raise ConfigError(f"the gateway's answer is not one of its API ({status})") from None
        raise ConfigError(problem)

    async def _request(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        # A third of a second of imports, for a verb that asks; not for its help.
        import aiohttp

        address = self._address
        if address:
            headers = {"Authorization": f"Bearer {os.environ.get(TOKEN, '')}"}
            return await self._send(aiohttp.TCPConnector(), address, method, path, body, headers)
        socket = self._data_dir / NAME
        if not socket.exists():
            raise self._no_gateway()
        with short_address(socket) as short:
            connector = aiohttp.UnixConnector(path=short)
            return await self._send(connector, "http://groundwatch", method, path, body, {})

    async def _send(
        self,
        connector: aiohttp.BaseConnector,
        address: str,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
    ) -> tuple[int, bytes]:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=_TOTAL_S, connect=_CONNECT_S)
        url = address.rstrip("/") + PREFIX + path
        if method == "POST":
            headers = {**headers, "Idempotency-Key": secrets.token_hex(16)}
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.request(method, url, data=body, headers=headers) as response,
            ):
                data = await response.content.read(MAX_ANSWER_BYTES)
                while not response.content.at_eof() and len(data) < MAX_ANSWER_BYTES:
                    data += await response.content.read(MAX_ANSWER_BYTES)
                return response.status, data
        except (aiohttp.ClientError, OSError, ValueError):
            raise self._no_gateway() from None

    def _no_gateway(self) -> NoGateway:
        if self._address:
            where = repr(self._address[:80])
            which = ADDRESS if self._address == os.environ.get(ADDRESS) else "the address"
            return NoGateway(f"no gateway answers at {where}: start it, or correct {which}")
        return NoGateway(f"no gateway answers in {self._data_dir}: start it first")


def part(name: str) -> str:
    """A name as one part of an address."""
    return quote(name, safe="")
