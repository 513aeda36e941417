# SPDX-License-Identifier: MIT
"""Node commands: an answer that a node sends in parts, each of them a message of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from gateway.wire import codec
from gateway.wire.errors import WireError
from gateway.wire.messages import Log, Snippet

Part = TypeVar("Part", Log, Snippet)


def parts_of(kind: type[Part], payloads: Iterable[bytes], command_id: int) -> dict[int, Part]:
    """Of stored messages, the parts that answer the command, by their index."""
    found: dict[int, Part] = {}
    for payload in payloads:
        try:
            message = codec.decode(payload, "up")
        except WireError:
            continue  # of another version of the schema
        if isinstance(message, kind) and message.command_id == command_id:
            found.setdefault(message.index, message)
    return found
