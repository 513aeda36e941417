# SPDX-License-Identifier: MIT
"""API: one call: caller and request, read strictly; and the errors that become answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from gateway.api.service import ServiceFacade
from gateway.model.actions.identity import Identity

MAX_KEY = 64
_MAX_DIGITS = 16
_KEY = re.compile(r"[\x21-\x7e]{1,64}")
_AT = re.compile(r" - at `\$\.?(.*)`$")

_T = TypeVar("_T")


class ApiError(Exception):
    """An answer other than success: its status, and one line for the caller."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


@dataclass(frozen=True, slots=True)
class Call:
    """`id` is the variable part of the address; `body` and `query` are of the route's types."""

    service: ServiceFacade
    who: Identity
    id: str = ""
    body: Any = None
    query: Any = None
    key: str = ""

    def number(self) -> int:
        """`id` as the number of an alarm, mask, walk or cue. Raises ApiError."""
        fits = self.id.isascii() and self.id.isdigit() and len(self.id) <= _MAX_DIGITS
        if not fits or not 0 < int(self.id) < 1 << 53:
            raise ApiError(400, "the number in the address must be a whole number, 1 or more")
        return int(self.id)


def read_body(data: bytes, kind: type[_T]) -> _T:
    """A posted body. Raises ApiError."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, _plain(error, "the body is not JSON")) from None


def read_query(pairs: list[tuple[str, str]], kind: type[_T]) -> _T:
    """Query parameters. Raises ApiError."""
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ApiError(400, "a query parameter is given twice")
    try:
        return msgspec.convert(values, kind, strict=False)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, _plain(error, "the query is invalid")) from None


def read_key(written: str) -> str:
    """The Idempotency-Key header; empty: none. Raises ApiError."""
    if written and not _KEY.fullmatch(written):
        raise ApiError(400, f"Idempotency-Key must be 1 to {MAX_KEY} printable characters")
    return written


def _plain(error: Exception, otherwise: str) -> str:
    """One line; `$.minutes` becomes `minutes`."""
    if not isinstance(error, msgspec.ValidationError):
        return otherwise
    text = " ".join(str(error).replace("`", "").split())
    found = _AT.search(str(error))
    if found is None:
        return text[:200]
    place = found[1] or "the body"
    return f"{place[:64]}: {text.rpartition(' - at ')[0][:200]}"
