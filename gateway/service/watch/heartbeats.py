# SPDX-License-Identifier: MIT
"""Service: a dead man's switch: heartbeats that others miss when this gateway is gone.

One is sent only after a request has passed intake and store: a gateway that hangs, sleeps or cannot
store sends none, and the other side raises the alarm.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from gateway.config.fields import tls_files
from gateway.config.heartbeats import HeartbeatConfig
from gateway.links.post import post
from gateway.model.text import format_json
from gateway.ports.connector import DeliveryError
from gateway.ports.problems import failure_text
from gateway.service.watch.partner import Heartbeat, seal
from gateway.tls import client_context

_LOG = logging.getLogger(__name__)
_PROBE_S = 10.0
_SHORT_WAIT_S = 10.0  # after a failure, where `every_s` is longer
_MAX_ANSWER = 65_536


class HeartbeatSender:
    """One [[heartbeat]]. `alive` returns once a request has passed intake and store. `problem` is
    empty while the other side answers."""

    def __init__(
        self,
        config: HeartbeatConfig,
        site: str,
        alive: Callable[[], Awaitable[None]],
        clock_us: Callable[[], int],
    ) -> None:
        self.name = config.name
        self.problem = ""
        self.counters: Counter[str] = Counter()
        self._config = config
        self._site = site
        self._alive = alive
        self._clock_us = clock_us
        is_tls = urlsplit(config.url or "").scheme == "https"
        self._tls = client_context(tls_files(config.ca_file)) if is_tls else None
        self._send = {"url": self._to_url, "ntfy": self._to_ntfy, "partner": self._to_partner}[
            config.kind
        ]

    async def run(self) -> None:
        """Until cancelled."""
        every_s = self._config.every_s
        while True:
            await self.beat()
            await asyncio.sleep(min(every_s, _SHORT_WAIT_S) if self.problem else every_s)

    async def beat(self) -> None:
        """One heartbeat, if this gateway monitors."""
        try:
            async with asyncio.timeout(_PROBE_S):
                await self._alive()
        except TimeoutError:
            self._failed("intake or store do not answer: no heartbeat is sent")
            return
        try:
            await self._send()
        except (DeliveryError, OSError) as error:
            own = isinstance(error, DeliveryError)
            self._failed(str(error) if own else failure_text(error))
            return
        self.counters["sent"] += 1
        if self.problem:
            _LOG.info("heartbeat %s is sent again", self.name)
        self.problem = ""

    def _failed(self, problem: str) -> None:
        self.counters["failed"] += 1
        if problem != self.problem:
            _LOG.warning("heartbeat %s: %s", self.name, problem)
        self.problem = problem

    async def _to_url(self) -> None:
        body = format_json({"site": self._site, "at_us": self._clock_us()}).encode()
        headers = {"Content-Type": "application/json"}
        await post(str(self._config.url), body, headers, self._tls)

    async def _to_ntfy(self) -> None:
        """The alarm itself, due after `silent_s`: each heartbeat takes the place of the one before
        (ntfy 2.16 and newer)."""
        config, sequence = self._config, f"groundwatch-{self._site}"
        value = {
            "topic": config.topic,
            "title": f"{self._site}: the gateway is silent",
            "message": f"No heartbeat for {config.silent_s} s: the site is not monitored.",
            "priority": 5,
            "tags": ["gateway_lost"],
            "delay": f"{config.silent_s}s",
            "sequence_id": sequence,
        }
        headers = {"Content-Type": "application/json"}
        if config.token:
            headers["Authorization"] = f"Bearer {config.token}"
        data = format_json(value).encode()
        answer = await post(str(config.url), data, headers, self._tls, _MAX_ANSWER)
        if not _is_put_off(answer.body, str(config.topic), sequence):
            raise DeliveryError("no ntfy of version 2.16 or newer answers there")

    async def _to_partner(self) -> None:
        config = self._config
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(config.host, config.port, type=socket.SOCK_DGRAM)
        family, kind, protocol, _name, address = found[0]
        with socket.socket(family, kind, protocol) as sender:
            sender.setblocking(False)
            sender.sendto(seal(Heartbeat(self._site, self._clock_us()), str(config.key)), address)


def _is_put_off(answer: bytes, topic: str, sequence: str) -> bool:
    """Whether ntfy has scheduled it, and will replace it by the next."""
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict):
        return False
    return value.get("topic") == topic and value.get("sequence_id") == sequence
