# SPDX-License-Identifier: MIT
"""Node commands: the lines that a node sent in answer to a log command, from their parts."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gateway.node_commands.parts import parts_of
from gateway.wire.messages import Log

_GAP = "\n[a part is missing]\n"


class NodeLog(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a node, oldest first: those before its newest restart of its own, those of this
    boot, the traceback of its last failure. Only what can be shown on any terminal."""

    parts: int
    parts_missing: int
    lines: tuple[str, ...]


def assemble_log(payloads: Iterable[bytes], command_id: int) -> NodeLog | None:
    """Of stored messages, those that answer the command; None when there is none."""
    found = parts_of(Log, payloads, command_id)
    if not found:
        return None
    total = found[max(found)].total
    pieces = [found[at].data if at in found else None for at in range(total)]
    text = ""
    run = b""
    for piece in pieces:
        if piece is None:
            text += run.decode(errors="replace") + _GAP
            run = b""
        else:
            run += piece
    text += run.decode(errors="replace")
    return NodeLog(
        parts=total,
        parts_missing=pieces.count(None),
        lines=tuple(_shown(line) for line in text.split("\n") if line),
    )


def _shown(line: str) -> str:
    # A node that is in other hands must not steer a terminal.
    return "".join(one if one.isprintable() else "?" for one in line.rstrip("\r"))
