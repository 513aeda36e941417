# SPDX-License-Identifier: MIT
"""Connectors: ntfy: the request for a notification. Pure."""

from __future__ import annotations

from typing import Any

from gateway.model.text import format_json

PRIORITY = {1: 5, 2: 4, 3: 3}  # ours, 1 is the most urgent -> theirs, 5 is


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
