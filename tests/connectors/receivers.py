# SPDX-License-Identifier: MIT
"""Real receivers on loopback: a web server with a set behaviour, a mail server, their records."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from aiohttp import web
from aiosmtpd.handlers import Message as MessageHandler
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

Answer = Callable[[int], Awaitable[web.StreamResponse]]


@dataclass
class Received:
    """One request: headers and body."""

    headers: dict[str, str]
    body: bytes


@dataclass
class WebServer:
    """`answer(n)` gives the answer to the n-th request, counted from 1."""

    answer: Answer
    received: list[Received] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.received.append(Received(dict(request.headers), await request.read()))
        return await self.answer(len(self.received))


async def fine(_number: int) -> web.StreamResponse:
    return web.Response(status=204)


@asynccontextmanager
async def web_server(
    answer: Answer = fine, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[WebServer]:
    server = WebServer(answer)
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield server
    finally:
        await runner.cleanup()


class MailHandler(MessageHandler):
    """Keeps messages; the first `refuse` ones are answered with `code`."""

    def __init__(self, refuse: int, code: str) -> None:
        super().__init__()
        self.messages: list[Message] = []
        self.asked = 0
        self._refuse = refuse
        self._code = code

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        self.asked += 1
        if self.asked <= self._refuse:
            return self._code
        return await super().handle_DATA(server, session, envelope)

    def handle_message(self, message: Message) -> None:
        self.messages.append(message)


@dataclass
class MailServer:
    handler: MailHandler
    port: int


@asynccontextmanager
async def mail_server(
    password: str = "",
    refuse: int = 0,
    code: str = "451 try again later",
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    port: int = 0,
) -> AsyncIterator[MailServer]:
    handler = MailHandler(refuse, code)

    def check(_server: Any, _session: Any, _envelope: Any, _kind: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password == password.encode()
        return AuthResult(success=good)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(
            handler,
            hostname="localhost",
            authenticator=check if password else None,
            auth_required=bool(password),
            auth_require_tls=False,
            tls_context=starttls,
            loop=loop,
        ),
        "127.0.0.1",
        port,
        ssl=tls,
    )
    try:
        yield MailServer(handler, server.sockets[0].getsockname()[1])
    finally:
        server.close()
