# SPDX-License-Identifier: MIT
"""Model: settings of a node that a command can change: their names, bounds and form on the wire.

The rows are those of the node's firmware (ugs.remote.settings); tests compare them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Value = int | str
Values = Mapping[str, int]

_ROW = 3  # bytes: key (u8), value (i16 BE)


class Setting(NamedTuple):
    """One row. `names` are the words for the values from `low` on, empty for a number."""

    key: int
    name: str
    low: int
    high: int
    first: int
    meaning: str
    names: tuple[str, ...] = ()


HEARTBEAT_S = Setting(1, "heartbeat_s", 30, 3600, 60, "mean seconds between heartbeats")
RADIO = Setting(
    2, "radio", 0, 1, 0, "radio always on, or in bursts to send only", ("always", "burst")
)
THRESHOLD_X10 = Setting(
    3,
    "threshold_x10",
    -20,
    40,
    0,
    "evidence for a detection beyond the model's own limit, tenths of a unit of log-odds",
)
SAMPLING = Setting(
    4,
    "sampling",
    0,
    1,
    0,
    "sampling all the time, or asleep until something stirs (in bursts, some boards)",
    ("continuous", "sentinel"),
)
SETTINGS = (HEARTBEAT_S, RADIO, THRESHOLD_X10, SAMPLING)
DEFAULTS: dict[str, int] = {one.name: one.first for one in SETTINGS}
_BY_NAME = {one.name: one for one in SETTINGS}
_BY_KEY = {one.key: one for one in SETTINGS}


class SettingsError(ValueError):
    """One line: what is wrong with a setting and what would be right."""


def parse(given: Mapping[str, Value]) -> dict[str, int]:
    """Values by name, as numbers. Raises SettingsError."""
    return {name: _parse_value(name, value) for name, value in given.items()}


def parse_words(words: Sequence[str]) -> dict[str, Value]:
    """NAME=VALUE words. Raises SettingsError; what a value may be is for `parse`."""
    found: dict[str, Value] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not value:
            raise SettingsError(f"{word[:40]!r} is not NAME=VALUE, as in heartbeat_s=600")
        if name in found:
            raise SettingsError(f"{name[:40]} is given twice")
        found[name] = value
    return found


def shown(values: Values) -> dict[str, Value]:
    """With words where a setting has them."""
    return {
        one.name: one.names[values[one.name] - one.low] if one.names else values[one.name]
        for one in SETTINGS
        if one.name in values
    }


def encode(values: Values) -> bytes:
    """As a `configure` command carries them."""
    found = sorted((_BY_NAME[name].key, value) for name, value in values.items())
    return b"".join(bytes((key,)) + value.to_bytes(2, "big", signed=True) for key, value in found)


def decode(data: bytes) -> dict[str, int] | None:
    """What a node states; settings that this gateway does not know are left out. None: malformed,
    or a value out of bounds."""
    rows = [data[at : at + _ROW] for at in range(0, len(data), _ROW)]
    keys = [row[0] for row in rows]
    if len(data) % _ROW or keys != sorted(set(keys)):
        return None
    found: dict[str, int] = {}
    for row in rows:
        one = _BY_KEY.get(row[0])
        if one is None:
            continue
        value = int.from_bytes(row[1:], "big", signed=True)
        if not one.low <= value <= one.high:
            return None
        found[one.name] = value
    return found


def _parse_value(name: str, value: Value) -> int:
    one = _BY_NAME.get(name)
    if one is None:
        known = ", ".join(_BY_NAME)
        raise SettingsError(f"there is no setting {name[:40]!r}; there are {known}")
    if one.names:
        if value not in one.names:
            raise SettingsError(f"{name} must be {' or '.join(one.names)}, not {str(value)[:40]!r}")
        return one.low + one.names.index(str(value))
    number = value if isinstance(value, int) else _number(value)
    if number is None or not one.low <= number <= one.high:
        bounds = f"a whole number from {one.low} to {one.high}"
        raise SettingsError(f"{name} must be {bounds}, not {str(value)[:40]!r}")
    return number


def _number(text: str) -> int | None:
    # int() takes spaces, underscores and digits of other scripts as well.
    digits = text.removeprefix("-")
    return int(text) if len(digits) <= 6 and digits.isascii() and digits.isdecimal() else None
