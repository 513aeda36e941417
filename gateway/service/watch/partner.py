# SPDX-License-Identifier: MIT
"""Service: heartbeats between gateways: one datagram each, under a key that both hold. Pure.

`GWHB1 <hex of HMAC-SHA256> <JSON>`. It is no older than the one before and near to our clock, so
that a copy keeps no gateway alive.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import msgspec

from gateway.model.text import format_json

MAX_BYTES = 512
MAX_APART_US = 300_000_000  # what two clocks may differ
_BEGIN = b"GWHB1 "


class Heartbeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gateway that monitors `site`, at this time of its clock (UTC microseconds)."""

    site: str
    at_us: int


class HeartbeatError(ValueError):
    """Why a datagram is no heartbeat: the name of a counter."""


def seal(beat: Heartbeat, key: str) -> bytes:
    """The datagram."""
    body = format_json(beat).encode()
    return _BEGIN + _tag(key, body) + b" " + body


def opened(datagram: bytes) -> tuple[bytes, bytes, Heartbeat]:
    """(tag, body, what it claims to be), not verified. Raises HeartbeatError."""
    if len(datagram) > MAX_BYTES or not datagram.startswith(_BEGIN):
        raise HeartbeatError("malformed")
    tag, _space, body = datagram.removeprefix(_BEGIN).partition(b" ")
    try:
        return tag, body, msgspec.json.decode(body, type=Heartbeat)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise HeartbeatError("malformed") from None


@dataclass(slots=True)
class Partner:
    """What is known of one gateway; `seen_s` is of a clock that only runs forward."""

    site: str
    key: str
    silent_s: float
    seen_s: float
    at_us: int = 0
    is_silent: bool | None = None  # None: not known yet

    def receive(self, tag: bytes, body: bytes, beat: Heartbeat, now_us: int, now_s: float) -> None:
        """A heartbeat that claims to be of this gateway. Raises HeartbeatError."""
        if not hmac.compare_digest(tag, _tag(self.key, body)):
            raise HeartbeatError("bad_tag")
        if abs(beat.at_us - now_us) > MAX_APART_US:
            raise HeartbeatError("other_clock")
        if beat.at_us <= self.at_us:
            raise HeartbeatError("copy")
        self.at_us, self.seen_s = beat.at_us, now_s

    def turned(self, now_s: float, received: bool) -> bool | None:
        """True when it has become silent, False when it is back, else None."""
        if received:
            is_new, self.is_silent = self.is_silent is not False, False
            return False if is_new else None
        if self.is_silent is not True and now_s - self.seen_s > self.silent_s:
            self.is_silent = True
            return True
        return None


def _tag(key: str, body: bytes) -> bytes:
    return hmac.digest(key.encode(), body, hashlib.sha256).hex().encode()
