# SPDX-License-Identifier: MIT
"""Links: one HTTP POST to a server that may be slow, hostile or away. No redirects, no proxy."""

from __future__ import annotations

import ssl

from gateway.ports.connector import DELIVERY_TIMEOUT_S, DeliveryError
from gateway.ports.problems import failure_text

_MAX_RETRY_AFTER_S = 300.0
# RFC 9110: what a later attempt may change (408, 425, 429 and the server's own errors).
_TRY_AGAIN = frozenset({408, 425, 429})
_MAX_HEAD = 8190  # bytes of an answer's line or field; its body is never read


async def post(url: str, data: bytes, headers: dict[str, str], tls: ssl.SSLContext | None) -> str:
    """The receipt when the server accepted it. Raises DeliveryError."""
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
            ) as session,
            session.post(
                url, data=data, headers=headers, allow_redirects=False, ssl=tls or True
            ) as answer,
        ):
            status, wait = answer.status, answer.headers.get("Retry-After", "")
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise DeliveryError(failure_text(error)) from None
    if 200 <= status < 300:
        return f"answered {status}"
    again = status in _TRY_AGAIN or status >= 500
    after_s = min(float(wait), _MAX_RETRY_AFTER_S) if wait.isascii() and wait.isdigit() else 0.0
    raise DeliveryError(f"answered {status}", again, after_s)
