# SPDX-License-Identifier: MIT
"""Ground layer: the second family's physical parameters, read from parameters.toml."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sim_hardware.errors import SimError

PATH = Path(__file__).with_name("parameters.toml")


@cache
def entries() -> dict[str, dict[str, Any]]:
    """Every parameter by its full name: `value`, `range` or `values`, and `source`."""
    table = tomllib.loads(PATH.read_text(encoding="utf-8"))
    return {f"{part}.{key}": entry for part, rows in table.items() for key, entry in rows.items()}


def known(name: str) -> bool:
    """Whether there is a parameter of that name."""
    return name in entries()


def table() -> str:
    """All parameters as the Markdown table of docs/second-family.md."""
    rows = ["| parameter | value | source |", "| --- | --- | --- |"]
    for name, entry in entries().items():
        numbers = entry.get("range") or entry.get("values") or [entry["value"]]
        joint = " to " if "range" in entry else ", "
        shown = joint.join(f"{number:g}" for number in numbers)
        rows.append(f"| `{name}` | {shown} | {entry['source']} |")
    return "\n".join(rows) + "\n"


def value(name: str) -> float:
    """A parameter that is one number."""
    return float(_field(name, "value"))


def span(name: str) -> tuple[float, float]:
    """Least and greatest value of a parameter that is a range."""
    low, high = _field(name, "range")
    return float(low), float(high)


def values(name: str) -> tuple[float, ...]:
    """A parameter that is several numbers."""
    return tuple(float(one) for one in _field(name, "values"))


def draw(rng: np.random.Generator, name: str) -> float:
    """A value of a range, all equally likely."""
    return float(rng.uniform(*span(name)))


def _field(name: str, field: str) -> Any:
    entry = entries().get(name)
    if entry is None or field not in entry:
        raise SimError(f"parameter {name} has no {field}")
    return entry[field]
