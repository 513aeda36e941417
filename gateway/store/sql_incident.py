# SPDX-License-Identifier: MIT
"""The store: everything about one alarm, in the SQL all share."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from gateway.model.actions.record import EXPORTED
from gateway.store.interface import AuditRow
from gateway.store.sql_commit import Database, Rows

_BEFORE_US = 7 * 24 * 3600 * 1_000_000  # orders so long before an alarm may explain it
_AROUND_US = 600 * 1_000_000  # a waveform asked for some minutes later is still about it
_AUDIT = "id, at_us, actor, action, subject, reason, until_us, detail_json, salt, digest, link"


@dataclass(slots=True)
class Incident:
    """Rows as they stand in the tables; `audit` is a stretch of the chain, from `start` (number,
    link) on, with the content of what concerns the alarm (`about`: numbers of those entries)."""

    alarm: tuple[Any, ...]
    history: Rows
    detections: Rows = field(default_factory=list)
    messages: Rows = field(default_factory=list)
    audit: Rows = field(default_factory=list)
    about: set[int] = field(default_factory=set)
    checkpoints: Rows = field(default_factory=list)
    start: tuple[int, bytes] | None = None


def incident(db: Database, alarm_id: int) -> Incident | None:
    """None when the store holds no such alarm."""
    alarms = db.run(
        "SELECT id, kind, key, raised_us, open, value FROM alarm WHERE id = ?", (alarm_id,)
    )
    if not alarms:
        return None
    history = db.run(
        "SELECT id, alarm_id, at_us, change, by, value FROM alarm_history WHERE alarm_id = ? "
        "ORDER BY id",
        (alarm_id,),
    )
    made = Incident(alarms[0], history)
    value = json.loads(made.alarm[5])
    for node, boot, onset_ms in value["detections"]:
        made.detections += db.run(
            "SELECT id, node, boot, seq, onset_ms, phase, class, confidence_pct, peak_um_s_x100, "
            "onset_us, report_us, uncertainty_us, arrival_us FROM detection "
            "WHERE node = ? AND boot = ? AND onset_ms = ? ORDER BY seq",
            (node, boot, onset_ms),
        )
    until_us = max(row[2] for row in history) if history else made.alarm[3]
    _messages(db, made, value["nodes"], made.alarm[3] - _AROUND_US, until_us + _AROUND_US)
    _audit(db, made, made.alarm[3] - _BEFORE_US, until_us)
    return made


def entry_of(db: Database, alarm_id: int) -> AuditRow | None:
    """The audit's newest entry about an export of that alarm."""
    rows = db.run(
        f"SELECT {_AUDIT} FROM audit WHERE action = ? AND subject = ? ORDER BY id DESC LIMIT 1",
        (EXPORTED, f"alarm {alarm_id}"),
    )
    return AuditRow(*rows[0]) if rows else None


def _messages(db: Database, made: Incident, nodes: list[str], from_us: int, to_us: int) -> None:
    columns = "id, node, lane, boot, seq, arrival_us, kind, payload"
    for node, boot, seq in (row[1:4] for row in made.detections):
        made.messages += db.run(
            f"SELECT {columns} FROM message WHERE node = ? AND lane = 0 AND boot = ? AND seq = ?",
            (node, boot, seq),
        )
    for row in db.run(
        f"SELECT {columns} FROM message WHERE kind = 'snippet' AND arrival_us BETWEEN ? AND ? "
        "ORDER BY id",
        (from_us, to_us),
    ):
        if row[1] in nodes:
            made.messages.append(row)


def _audit(db: Database, made: Incident, from_us: int, to_us: int) -> None:
    subject = f"alarm {made.alarm[0]}"
    concerned = db.run(
        "SELECT id FROM audit WHERE subject = ? OR at_us BETWEEN ? AND ? AND "
        "(action LIKE 'mask.%' OR action LIKE 'walk.%' OR action LIKE 'arming.%' "
        "OR action LIKE 'watch.%')",
        (subject, from_us, to_us),
    )
    made.about = {row[0] for row in concerned}
    if not made.about:
        return
    starts = db.run(
        "SELECT number, link FROM checkpoint WHERE number < ? ORDER BY number DESC LIMIT 1",
        (min(made.about),),
    )
    made.start = (starts[0][0], starts[0][1]) if starts else None
    first = made.start[0] if made.start else 0
    made.audit = db.run(
        f"SELECT {_AUDIT} FROM audit WHERE id > ? ORDER BY id",
        (first,),
    )
    made.checkpoints = db.run(
        "SELECT number, link, at_us, key_id, signature FROM checkpoint WHERE number >= ? "
        "ORDER BY number",
        (first,),
    )
