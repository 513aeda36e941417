# SPDX-License-Identifier: MIT
"""The window: HTTP for the operator's browser: page, state, events, acknowledgement."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

from gateway.console.state import ConsoleState
from gateway.errors import ConfigError
from gateway.model.acts import Acknowledge, Act
from gateway.model.alarm import Disposition
from gateway.pipeline import Outcome

_STATIC = Path(__file__).with_name("static")
_PAGES = {
    "/": ("index.html", "text/html"),
    "/console.css": ("console.css", "text/css"),
    "/console.js": ("console.js", "text/javascript"),
    "/plan.js": ("plan.js", "text/javascript"),
    "/tables.js": ("tables.js", "text/javascript"),
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
        "require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_BODY_MOST = 4096
_CLIENTS_MOST = 64
_PERIOD_S = 0.2  # a page is told at most so often
_BEAT_S = 2.0  # and at least so often: silence means that the gateway is gone
_WRITE_S = 30.0  # a browser that takes nothing for so long is let go
_ACKNOWLEDGE_S = 5.0  # a browser has six connections: none may wait for a full disk
_NAME_MOST = 32

Perform = Callable[[Act], Awaitable[Outcome]]
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Rendered(NamedTuple):
    version: int
    at_s: float
    body: bytes


class Console:
    """Serves on one address; `url` is where the page is once started."""

    def __init__(self, host: str, port: int, state: ConsoleState, perform: Perform) -> None:
        self.clients = 0
        self._host = host
        self._port = port
        self._state = state
        self._perform = perform
        self._runner: web.AppRunner | None = None
        self._rendered = _Rendered(-1, 0.0, b"")
        self._files = {
            path: ((_STATIC / name).read_bytes(), kind) for path, (name, kind) in _PAGES.items()
        }

    @property
    def url(self) -> str:
        """For a browser on this machine."""
        return f"http://{self._host}:{self._port}/"

    async def start(self) -> None:
        """Listening when it returns. Raises ConfigError when the address is taken."""
        app = web.Application(middlewares=[self._guard], client_max_size=_BODY_MOST)
        for path in self._files:
            app.router.add_get(path, self._page)
        app.router.add_get("/api/state", self._get_state)
        app.router.add_get("/events", self._get_events)
        app.router.add_post("/api/alarms/{id}/acknowledge", self._post_acknowledge)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            raise ConfigError(
                f"console cannot listen on {self._host}:{self._port}: {error.strerror or error}; "
                "set another [console] port"
            ) from None
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close all connections."""
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        # A page elsewhere may point its name at our address (DNS rebinding); the name tells.
        if request.headers.get("Host", "") not in self._names(request):
            return web.Response(status=403, text="unknown host name\n", headers=_HEADERS)
        try:
            return await handler(request)
        except web.HTTPException as error:
            error.headers.update(_HEADERS)
            raise

    def _names(self, request: web.Request) -> set[str]:
        hosts = {"127.0.0.1", "localhost", self._host}
        local = request.transport.get_extra_info("sockname") if request.transport else None
        if local:
            hosts.add(str(local[0]))
        return {f"{host}:{self._port}" for host in hosts}

    async def _page(self, request: web.Request) -> web.StreamResponse:
        body, kind = self._files[request.path]
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=_HEADERS)

    async def _get_state(self, _request: web.Request) -> web.StreamResponse:
        body = self._render(0.0).body
        return web.Response(body=body, content_type="application/json", headers=_HEADERS)

    async def _get_events(self, request: web.Request) -> web.StreamResponse:
        if self.clients >= _CLIENTS_MOST:
            raise web.HTTPServiceUnavailable(text="too many pages open\n")
        response = web.StreamResponse(headers={**_HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        self.clients += 1
        try:
            await self._tell(response)
        except (ConnectionError, TimeoutError):
            pass  # the browser is gone or asleep; it asks again when it wakes
        finally:
            self.clients -= 1
        return response

    async def _tell(self, response: web.StreamResponse) -> None:
        """Whole snapshots only: a slow page skips some and is never behind by more than one."""
        loop = asyncio.get_running_loop()
        told, told_s = -1, 0.0
        while True:
            if self._state.version != told or loop.time() - told_s >= _BEAT_S:
                # One rendering serves all pages: each of its own would take the loop from the door.
                rendered = self._render(_PERIOD_S)
                told, told_s = rendered.version, loop.time()
                async with asyncio.timeout(_WRITE_S):
                    await response.write(b"event: state\ndata: " + rendered.body + b"\n\n")
            await asyncio.sleep(_PERIOD_S)

    async def _post_acknowledge(self, request: web.Request) -> web.StreamResponse:
        origin = request.headers.get("Origin", "")
        if origin not in {f"http://{name}" for name in self._names(request)}:
            return _problem(403, "the request does not come from the console's own page")
        number = request.match_info["id"]
        if not (number.isascii() and number.isdigit() and len(number) < 16):
            return _problem(400, "the alarm's number is not a number")
        try:
            by, disposition = _parse_acknowledgement(await request.read())
        except ValueError as error:
            return _problem(400, str(error))
        try:
            async with asyncio.timeout(_ACKNOWLEDGE_S):
                outcome = await self._perform(Acknowledge(int(number), by, disposition))
        except TimeoutError:
            return _problem(503, "not stored yet: the store does not answer; try again")
        if not outcome.done:
            return _problem(409, "the alarm is not open or acknowledged already")
        return web.json_response(
            {"acknowledged": int(number), "state": outcome.alarms[-1].alarm.state}, headers=_HEADERS
        )

    def _render(self, stale_s: float) -> _Rendered:
        """The state as JSON; a version gone by is still good for `stale_s`."""
        now_s = asyncio.get_running_loop().time()
        current = self._rendered.version == self._state.version
        if now_s - self._rendered.at_s >= (_BEAT_S if current else stale_s):
            body = json.dumps(self._state.snapshot(), separators=(",", ":")).encode()
            self._rendered = _Rendered(self._state.version, now_s, body)
        return self._rendered


def _parse_acknowledgement(body: bytes) -> tuple[str, Disposition | None]:
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(value, dict) or not set(value) <= {"by", "disposition"}:
        raise ValueError('the body must be like {"by": "name", "disposition": null}')
    by = value.get("by")
    if not isinstance(by, str) or not 1 <= len(by) <= _NAME_MOST or not by.isprintable():
        raise ValueError(f"by must be a name of 1 to {_NAME_MOST} characters")
    words = {disposition.value: disposition for disposition in Disposition}
    word = value.get("disposition")
    if word is not None and (not isinstance(word, str) or word not in words):
        raise ValueError(f"disposition must be one of {', '.join(words)}")
    return by, words[word] if word else None


def _problem(status: int, text: str) -> web.Response:
    return web.json_response({"problem": text}, status=status, headers=_HEADERS)
