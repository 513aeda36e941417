# SPDX-License-Identifier: MIT
"""Connectors: webhook: the request for a notification. Pure."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from gateway.model.text import format_json

SIGNATURE = "X-Groundwatch-Signature"
DELIVERY = "X-Groundwatch-Delivery"


def sign(secret: str, at_s: int, body: bytes) -> str:
    """`t=<seconds>,v1=<hex>`: HMAC-SHA256 of "<seconds>." and the body, under the shared secret."""
    mac = hmac.digest(secret.encode(), b"%d." % at_s + body, hashlib.sha256)
    return f"t={at_s},v1={mac.hex()}"


def request(body: dict[str, Any], secret: str, at_s: int) -> tuple[bytes, dict[str, str]]:
    """(data, headers). A receiver checks signature and age, and knows a copy by the delivery."""
    data = format_json(body).encode()
    headers = {
        "Content-Type": "application/json",
        SIGNATURE: sign(secret, at_s, data),
        DELIVERY: str(body["delivery"]),
    }
    return data, headers
