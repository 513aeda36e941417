# SPDX-License-Identifier: MIT
"""Console: the operators' pages and their files; data come from the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from gateway.console.authentication import SessionAuthentication
from gateway.console.operators import Role

STATIC = Path(__file__).with_name("static")
_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ConsolePages:
    """Served on the TCP address of the API; `url` is known once it listens."""

    def __init__(self, authentication: SessionAuthentication) -> None:
        self.url = ""
        self._authentication = authentication
        self._files = {path.name: path.read_bytes() for path in sorted(STATIC.iterdir())}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Pages, their files, and the session."""
        router.add_get("/", self._get_page("index.html", Role.OPERATOR))
        router.add_get("/supervisor", self._get_page("supervisor.html", Role.SUPERVISOR))
        router.add_get("/sign-in", self._get_sign_in)
        router.add_get("/api/session", self._authentication.get_session)
        router.add_post("/api/session", self._authentication.post_session)
        router.add_post("/api/session/end", self._authentication.post_session_end)
        for name in self._files:
            if not name.endswith(".html"):
                router.add_get(f"/{name}", self._get_file)

    def opened(self, host: str, port: int) -> None:
        """Where the server listens."""
        self.url = f"http://{host}:{port}/"
        self._authentication.opened(host, port)

    def _file(self, name: str) -> web.Response:
        kind = _KINDS[Path(name).suffix]
        return web.Response(body=self._files[name], content_type=kind, charset="utf-8")

    async def _get_file(self, request: web.Request) -> web.StreamResponse:
        return self._file(request.path.removeprefix("/"))

    async def _get_sign_in(self, request: web.Request) -> web.StreamResponse:
        return self._authentication.visited(request, self._file("sign_in.html"))

    def _get_page(self, name: str, least: Role) -> _Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            operator, token = self._authentication.arrive(request)
            if operator is None:
                raise web.HTTPSeeOther("/sign-in")
            if least is Role.SUPERVISOR and operator.role is not Role.SUPERVISOR:
                return web.Response(status=403, text="this page needs the role supervisor\n")
            response = self._file(name)
            if token:
                self._authentication.give(response, token)
            return response

        return handler
