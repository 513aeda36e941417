# SPDX-License-Identifier: MIT
"""Model: one entry of the log: an input of the monitor with its number and its provenance."""

from __future__ import annotations

from typing import Any, NamedTuple


class Entry(NamedTuple):
    """`source` is a node, a connector or a person; `at_us` when it was taken in."""

    id: int
    at_us: int
    source: str
    given: Any


def kind_of(given: object) -> str:
    """The name under which the log keeps an input."""
    return type(given).__name__
