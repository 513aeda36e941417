# SPDX-License-Identifier: MIT
"""Configuration: strict reading of TOML; every refusal names the key and shows an example."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeGuard

from gateway.errors import ConfigError

# Site and node ids appear in topics, client ids and file names.
ID_PATTERN = re.compile(r"[a-z0-9_-]{1,16}")
_MAX_FILE_BYTES = 1 << 20


def load(path: Path) -> Table:
    """The root table of a TOML file."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if len(raw) > _MAX_FILE_BYTES:
        raise ConfigError(f"{path}: larger than {_MAX_FILE_BYTES} bytes, not a configuration file")
    try:
        return Table(tomllib.loads(raw.decode()), str(path), "")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


class Table:
    """One table; each key is taken once, and `done()` refuses what nobody took."""

    def __init__(self, values: dict[str, Any], source: str, prefix: str) -> None:
        self._values = dict(values)
        self._source = source
        self._prefix = prefix

    def fail(self, key: str, problem: str, example: str) -> ConfigError:
        return ConfigError(f"{self._source}: {self._prefix}{key} {problem}, e.g. {example}")

    def has(self, key: str) -> bool:
        return key in self._values

    def text(self, key: str, example: str, default: str | None = None) -> str:
        value = self._values.pop(key, default)
        if not isinstance(value, str) or not value:
            problem = "is missing" if value is None else "must be text"
            raise self.fail(key, problem, f'{key} = "{example}"')
        return value

    def texts(self, key: str, example: str, most: int) -> tuple[str, ...]:
        """A list of 1 to `most` texts."""
        value = self._values.pop(key, None)
        fits = isinstance(value, list) and 1 <= len(value) <= most
        if not fits or not all(isinstance(item, str) and item for item in value or ()):
            raise self.fail(key, f"must be a list of 1 to {most} texts", f'{key} = ["{example}"]')
        return tuple(value or ())

    def optional_text(self, key: str, example: str) -> str | None:
        return self.text(key, example) if key in self._values else None

    def identifier(self, key: str, example: str) -> str:
        value = self.text(key, example)
        if not ID_PATTERN.fullmatch(value):
            raise self.fail(key, "must be 1 to 16 of a-z 0-9 _ -", f'{key} = "{example}"')
        return value

    def integer(
        self, key: str, low: int, high: int, example: int, default: int | None = None
    ) -> int:
        value = self._values.pop(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.fail(key, f"must be a whole number {low} to {high}", f"{key} = {example}")
        return value

    def number(self, key: str, example: float, default: float | None = None) -> float:
        value = self._values.pop(key, default)
        if not _is_number(value):
            raise self.fail(key, "must be a number of metres or degrees", f"{key} = {example}")
        return float(value)

    def boolean(self, key: str, default: bool | None = None) -> bool:
        value = self._values.pop(key, default)
        if not isinstance(value, bool):
            raise self.fail(key, "must be true or false", f"{key} = true")
        return value

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        value = self._values.pop(key, default)
        if value not in choices:
            words = " or ".join(f'"{word}"' for word in choices)
            raise self.fail(key, f"must be {words}", f'{key} = "{default}"')
        return str(value)

    def points(self, key: str) -> tuple[tuple[float, float], ...]:
        """A list of [x, y] pairs, metres; absent means none."""
        raw = self._values.pop(key, [])
        example = f"{key} = [[0, 0], [50, 0], [50, 30]]"
        if not isinstance(raw, list) or len(raw) > 1000:
            raise self.fail(key, "must be a list of points", example)
        points = []
        for item in raw:
            if not isinstance(item, list) or len(item) != 2:
                raise self.fail(key, "must be a list of [x, y] pairs", example)
            if not all(_is_number(number) for number in item):
                raise self.fail(key, "must hold numbers of metres", example)
            points.append((float(item[0]), float(item[1])))
        return tuple(points)

    def table(self, key: str, required: bool = False) -> Table:
        value = self._values.pop(key, None if required else {})
        if not isinstance(value, dict):
            raise self.fail(key, "must be a table", f"[{key}]")
        return Table(value, self._source, f"{self._prefix}{key}.")

    def tables(self, key: str) -> list[Table]:
        value = self._values.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.fail(key, "must be a list of tables", f"[[{key}]]")
        return [
            Table(item, self._source, f"{self._prefix}{key}[{i}].") for i, item in enumerate(value)
        ]

    def done(self) -> None:
        for key in self._values:
            raise ConfigError(
                f"{self._source}: {self._prefix}{key} is not a known key; remove it or correct it"
            )


def _is_number(value: object) -> TypeGuard[int | float]:
    # TOML knows nan, for which no comparison holds, and whole numbers that no float can hold.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e7
