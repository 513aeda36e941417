# SPDX-License-Identifier: MIT
"""Links: one HTTP POST to a server that may be slow, hostile or away. No redirects, no proxy."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, NamedTuple

from gateway.ports.connector import DELIVERY_TIMEOUT_S, DeliveryError
from gateway.ports.problems import failure_text

if TYPE_CHECKING:
    import aiohttp

_MAX_RETRY_AFTER_S = 300.0
# RFC 9110: what is wrong with the request itself, or gone for good. Every other answer may be of a
# proxy, a captive portal or a server under repair, or a person can correct it.
_FINAL = frozenset({400, 410, 413, 414, 415, 422})
_MAX_HEAD = 8190  # bytes of an answer's line or field


class Answer(NamedTuple):
    """Of a server that accepted the request; `body` is the begin of it."""

    status: int
    body: bytes

    @property
    def receipt(self) -> str:
        """In our words."""
        return f"answered {self.status}"


async def post(
    url: str, data: bytes, headers: dict[str, str], tls: ssl.SSLContext | None, max_body: int = 0
) -> Answer:
    """The server accepted it; up to `max_body` bytes of its answer are read. Raises
    DeliveryError."""
    import aiohttp  # only where a connector that needs it is configured

    timeout = aiohttp.ClientTimeout(total=DELIVERY_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(
                timeout=timeout,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                max_line_size=_MAX_HEAD,
                max_field_size=_MAX_HEAD,
                auto_decompress=False,
            ) as session,
            session.post(
                url, data=data, headers=headers, allow_redirects=False, ssl=tls or True
            ) as answer,
        ):
            status, wait = answer.status, answer.headers.get("Retry-After", "")
            if 200 <= status < 300:
                return Answer(status, await _begin(answer.content, max_body))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise DeliveryError(failure_text(error)) from None
    after_s = min(float(wait), _MAX_RETRY_AFTER_S) if wait.isascii() and wait.isdigit() else 0.0
    raise DeliveryError(_refusal(status), status not in _FINAL, after_s)


async def _begin(stream: aiohttp.StreamReader, max_bytes: int) -> bytes:
    found = b""
    while len(found) < max_bytes and (more := await stream.read(max_bytes - len(found))):
        found += more
    return found


def _refusal(status: int) -> str:
    if 300 <= status < 400:
        return f"answered {status}: a redirect, which is not followed: another address, or a portal"
    return f"answered {status}"
