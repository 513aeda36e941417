# SPDX-License-Identifier: MIT
"""Real receivers on loopback: a web server with a set behaviour, a mail server, their records."""

from __future__ import annotations

import asyncio
import json
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
Reply = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


@dataclass
class Received:
    """One request: headers and body."""

    headers: dict[str, str]
    body: bytes


@dataclass
class WebServer:
    """`answer(n)` gives the answer to the n-th request, counted from 1; or `reply` does by it."""

    answer: Answer
    reply: Reply | None = None
    received: list[Received] = field(default_factory=list)
    url: str = ""

    @property
    def root(self) -> str:
        return self.url.removesuffix("hook")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.received.append(Received(dict(request.headers), body))
        if self.reply is not None:
            return await self.reply(request, body)
        return await self.answer(len(self.received))


async def fine(_number: int) -> web.StreamResponse:
    return web.Response(status=204)


@asynccontextmanager
async def web_server(
    answer: Answer = fine,
    tls: ssl.SSLContext | None = None,
    port: int = 0,
    reply: Reply | None = None,
) -> AsyncIterator[WebServer]:
    server = WebServer(answer, reply)
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


async def as_ntfy(request: web.Request, body: bytes) -> web.StreamResponse:
    """What ntfy answers: JSON to its root is a message; below a topic's address the body is its
    text, whatever it is (docs.ntfy.sh, "Publish as JSON")."""
    topic, fields = request.path.strip("/"), dict[str, Any]()
    if not topic:
        fields = json.loads(body)
        topic = fields["topic"]
    message = {"id": "hwQ2YpKdmg", "time": 1_790_000_000, "event": "message", "topic": topic}
    message["message"] = fields.get("message", body.decode())
    message |= {key: fields[key] for key in ("title", "priority", "tags") if key in fields}
    return web.json_response(message)


# (recipient) -> the refusal at RCPT; None: accepted.
Refusal = Callable[[str], str | None]


class MailHandler(MessageHandler):
    """Keeps messages; the first `refuse` ones are answered with `code`, recipients by `recipient`.

    A bare host name at EHLO is refused, as many servers do."""

    def __init__(self, refuse: int, code: str, recipient: Refusal = lambda _to: None) -> None:
        super().__init__()
        self.messages: list[Message] = []
        self.asked = 0
        self.greetings: list[str] = []
        self._refuse = refuse
        self._code = code
        self._recipient = recipient

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's name
        self, server: Any, session: Any, _envelope: Any, hostname: str, answers: list[str]
    ) -> list[str]:
        self.greetings.append(hostname)
        if "." not in hostname and ":" not in hostname:
            return [f"504 5.5.2 <{hostname}>: Helo command rejected: need fully-qualified hostname"]
        session.host_name = hostname
        return answers

    async def handle_HELO(  # noqa: N802  # aiosmtpd's name
        self, _server: Any, session: Any, _envelope: Any, hostname: str
    ) -> str:
        self.greetings.append(hostname)
        return f"504 5.5.2 <{hostname}>: Helo command rejected: need fully-qualified hostname"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        refused = self._recipient(address)
        if refused is None:
            envelope.rcpt_tos.append(address)
        return refused or "250 2.1.5 Ok"

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
    recipient: Refusal = lambda _to: None,
) -> AsyncIterator[MailServer]:
    handler = MailHandler(refuse, code, recipient)

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
