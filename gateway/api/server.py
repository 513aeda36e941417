# SPDX-License-Identifier: MIT
"""API: the HTTP server: one application for pages and API, over TCP and a UNIX socket."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec
from aiohttp import web

from gateway.api import openapi
from gateway.api.access.identify import Access, is_local
from gateway.api.access.local_socket import bind
from gateway.api.access.tokens import TooManyFailures
from gateway.api.call import ApiError, Call, read_body, read_key, read_query
from gateway.api.idempotency import Answers, Reply
from gateway.api.prefix import PREFIX
from gateway.api.routes import ROUTES, Route
from gateway.api.schema.answers import Problem
from gateway.api.schema.bodies import MAX_BODY_BYTES, PictureQuery
from gateway.api.service import ServiceFacade
from gateway.api.stream import Stream
from gateway.errors import ConfigError, GroundwatchError, StoreError
from gateway.model.actions.identity import Identity, Scope

HEADERS = {
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
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Pages(Protocol):
    """What else is served on the TCP address (gateway.console.pages)."""

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Its routes."""

    def opened(self, host: str, port: int) -> None:
        """Where the server listens."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen: TCP on this machine (port 0 picks a free one); if given, a UNIX socket, and
    `also` another address for programs."""

    host: str
    port: int
    socket: Path | None = None
    also: tuple[str, int] | None = None


class Server:
    """Listens from `start` to `stop`; `port` is known then."""

    def __init__(
        self, listen: Listen, service: ServiceFacade, access: Access, pages: Pages
    ) -> None:
        self.port = listen.port
        self.stream = Stream(service.picture, service.clock_us, service.failed)
        self._listen = listen
        self._service = service
        self._access = access
        self._pages = pages
        self._answers = Answers()
        self._document = msgspec.json.encode(openapi.document())
        self._runner: web.AppRunner | None = None
        self._local: socket.socket | None = None

    @property
    def operators(self) -> int:
        """People with a console open, each once."""
        return len(+self.stream.on_duty)

    async def start(self) -> None:
        """Listening when it returns. Raises ConfigError when an address is taken."""
        app = web.Application(middlewares=[self._guard], client_max_size=MAX_BODY_BYTES)
        app.on_response_prepare.append(_add_headers)
        own: dict[str, _Handler] = {
            "getPicture": self._get_picture,
            "getStream": self._get_stream,
            "getOpenApi": self._get_document,
        }
        for route in ROUTES:
            handler = own.get(route.name) or partial(self._answer, route)
            app.router.add_route(route.method, PREFIX + route.path, handler)
        self._pages.add_routes(app.router)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.2, max_line_size=8190, max_field_size=8190
        )
        await self._runner.setup()
        if self._listen.socket is not None:
            self._local = bind(self._listen.socket)
            await web.SockSite(self._runner, self._local).start()
        if self._listen.also is not None:
            await self._open(*self._listen.also, "api")
        host = self._listen.host
        self.port = await self._open(host, self._listen.port, "console")
        self._pages.opened(host, self.port)

    async def stop(self) -> None:
        """Close all connections."""
        self._answers.close()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._local is not None and self._listen.socket is not None:
            self._local.close()
            self._listen.socket.unlink(missing_ok=True)

    async def _open(self, host: str, port: int, table: str) -> int:
        assert self._runner is not None
        try:
            await (site := web.TCPSite(self._runner, host, port)).start()
        except OSError as error:
            raise ConfigError(
                f"{table} cannot listen on {host}:{port}: {error.strerror or error}; "
                f"set another [{table}] port"
            ) from None
        return _port_of(site)

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            if refusal := self._access.refusal(request):
                raise ApiError(403, refusal)
            if is_local(request) and not request.path.startswith(PREFIX):
                raise ApiError(404, "only the API is served here")
            return await handler(request)
        except ApiError as error:
            return _problem(error.status, str(error))
        except TooManyFailures as error:
            return _problem(429, str(error))
        except StoreError as error:
            return _problem(503, str(error))
        except ConfigError as error:
            return _problem(400, str(error))
        except GroundwatchError as error:
            return _problem(503, str(error))
        except web.HTTPException as error:
            if error.status < 400 or not request.path.startswith("/api/"):
                raise
            response = _problem(error.status, error.reason)
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
            return response
        except (ConnectionError, TimeoutError):  # the client is gone
            raise
        except Exception as error:
            self._service.failed("an operation of the API", error)
            return _problem(500, f"a fault of the gateway itself ({type(error).__name__})")

    def _who(self, request: web.Request, needed: Scope) -> Identity:
        who = self._access.identity(request)
        if who is None:
            raise ApiError(401, "sign in, or send a valid token")
        if not who.scope.covers(needed):
            raise ApiError(403, f"this needs the scope {needed.value}")
        return who

    async def _answer(self, route: Route, request: web.Request) -> web.StreamResponse:
        who = self._who(request, route.scope)
        number = request.match_info.get("id", "")
        query = read_query([*request.query.items()], route.query)
        assert route.handler is not None
        if not route.act:
            call = Call(self._service, who, number, query=query)
            return _json(Reply(200, await route.handler(call)))
        data = await request.read()
        key = read_key(request.headers.get("Idempotency-Key", ""))
        body = read_body(data, route.body or msgspec.Struct)
        call = Call(self._service, who, number, body, query, key)
        sent = f"{route.name} {number}\n".encode() + data
        act = partial(_act, route, call)
        return _json(await self._answers.once(who.name, key, sent, act, route.wait_s))

    async def _get_picture(self, request: web.Request) -> web.StreamResponse:
        self._who(request, Scope.READ)
        query = read_query([*request.query.items()], PictureQuery)
        view = self.stream.view(query.since, query.kinds)
        return web.Response(body=self.stream.encoded(view), content_type="application/json")

    async def _get_stream(self, request: web.Request) -> web.StreamResponse:
        who = self._who(request, Scope.READ)
        query = read_query([*request.query.items()], PictureQuery)
        # A browser that connects again sends the last id; the address is still that of the start.
        since = request.headers.get("Last-Event-ID", "")[:64] or query.since
        return await self.stream.serve(
            request, who, lambda: self._access.identity(request) == who, since, query.kinds
        )

    async def _get_document(self, request: web.Request) -> web.StreamResponse:
        self._who(request, Scope.READ)
        return web.Response(body=self._document, content_type="application/json")


async def _act(route: Route, call: Call) -> Reply:
    """The answer to a client stays the answer to its key: success and rejection alike."""
    assert route.handler is not None
    try:
        return Reply(200, await route.handler(call))
    except ApiError as error:
        if error.status >= 500:
            raise
        return Reply(error.status, Problem(problem=str(error)))


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def _json(reply: Reply) -> web.Response:
    body = msgspec.json.encode(reply.body)
    response = web.Response(status=reply.status, body=body, content_type="application/json")
    if reply.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _problem(status: int, problem: str) -> web.Response:
    return _json(Reply(status, Problem(problem=" ".join(problem.split()))))


def _port_of(site: web.TCPSite) -> int:
    server = site._server
    assert server is not None
    port: int = server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # asyncio.Server
    return port
