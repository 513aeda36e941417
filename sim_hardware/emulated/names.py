# SPDX-License-Identifier: MIT
"""The emulated network's name server: absent, refusing, or one address for every name, maybe late.

RFC 1035, section 4: a message is a header of 12 bytes and here one question. Whatever else a guest
sends is dropped.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum

DELAY_MS_MAX = 600_000
_HEADER = struct.Struct(">6H")
_TYPE_A, _CLASS_IN = 1, 1
_RESPONSE, _RECURSION = 0x8000, 0x0080
_REFUSED = 5
_TTL_S = 60
_LABEL_MAX, _NAME_MAX = 63, 255


class Answer(Enum):
    """The answer of the name server to a question."""

    ABSENT = "absent"  # none: the guest waits until its own limit
    REFUSE = "refuse"  # response code 5
    GATEWAY = "gateway"  # the guest's gateway, 10.0.0.1, is the address of every name


@dataclass(frozen=True)
class NameServer:
    """How it answers, and how late in emulated time."""

    answer: Answer = Answer.ABSENT
    delay_ms: int = 0

    def reply(self, query: bytes, address: bytes) -> bytes | None:
        """The reply to one datagram; None where none is sent."""
        end = _question_end(query)
        if self.answer is Answer.ABSENT or end is None:
            return None
        ident, flags = struct.unpack_from(">2H", query)
        kind, family = struct.unpack_from(">2H", query, end - 4)
        flags = _RESPONSE | _RECURSION | flags & 0x0100
        if self.answer is Answer.REFUSE:
            return _HEADER.pack(ident, flags | _REFUSED, 1, 0, 0, 0) + query[12:end]
        is_known = (kind, family) == (_TYPE_A, _CLASS_IN)
        reply = _HEADER.pack(ident, flags, 1, int(is_known), 0, 0) + query[12:end]
        if is_known:  # the name again, as a pointer to the question
            reply += struct.pack(">3HIH", 0xC00C, _TYPE_A, _CLASS_IN, _TTL_S, 4) + address
        return reply


def _question_end(query: bytes) -> int | None:
    """Where the one question ends; None when the datagram is no standard query of one question."""
    if len(query) < 17:
        return None
    _ident, flags, questions, *_ = _HEADER.unpack_from(query)
    if flags & 0xF800 or questions != 1:
        return None
    at = 12
    while at < len(query) and query[at]:
        if query[at] > _LABEL_MAX or at - 12 > _NAME_MAX:
            return None
        at += 1 + query[at]
    return at + 5 if at + 5 <= len(query) else None
