# SPDX-License-Identifier: MIT
"""Console: session authentication: sign-in, the session's cookie, protection against other sites.

Three checks keep other sites out: the host name, a cookie that browsers do not send from other
sites (SameSite=Strict), and a token that only our pages can read.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import msgspec
from aiohttp import web

from gateway.console.operators import MAX_NAME, MAX_PASSPHRASE, Operator, OperatorFile, Role
from gateway.console.sessions import SHIFT_S, Sessions, Throttle
from gateway.errors import ConfigError
from gateway.model.actions.identity import Identity, Scope

_MAX_CHECKS = 4  # pass phrases being checked at once, 64 MiB each
_MAX_TOKEN = 64

# (name, "operator.sign_on" or the like, reason): into the audit log, without waiting for it.
Record = Callable[[str, str, str], None]


_SCOPES = {Role.OPERATOR: Scope.ACT, Role.SUPERVISOR: Scope.ADMIN}


class _SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    passphrase: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_PASSPHRASE)]


def problem(status: int, text: str) -> web.Response:
    """One line for the operator."""
    return web.json_response({"problem": text}, status=status)


class SessionAuthentication:
    """`visitor`, if given, is the operator of every request without a session: the demo's."""

    def __init__(
        self,
        file: OperatorFile,
        record: Record,
        clock: Callable[[], float],
        visitor: Operator | None = None,
    ) -> None:
        self.sessions = Sessions(clock)
        self.throttle = Throttle(clock)
        self._file = file
        self._record = record
        self._visitor = visitor
        self._host, self._port = "", 0
        self._checking = 0
        self._executor = ThreadPoolExecutor(1, "sign-in")

    def opened(self, host: str, port: int) -> None:
        """Where the console listens."""
        self._host, self._port = host, port

    def is_ours(self, request: web.Request) -> bool:
        """The request uses a host name of ours."""
        return request.headers.get("Host", "") in self._names(request)

    def forged(self, request: web.Request) -> str:
        """Why a POST does not come from our own page; empty when it does."""
        origin = request.headers.get("Origin", "")
        if origin not in {f"http://{name}" for name in self._names(request)}:
            return "the request does not come from the console's own page"
        token = self._token(request)
        if not token or not self.sessions.csrf_fits(token, request.headers.get("X-CSRF", "")):
            return "the page is of an earlier session: load it again"
        return ""

    def operator(self, request: web.Request) -> Operator | None:
        """The operator who is signed in, as the file has them now."""
        session = self.sessions.of(self._token(request))
        if session is None:
            return None
        if session.operator is self._visitor:
            return self._visitor
        try:
            known = self._file.known().get(session.operator.name)
        except ConfigError:
            known = session.operator  # the file is being edited: the session stays
        if known != session.operator:
            self.sessions.sign_out(self._token(request))
            return None
        return known

    def identity(self, request: web.Request) -> Identity | None:
        """The operator as the API knows people; None without a session."""
        operator = self.operator(request)
        if operator is None:
            return None
        return Identity(operator.name, _SCOPES[operator.role], session=True)

    def arrive(self, request: web.Request) -> tuple[Operator | None, str]:
        """(the operator, the token to set if it is new)."""
        operator = self.operator(request)
        if operator is not None or self._visitor is None:
            return operator, ""
        return self._visitor, self.sessions.sign_in(self._visitor)

    def shown(self) -> dict[str, Any]:
        """For every page: the operators on duty, and how many sign-ins failed."""
        return {"names": sorted(self.sessions.on_duty()), "failed": self.throttle.failed}

    def close(self) -> None:
        """End the thread that checks pass phrases."""
        self._executor.shutdown(wait=False)

    def visited(self, request: web.Request, response: web.Response) -> web.Response:
        """The sign-in form needs a token of its own."""
        if not self._token(request):
            self.give(response, self.sessions.new_token())
        return response

    def give(self, response: web.StreamResponse, token: str) -> None:
        """Set the cookie."""
        response.set_cookie(
            self._cookie,
            token,
            max_age=int(SHIFT_S),
            path="/",
            httponly=True,
            samesite="Strict",
        )

    async def get_session(self, request: web.Request) -> web.StreamResponse:
        """The operator who is signed in, and the token that a page sends with every request."""
        operator = self.operator(request)
        who = {"name": operator.name, "role": operator.role.value} if operator else None
        csrf = self.sessions.csrf(self._token(request))
        return web.json_response({"operator": who, "csrf": csrf})

    async def post_session(self, request: web.Request) -> web.StreamResponse:
        """Sign in."""
        try:
            given = msgspec.json.decode(await request.read(), type=_SignIn)
        except (ValueError, RecursionError):
            return problem(400, "name and passphrase must be given, and nothing else")
        name, passphrase = given.name.strip(), given.passphrase.strip()
        if not (name and name.isprintable() and passphrase and passphrase.isprintable()):
            return problem(400, "name and pass phrase must be printable text")
        try:
            known = self._file.known()
        except ConfigError as error:
            return problem(503, str(error))
        if not known:
            return problem(403, "there are no operators yet: run `groundwatch operator add NAME`")
        # An unknown name may be a pass phrase in the wrong field: it is not kept anywhere.
        counted = name if name in known else ""
        if wait_s := self.throttle.wait_s(counted):
            return problem(429, f"too many failures: wait {wait_s:.0f} s")
        operator = await self._check(name, passphrase)
        if operator is None:
            self.throttle.failure(counted)
            self._record(counted or "unknown", "operator.refused", "wrong name or pass phrase")
            return problem(403, "wrong name or pass phrase")
        self._record(operator.name, "operator.sign_on", operator.role.value)
        response = web.json_response({"done": True})
        self.give(response, self.sessions.sign_in(operator))
        return response

    async def post_session_end(self, request: web.Request) -> web.StreamResponse:
        """Sign out."""
        if (operator := self.operator(request)) is not None:
            self.sessions.sign_out(self._token(request))
            self._record(operator.name, "operator.sign_off", "")
        response = web.json_response({"done": True})
        response.del_cookie(self._cookie, path="/")
        return response

    async def _check(self, name: str, passphrase: str) -> Operator | None:
        if self._checking >= _MAX_CHECKS:
            raise web.HTTPServiceUnavailable(text="busy: try again\n")
        self._checking += 1
        check = functools.partial(self._file.verify, name, passphrase)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, check)
        finally:
            self._checking -= 1

    @property
    def _cookie(self) -> str:
        # Cookies know no ports: a second gateway on this machine has its own.
        return f"groundwatch-{self._port}"

    def _token(self, request: web.Request) -> str:
        token = request.cookies.get(self._cookie, "")
        return token if len(token) <= _MAX_TOKEN else ""

    def _names(self, request: web.Request) -> set[str]:
        hosts = {"127.0.0.1", "localhost", self._host}
        local = request.transport.get_extra_info("sockname") if request.transport else None
        if local:
            hosts.add(str(local[0]))
        port = local[1] if local else self._port
        return {f"{host}:{port}" for host in hosts}
