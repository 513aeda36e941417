# SPDX-License-Identifier: MIT
"""Connectors, csv: rows for changes of the picture. Pure.

A reader replays the rows in order: `whole` means that everything before is void, `put` that this is
true now, `removed` that it is gone.
"""

from __future__ import annotations

import msgspec

from gateway.model.text import format_json
from gateway.ports.picture import Change, Delta

HEADER = (
    "written_us",
    "change",
    "kind",
    "id",
    "at_us",
    "x_m",
    "y_m",
    "latitude",
    "longitude",
    "error_m",
    "value",
)
_SHOWN = HEADER[4:-1]

Row = tuple[str, ...]


def rows(delta: Delta, now_us: int) -> list[Row]:
    """One row for each change, and one before a whole picture."""
    found = [_row(now_us, "whole", "", "")] if delta.whole else []
    return found + [_of_change(change, now_us) for change in delta.changes]


def _of_change(change: Change, now_us: int) -> Row:
    if change.value is None:
        return _row(now_us, "removed", change.kind, change.id)
    fields = msgspec.to_builtins(change.value)
    if not isinstance(fields, dict):
        fields = {}
    shown = tuple("" if fields.get(name) is None else str(fields[name]) for name in _SHOWN)
    return (str(now_us), "put", change.kind, change.id, *shown, format_json(change.value))


def _row(now_us: int, change: str, kind: str, name: str) -> Row:
    return (str(now_us), change, kind, name, *("" for _name in _SHOWN), "")
