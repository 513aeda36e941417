# SPDX-License-Identifier: MIT
"""The store: tables of records that are only added and erased; seals of the audit cover them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from gateway.config.retention import RecordClass

Row = Sequence[Any]


class Table(NamedTuple):
    """Columns of a table of records, its number first; the column whose day counts; its class."""

    columns: str
    time: int
    kept: Callable[[Row], str]


def _detections(_row: Row) -> str:
    return "detections"


_MESSAGES = RecordClass.MESSAGES.value
_KINDS = {"snippet": RecordClass.SNIPPETS.value, "detection": RecordClass.DETECTIONS.value}


def class_of(kind: str) -> RecordClass:
    """Of a message."""
    return RecordClass(_KINDS.get(kind, _MESSAGES))


def _by_kind(row: Row) -> str:
    """As `class_of`, by name: it is asked for each message."""
    return _KINDS.get(row[6], _MESSAGES)


TABLES: Mapping[str, Table] = {
    "message": Table("id, node, lane, boot, seq, arrival_us, kind, payload", 5, _by_kind),
    "detection": Table(
        "id, node, boot, seq, onset_ms, phase, class, confidence_pct, peak_um_s_x100, onset_us, "
        "report_us, uncertainty_us, arrival_us",
        9,
        _detections,
    ),
    "log": Table("id, at_us, kind, source, value", 1, _detections),
    "tick": Table("id, after_id, at_us, kind", 2, _detections),
    "skipped": Table("id, at_us, source, error", 1, _detections),
}
