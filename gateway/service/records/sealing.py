# SPDX-License-Identifier: MIT
"""Service: records are covered by seals in the audit, each in the commit of the newest record.

Every commit with an entry of the audit gets a seal too: what an alarm is about is covered as soon
as the alarm is. Other records wait some minutes: a heartbeat is not worth an entry.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

from gateway.audit.seal import Tally, is_sealed, state_digest
from gateway.model.actions.record import EDITED, SEALED, SYSTEM, Recorder
from gateway.store.interface import Snapshot, Writes
from gateway.store.records import TABLES, Row

_LOG = logging.getLogger(__name__)
WAIT_US = 600 * 1_000_000  # the longest that a record waits for its seal
MAX_WAITING = 5000  # records: read again at a start after a crash


class Sealer:
    """What comes to the store beyond the newest seal, and the state that seals cover."""

    def __init__(self, audit: Recorder) -> None:
        self._audit = audit
        self._tallies = {name: Tally(table) for name, table in TABLES.items()}
        self._waiting = 0
        self._since_us = 0  # since then records wait
        self._newest_us = 0  # time of the newest record
        self._state: dict[str, str] = {}
        self._edited: list[str] = []
        self._has_sealed = False

    def restore(self, snapshot: Snapshot) -> None:
        """Go on behind the newest seal; a store without one is sealed from its end on."""
        self._state = {name: v for name, v in snapshot.state.items() if is_sealed(name)}
        self._edited = [f"alarm {number}" for number in snapshot.edited]
        if not snapshot.seal:
            newest = {
                "message": snapshot.messages,
                "detection": snapshot.last_detection_id,
                "log": snapshot.last_log_id,
                "tick": snapshot.last_tick_id,
                "skipped": snapshot.cursor,
            }
        else:
            seal = json.loads(snapshot.seal)
            newest = {name: seal["records"][name][1] for name in TABLES}
            if seal["state"] != state_digest(self._state):
                self._edited.append("policies, orders, cues and monitored time")
        for name, tally in self._tallies.items():
            tally.after = tally.upto = newest[name]
            self._add(tally, snapshot.unsealed.get(name, ()))

    def report(self, now_us: int) -> None:
        """An entry for each thing that was changed while no gateway ran, or beside it."""
        for what in self._edited:
            _LOG.error("the store was changed by others: %s; see `groundwatch audit verify`", what)
            self._audit.add(now_us, SYSTEM, EDITED, what, "differs from what was stored")
        self._edited = []

    def collect(self, writes: Writes, now_us: int, audited: bool, everything: bool) -> None:
        """Cover what goes to the store now. `audited`: it holds entries of the audit."""
        if not self._waiting:
            self._since_us = now_us
        rows: dict[str, Sequence[Row]] = {
            "message": writes.messages,
            "detection": writes.detections,
            "log": writes.log,
            "tick": writes.ticks,
            "skipped": writes.skipped,
        }
        for name, tally in self._tallies.items():
            self._add(tally, rows[name])
        state = {name: value for name, value in writes.state.items() if is_sealed(name)}
        self._state |= state
        # A clock that was set back must not put a seal off for long.
        waited = self._waiting and abs(now_us - self._since_us) >= WAIT_US
        due = audited or everything or waited or self._waiting >= MAX_WAITING
        # The first entries of a run have a seal in any case: it shows that this version wrote them.
        if state or (due and self._waiting) or (audited and not self._has_sealed):
            self._has_sealed = True
            self._seal(now_us or self._newest_us)

    def _add(self, tally: Tally, rows: Sequence[Row]) -> None:
        if rows:
            tally.add(rows)
            self._newest_us = max(self._newest_us, rows[-1][tally.table.time])
            self._waiting += len(rows)

    def _seal(self, now_us: int) -> None:
        detail = {
            "records": {name: tally.plain() for name, tally in self._tallies.items()},
            "state": state_digest(self._state),
        }
        self._audit.add(now_us, SYSTEM, SEALED, detail=detail)
        self._tallies = {name: tally.next() for name, tally in self._tallies.items()}
        self._state = {name: value for name, value in self._state.items() if value}
        self._waiting = 0
