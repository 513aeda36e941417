# SPDX-License-Identifier: MIT
"""Node commands: the waveform that a node sent in answer to a snippet command, from its parts."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gateway.node_commands.parts import parts_of
from gateway.wire.messages import Snippet

_BIAS = 0x84  # ITU-T G.711, mu-law: added before the exponent is found


class Waveform(msgspec.Struct, frozen=True, kw_only=True):
    """`samples` in units of 4 nm/s, without their mean, oldest first; None where a part did not
    arrive. `t_ms` is the node's uptime at the first of them."""

    fs_hz: int
    t_ms: int
    parts: int
    parts_missing: int
    samples: tuple[int | None, ...]


def assemble(payloads: Iterable[bytes], command_id: int) -> Waveform | None:
    """Of stored messages, those that answer the command; None when there is none."""
    found = parts_of(Snippet, payloads, command_id)
    if not found:
        return None
    newest = max(found.values(), key=lambda part: part.index)
    size = max(len(part.data) for part in found.values())
    samples: list[int | None] = []
    for index in range(newest.total):
        part = found.get(index)
        samples += [None] * size if part is None else map(linear, part.data)
    first = found[min(found)]
    return Waveform(
        fs_hz=first.fs_hz,
        t_ms=max(0, first.t_ms - first.index * size * 1000 // first.fs_hz),
        parts=newest.total,
        parts_missing=newest.total - sum(index < newest.total for index in found),
        samples=tuple(samples),
    )


def linear(code: int) -> int:
    """A mu-law code (0..255) as a sample of 16 bits (G.711, table 2b, times four)."""
    code = ~code & 0xFF
    magnitude = ((code & 0x0F) << 3 | _BIAS) << (code >> 4 & 7)
    return _BIAS - magnitude if code & 0x80 else magnitude - _BIAS
