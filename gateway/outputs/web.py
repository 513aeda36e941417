# SPDX-License-Identifier: MIT
"""Outputs: webhook, signed with HMAC-SHA256, and ntfy. One request each, no redirects, no proxy."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from gateway.model.text import format_json
from gateway.outputs.config import OutputConfig
from gateway.outputs.delivery import TIMEOUT_S, DeliveryError
from gateway.outputs.problems import plain

SIGNATURE = "X-Groundwatch-Signature"
DELIVERY = "X-Groundwatch-Delivery"
_RETRY_AFTER_MOST_S = 300.0
# RFC 9110: what a later attempt may change (408, 425, 429 and the server's own errors).
_TRY_AGAIN = frozenset({408, 425, 429})
_NTFY_PRIORITY = {1: 5, 2: 4, 3: 3}  # ours, 1 is the most urgent -> theirs, 5 is
_HEAD_MOST = 8190  # of an answer; its body is never read


def sign(secret: str, at_s: int, body: bytes) -> str:
    """`t=<seconds>,v1=<hex>`: HMAC-SHA256 of "<seconds>." and the body, under the shared secret."""
    mac = hmac.digest(secret.encode(), b"%d." % at_s + body, hashlib.sha256)
    return f"t={at_s},v1={mac.hex()}"


class Webhook:
    """POSTs the notification as JSON. The receiver checks signature and age, and by the delivery's
    number that it has not had it before."""

    def __init__(self, config: OutputConfig, clock_s: Callable[[], float] = time.time) -> None:
        self._config = config
        self._clock_s = clock_s

    async def deliver(self, body: dict[str, Any]) -> str:
        """Handed over when this returns. Raises DeliveryError."""
        data = format_json(body).encode()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: sign(self._config.secret, int(self._clock_s()), data),
            DELIVERY: str(body["delivery"]),
        }
        return await _post(self._config, data, headers)


class Ntfy:
    """Publishes to a topic of an ntfy server, as JSON to its root."""

    def __init__(self, config: OutputConfig) -> None:
        self._config = config

    async def deliver(self, body: dict[str, Any]) -> str:
        """Handed over when this returns. Raises DeliveryError."""
        value = {
            "topic": self._config.topic,
            "title": body["title"],
            "message": body["text"],
            "priority": _NTFY_PRIORITY[body["priority"]],
            "tags": [body["kind"]],
        }
        headers = {"Content-Type": "application/json"}
        if self._config.secret:
            headers["Authorization"] = f"Bearer {self._config.secret}"
        return await _post(self._config, format_json(value).encode(), headers)


async def _post(config: OutputConfig, data: bytes, headers: dict[str, str]) -> str:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(
                timeout=timeout,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                max_line_size=_HEAD_MOST,
                max_field_size=_HEAD_MOST,
            ) as session,
            session.post(
                config.url,
                data=data,
                headers=headers,
                allow_redirects=False,
                ssl=config.trust.context if config.trust else True,
            ) as answer,
        ):
            status, wait = answer.status, answer.headers.get("Retry-After", "")
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise DeliveryError(plain(error)) from None
    if 200 <= status < 300:
        return f"answered {status}"
    again = status in _TRY_AGAIN or status >= 500
    after_s = min(float(wait), _RETRY_AFTER_MOST_S) if wait.isascii() and wait.isdigit() else 0.0
    raise DeliveryError(f"answered {status}", again, after_s)
