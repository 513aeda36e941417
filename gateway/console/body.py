# SPDX-License-Identifier: MIT
"""The window: strict reading of a posted JSON body; each key is taken once, none is left over."""

from __future__ import annotations

import json
from typing import Any

BODY_MOST = 16_384


class Body:
    """One JSON object. Everything that is not as it must be raises ValueError with one line."""

    def __init__(self, data: bytes) -> None:
        try:
            value: Any = json.loads(data, parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise ValueError("the body is not JSON") from None
        if not isinstance(value, dict):
            raise ValueError("the body must be a JSON object")
        self._values = value

    def text(self, key: str, most: int, least: int = 1) -> str:
        """Printable text of `least` to `most` characters; absent is empty where that will do."""
        value = self._values.pop(key, "")
        if not isinstance(value, str) or not value.isprintable():
            raise ValueError(f"{key} must be text in one line")
        value = value.strip()
        if not least <= len(value) <= most:
            raise ValueError(f"{key} must have {least} to {most} characters")
        return value

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        value = self._values.pop(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"{key} must be a whole number {low} to {high}")
        return value

    def boolean(self, key: str) -> bool:
        value = self._values.pop(key, None)
        if not isinstance(value, bool):
            raise ValueError(f"{key} must be true or false")
        return value

    def choice(self, key: str, words: list[str]) -> str | None:
        """One of the words; null or absent is None."""
        value = self._values.pop(key, None)
        if value is not None and (not isinstance(value, str) or value not in words):
            raise ValueError(f"{key} must be one of {', '.join(words)}")
        return value

    def names(self, key: str, known: set[str]) -> tuple[str, ...]:
        """A list of known names, each once; absent is none."""
        value = self._values.pop(key, [])
        if not isinstance(value, list) or len(value) > len(known):
            raise ValueError(f"{key} must be a list of names")
        for item in value:
            if not isinstance(item, str) or item not in known:
                raise ValueError(f"{key}: {str(item)[:32]!r} is not known here")
        return tuple(dict.fromkeys(value))

    def done(self) -> None:
        """Refuse what nobody asked for."""
        for key in self._values:
            raise ValueError(f"{key[:32]!r} is not a known key")


def _refuse(word: str) -> None:
    raise ValueError(word)
