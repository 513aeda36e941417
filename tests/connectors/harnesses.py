# SPDX-License-Identifier: MIT
"""How the conformance suite looks at the far side of each built-in connector."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from gateway.ports.discovery import find_type
from tests.connectors.harness import ACTS, NOTIFIER, SINK, Harness, Shown
from tests.connectors.mosquitto import Listener, Mosquitto, publish, retained, retained_json
from tests.connectors.receivers import (
    MailServer,
    Reply,
    WebServer,
    as_ntfy,
    mail_server,
    web_server,
)
from tests.outbox.deliveries import secret
from tests.ports import free_port

NOTIFY = {"per_minute": 600, "repeat_s": 0}


class WebHarness(Harness):
    """A web server that can be closed and opened on the same port."""

    roles = frozenset({NOTIFIER})
    extra: ClassVar[dict[str, Any]] = {}
    reply: ClassVar[Reply | None] = None

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._port = free_port()
        self._bodies: list[bytes] = []
        self._open = AsyncExitStack()

    @asynccontextmanager
    async def far_side(self) -> AsyncIterator[None]:
        await self.mend()
        try:
            yield
        finally:
            await self.cut()

    async def cut(self) -> None:
        await self._open.aclose()

    async def mend(self) -> None:
        self._open = AsyncExitStack()
        server: WebServer = await self._open.enter_async_context(
            web_server(port=self._port, reply=self.reply)
        )
        server.received = _Bodies(self._bodies)

    def delivered(self) -> list[str]:
        return [body.decode() for body in self._bodies]


class _Bodies(list[Any]):
    """Keeps what was received over several servers."""

    def __init__(self, bodies: list[bytes]) -> None:
        super().__init__()
        self._bodies = bodies

    def append(self, request: Any) -> None:
        super().append(request)
        self._bodies.append(request.body)


class WebhookHarness(WebHarness):
    kind = find_type("webhook")

    def table(self) -> dict[str, Any]:
        return {
            "kind": "webhook",
            "name": "hook",
            "url": f"http://127.0.0.1:{self._port}/hook",
            "secret_file": secret(self.folder, "k" * 32),
            **NOTIFY,
        }


class NtfyHarness(WebHarness):
    kind = find_type("ntfy")
    reply = staticmethod(as_ntfy)

    def table(self) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self._port}/"
        return {"kind": "ntfy", "name": "phone", "url": url, "topic": "north", **NOTIFY}


class EmailHarness(Harness):
    """A mail server that can be closed and opened on the same port."""

    kind = find_type("email")
    roles = frozenset({NOTIFIER})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._port = free_port()
        self._servers: list[MailServer] = []
        self._open = AsyncExitStack()

    def table(self) -> dict[str, Any]:
        return {
            "kind": "email",
            "name": "chief",
            "host": "127.0.0.1",
            "port": self._port,
            "tls": "none",
            "from": "yard@example.net",
            "to": ["chief@example.net"],
            **NOTIFY,
        }

    @asynccontextmanager
    async def far_side(self) -> AsyncIterator[None]:
        await self.mend()
        try:
            yield
        finally:
            await self.cut()

    async def cut(self) -> None:
        await self._open.aclose()

    async def mend(self) -> None:
        self._open = AsyncExitStack()
        server = await self._open.enter_async_context(mail_server(port=self._port))
        self._servers.append(server)

    def delivered(self) -> list[str]:
        return [str(one["Subject"]) for server in self._servers for one in server.handler.messages]


class BrokerHarness(Harness):
    """A mosquitto, killed and started again empty."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        self._broker = Mosquitto(folder, self.port)

    @asynccontextmanager
    async def far_side(self) -> AsyncIterator[None]:
        await self._broker.start()
        try:
            yield
        finally:
            await self._broker.kill()

    async def cut(self) -> None:
        await self._broker.kill()

    async def mend(self) -> None:
        await self._broker.start()


class MqttHarness(BrokerHarness):
    kind = find_type("mqtt")
    roles = frozenset({NOTIFIER, SINK})

    def table(self) -> dict[str, Any]:
        table = {"kind": "mqtt", "name": "other", "host": "127.0.0.1", "port": self.port}
        return {**table, "mirror": True, **NOTIFY}

    @asynccontextmanager
    async def far_side(self) -> AsyncIterator[None]:
        async with super().far_side(), Listener(self.port, "groundwatch/alarms") as self._listener:
            yield

    async def shown(self, kind: str, name: str) -> Shown | None:
        topic = f"groundwatch/alarms/state/{kind}/{quote(name, safe='')}"
        text = (await retained(self.port, topic)).get(topic)
        if not text:
            return None
        value = json.loads(text)
        return Shown(text.decode(), value["error_m"], value["at_us"])

    async def names_shown(self, kind: str) -> list[str]:
        found = await retained(self.port, f"groundwatch/alarms/state/{kind}/+")
        return [topic.rpartition("/")[2] for topic in found]

    def delivered(self) -> list[str]:
        return [payload.decode() for _topic, payload in self._listener.received]


class HomeAssistantHarness(BrokerHarness):
    kind = find_type("home_assistant")
    roles = frozenset({SINK, ACTS})
    base = "groundwatch/ha/yard"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._presses = 0

    def table(self) -> dict[str, Any]:
        return {
            "kind": "home_assistant",
            "name": "ha",
            "host": "127.0.0.1",
            "port": self.port,
            "may": ["acknowledge"],
        }

    async def shown(self, kind: str, name: str) -> Shown | None:
        if kind == "alarm":
            for value in (await retained_json(self.port, f"{self.base}/sector/+")).values():
                attributes = value["attributes"]
                if str(attributes.get("alarm")) == name:
                    at_us = int(datetime.fromisoformat(attributes["at"]).timestamp() * 1e6)
                    return Shown(json.dumps(value), attributes["error_m"], at_us)
            return None
        state, device = f"{self.base}/{kind}/{name}", f"groundwatch_yard_{kind}_{name}"
        found = await retained_json(self.port, state, f"homeassistant/device/{device}/config")
        return Shown(json.dumps(found), None, None) if found else None

    async def names_shown(self, kind: str) -> list[str]:
        assert kind == "alarm"
        states = await retained_json(self.port, f"{self.base}/sector/+")
        alarms = [value["attributes"].get("alarm") for value in states.values()]
        return [str(alarm) for alarm in alarms if alarm is not None]

    async def send(self, count: int) -> None:
        numbers = range(self._presses, self._presses + count)
        self._presses += count
        await self._command(*(b"oldest %d" % number for number in numbers))

    async def send_hostile(self) -> int:
        forged = (
            b"",
            b"\xff\xfe",
            b"oldest oldest",
            b"oldest -1",
            b"OLDEST",
            b"7; drop table alarms",
            b"-7",
            b"7.0",
            b"99999999999999999999",
            b"12345",
            b"{" * 60,
            b"oldest " + b"9" * 100,
            b"x" * 5000,
        )
        await self._command(*forged)
        return len(forged)

    async def _command(self, *payloads: bytes) -> None:
        await publish(self.port, [(f"{self.base}/command", payload) for payload in payloads])


BUILT_IN: dict[str, type[Harness]] = {
    "webhook": WebhookHarness,
    "ntfy": NtfyHarness,
    "email": EmailHarness,
    "mqtt": MqttHarness,
    "home_assistant": HomeAssistantHarness,
}
