# SPDX-License-Identifier: MIT
"""Ground layer: TOML tables read strictly: known keys, right types, values within bounds."""

import math
from typing import Any

from sim_hardware.errors import SimError

Table = dict[str, Any]
ZERO_UP = (0.0, math.inf)
_POINTS_MAX = 1000


def read(table: object, rules: dict[str, Any], where: str, required: tuple[str, ...]) -> Table:
    """The table itself, checked. A rule is a type, or (least, most) of a number."""
    if not isinstance(table, dict):
        raise SimError(f"{where}: must be a table")
    for key, value in table.items():
        rule = rules.get(key)
        if rule is None:
            raise SimError(f"{where}: unknown key {key!r}; known: {', '.join(sorted(rules))}")
        if isinstance(rule, tuple):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise SimError(f"{where}.{key}: must be a number")
            if not rule[0] <= value <= rule[1]:
                raise SimError(f"{where}.{key}: {value} is outside {rule[0]:g}..{rule[1]:g}")
        elif not isinstance(value, rule) or (rule is int and isinstance(value, bool)):
            raise SimError(f"{where}.{key}: must be {rule.__name__}")
    for key in required:
        if key not in table:
            raise SimError(f"{where}: {key} is missing")
    return table


def points(value: object, where: str) -> tuple[tuple[float, float], ...]:
    """A list of [x_m, y_m]."""
    if not isinstance(value, list) or not value or len(value) > _POINTS_MAX:
        raise SimError(f"{where}: must be a list of [x_m, y_m]")
    return tuple(pair(point, where, "[x_m, y_m]") for point in value)


def pair(value: object, where: str, what: str) -> tuple[float, float]:
    """Two finite numbers."""
    if not isinstance(value, list) or len(value) != 2 or not all(map(_is_finite, value)):
        raise SimError(f"{where}: {value!r} is no {what}")
    return float(value[0]), float(value[1])


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def rows(data: Table, key: str) -> list[Any]:
    """The tables written as [[key]]."""
    value = data.get(key, [])
    if not isinstance(value, list):
        raise SimError(f"{key}: write it as [[{key}]]")
    return value


def one_of(value: str, known: tuple[str, ...], where: str) -> str:
    """The value, when it is known."""
    if value not in known:
        raise SimError(f"{where}: {value!r} is none of {', '.join(known)}")
    return value
