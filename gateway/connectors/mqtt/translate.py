# SPDX-License-Identifier: MIT
"""Connectors: mqtt: topics and payloads of the mirrored picture. Pure."""

from __future__ import annotations

from urllib.parse import quote, unquote

from gateway.model.text import format_json
from gateway.ports.picture import Change


def status_topic(root: str) -> str:
    """`online`, or `offline` by Will: whether the mirrored picture is kept true."""
    return f"{root}/status"


def state_filter(root: str) -> str:
    """Of everything that is mirrored."""
    return f"{root}/state/#"


def state_topic(root: str, kind: str, name: str) -> str:
    """An id may hold what a topic level must not (`/`, `+`, `#`): percent-encoded."""
    return f"{root}/state/{quote(kind, safe='')}/{quote(name, safe='')}"


def state_key(root: str, topic: str) -> tuple[str, str] | None:
    """(kind, id) of a state topic; None for others."""
    prefix = f"{root}/state/"
    parts = topic.removeprefix(prefix).split("/")
    if not topic.startswith(prefix) or len(parts) != 2:
        return None
    return unquote(parts[0]), unquote(parts[1])


def payload(change: Change) -> bytes:
    """The view as JSON; empty when it is gone."""
    return b"" if change.value is None else format_json(change.value).encode()
