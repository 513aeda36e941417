# SPDX-License-Identifier: MIT
"""The window: HTTP for operators' browsers on this machine: pages, state, events, acts."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

from gateway.console.acts import ACTS, Given, read_act
from gateway.console.body import BODY_MOST, Body
from gateway.console.door import HEADERS, ConsoleDoor, problem
from gateway.console.operators import Role
from gateway.console.state import ConsoleState
from gateway.errors import ConfigError, StoreError
from gateway.model.acts import Act
from gateway.service.service import ActResult

_STATIC = Path(__file__).with_name("static")
_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_CLIENTS_MOST = 64
_PERIOD_S = 0.2  # a page is told at most so often
_BEAT_S = 2.0  # and at least so often: silence means that the gateway is gone
_WRITE_S = 30.0  # a browser that takes nothing for so long is let go
_ACT_S = 5.0  # a browser has six connections: none may wait for a full disk

Perform = Callable[[Act], Awaitable[ActResult]]
Measured = Callable[[int], Awaitable[dict[str, Any]]]
TestOutput = Callable[[str, str], Awaitable[dict[str, Any]]]
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Rendered(NamedTuple):
    version: int
    at_s: float
    body: bytes


class Console:
    """Serves on one address; `url` is where the page is once started."""

    def __init__(
        self,
        host: str,
        port: int,
        state: ConsoleState,
        door: ConsoleDoor,
        perform: Perform,
        measured: Measured,
        test_output: TestOutput,
    ) -> None:
        self.watching: Counter[str] = Counter()  # open pages of each operator
        self._host = host
        self._port = port
        self._state = state
        self._door = door
        self._perform = perform
        self._measured = measured
        self._test_output = test_output
        self._runner: web.AppRunner | None = None
        self._rendered = _Rendered(-1, 0.0, b"")
        self._files = {path.name: path.read_bytes() for path in sorted(_STATIC.iterdir())}

    @property
    def clients(self) -> int:
        """Open pages."""
        return self.watching.total()

    @property
    def operators(self) -> int:
        """Operators with a page open, each once."""
        return len(+self.watching)

    @property
    def url(self) -> str:
        """For a browser on this machine."""
        return f"http://{self._host}:{self._port}/"

    async def start(self) -> None:
        """Listening when it returns. Raises ConfigError when the address is taken."""
        app = web.Application(middlewares=[self._guard], client_max_size=BODY_MOST)
        routes = app.router
        routes.add_get("/", self._get_page("index.html", Role.OPERATOR))
        routes.add_get("/supervisor", self._get_page("supervisor.html", Role.SUPERVISOR))
        routes.add_get("/sign-on", self._get_sign_on)
        routes.add_get("/api/session", self._door.get_session)
        routes.add_post("/api/session", self._door.post_session)
        routes.add_post("/api/session/end", self._door.post_session_end)
        routes.add_get("/api/state", self._get_state)
        routes.add_get("/api/performance", self._get_performance)
        routes.add_get("/events", self._get_events)
        routes.add_post("/api/outputs/{name}/test", self._post_test)
        for address, read in ACTS:
            routes.add_post(address, self._post_act(read))
        for name in self._files:
            if not name.endswith(".html"):
                routes.add_get(f"/{name}", self._get_file)
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
        self._door.opened(self._host, self._port)

    async def stop(self) -> None:
        """Close all connections."""
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        # A page elsewhere may point its name at our address (DNS rebinding); the name tells.
        if not self._door.is_ours(request):
            return web.Response(status=403, text="unknown host name\n", headers=HEADERS)
        if request.method == "POST" and (refusal := self._door.forged(request)):
            return problem(403, refusal)
        try:
            return await handler(request)
        except web.HTTPException as error:
            error.headers.update(HEADERS)
            raise

    def _file(self, name: str) -> web.Response:
        kind = _KINDS[Path(name).suffix]
        body = self._files[name]
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=HEADERS)

    async def _get_file(self, request: web.Request) -> web.StreamResponse:
        return self._file(request.path.removeprefix("/"))

    async def _get_sign_on(self, request: web.Request) -> web.StreamResponse:
        return self._door.visited(request, self._file("sign_on.html"))

    def _get_page(self, name: str, least: Role) -> _Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            operator, token = self._door.arrive(request)
            if operator is None:
                raise web.HTTPSeeOther("/sign-on")
            if least is Role.SUPERVISOR and operator.role is not Role.SUPERVISOR:
                return web.Response(status=403, text="for supervisors\n", headers=HEADERS)
            response = self._file(name)
            if token:
                self._door.give(response, token)
            return response

        return handler

    async def _get_state(self, request: web.Request) -> web.StreamResponse:
        self._door.must_be(request, Role.OPERATOR)
        body = self._render(0.0).body
        return web.Response(body=body, content_type="application/json", headers=HEADERS)

    async def _get_performance(self, request: web.Request) -> web.StreamResponse:
        self._door.must_be(request, Role.SUPERVISOR)
        days = request.query.get("days", "30")
        if set(request.query) - {"days"} or not (days.isascii() and days.isdigit()):
            return problem(400, "ask like /api/performance?days=30")
        try:
            figures = await self._measured(int(days[:9]))
        except ValueError as error:
            return problem(400, str(error))
        except StoreError as error:
            return problem(503, str(error))
        return web.json_response(figures, headers=HEADERS)

    async def _post_test(self, request: web.Request) -> web.StreamResponse:
        operator = self._door.must_be(request, Role.SUPERVISOR)
        try:
            Body(await request.read()).done()
            test = await self._test_output(request.match_info["name"], operator.name)
        except (ConfigError, ValueError) as error:
            return problem(400, str(error))
        return web.json_response(test, headers=HEADERS)

    async def _get_events(self, request: web.Request) -> web.StreamResponse:
        name = self._door.must_be(request, Role.OPERATOR).name
        if self.clients >= _CLIENTS_MOST:
            raise web.HTTPServiceUnavailable(text="too many pages open\n")
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        self.watching[name] += 1
        try:
            await self._tell(request, response)
        except (ConnectionError, TimeoutError):
            pass  # the browser is gone or asleep; it asks again when it wakes
        finally:
            self.watching[name] -= 1
        return response

    async def _tell(self, request: web.Request, response: web.StreamResponse) -> None:
        """Whole snapshots only: a slow page skips some and is never behind by more than one."""
        loop = asyncio.get_running_loop()
        told, told_s = -1, 0.0
        while self._door.operator(request) is not None:
            if self._state.version != told or loop.time() - told_s >= _BEAT_S:
                # One rendering serves all pages: each of its own would take the loop from the door.
                rendered = self._render(_PERIOD_S)
                told, told_s = rendered.version, loop.time()
                async with asyncio.timeout(_WRITE_S):
                    await response.write(b"event: state\ndata: " + rendered.body + b"\n\n")
            await asyncio.sleep(_PERIOD_S)

    def _post_act(self, read: Callable[[Given], Act]) -> _Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            operator = self._door.must_be(request, Role.OPERATOR)
            now_us, rules = self._state.now_us(), self._state.alarm_rules
            number = request.match_info.get("id", "")
            try:
                body = Body(await request.read())
                act = read_act(read, Given(number, body, operator.name, now_us, rules))
            except ValueError as error:
                return problem(400, str(error))
            try:
                async with asyncio.timeout(_ACT_S):
                    outcome = await self._perform(act)
            except TimeoutError:
                return problem(503, "not stored yet: the store does not answer; try again")
            if not outcome.done:
                return problem(409, "not possible any more: somebody did it before, or it is over")
            return web.json_response({"done": True}, headers=HEADERS)

        return handler

    def _render(self, stale_s: float) -> _Rendered:
        """The state as JSON; a version gone by is still good for `stale_s`."""
        now_s = asyncio.get_running_loop().time()
        current = self._rendered.version == self._state.version
        if now_s - self._rendered.at_s >= (_BEAT_S if current else stale_s):
            body = json.dumps(self._state.snapshot(), separators=(",", ":")).encode()
            self._rendered = _Rendered(self._state.version, now_s, body)
        return self._rendered
