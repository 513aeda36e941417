# SPDX-License-Identifier: MIT
"""Connectors: ntfy: the request for a notification, and its answer. Pure."""

from __future__ import annotations

import json
from typing import Any

from gateway.model.text import format_json

PRIORITY = {1: 5, 2: 4, 3: 3}  # ours, 1 is the most urgent -> theirs, 5 is

MAX_ANSWER = 65_536  # bytes; a message has 4096 at most, each of them escaped at worst


def request(body: dict[str, Any], topic: str, token: str | None) -> tuple[bytes, dict[str, str]]:
    """(data, headers) of ntfy's publishing as JSON, to the root of the server."""
    value = {
        "topic": topic,
        "title": body["title"],
        "message": body["text"],
        "priority": PRIORITY[body["priority"]],
        "tags": [body["kind"]],
    }
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return format_json(value).encode(), headers


def is_published(answer: bytes, topic: str) -> bool:
    """Whether it is ntfy's answer to a message with a title on this topic. A captive portal answers
    200 as well, and ntfy accepts JSON below the address of a topic: as the text of a message."""
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict):
        return False
    return value.get("event") == "message" and value.get("topic") == topic and "title" in value
