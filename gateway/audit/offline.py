# SPDX-License-Identifier: MIT
"""Accountability: entries of the audit by a command that runs while no gateway does."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gateway.audit import head, keys
from gateway.audit.chain import SALT_BYTES
from gateway.audit.checkpoint import Signer
from gateway.audit.clock import GatewayClock
from gateway.audit.continuity import compare, known_moment, newer_head
from gateway.audit.doubts import STORE_DOUBT, Doubts
from gateway.audit.head import HeadFile
from gateway.audit.log import AuditLog
from gateway.files import private_folder
from gateway.store.interface import CLOCK, SKIP_DUE, Snapshot, Store, Writes


class Entry(NamedTuple):
    """Actor, action, subject and outcome."""

    actor: str
    action: str
    subject: str = ""
    reason: str = ""
    detail: Mapping[str, Any] | None = None


def record(
    store: Store, data_dir: Path, entries: Sequence[Entry], replaced: Path | None = None
) -> None:
    """Chained, signed and committed when it returns. Raises StoreError, also when a gateway runs,
    and ConfigError.

    `replaced`: the first entry is about a store that a person put in place; its numbers go on after
    the head in that folder. Without it a store that ends before its head becomes a doubt.
    """
    private_folder(data_dir)
    signer = Signer(keys.load_or_create(data_dir))
    store.open()
    try:
        snapshot = store.load()
        log = AuditLog(lambda: os.urandom(SALT_BYTES), signer)
        log.restore(snapshot)
        writes = Writes()
        at_us = _continued(log, snapshot, store, data_dir, signer, replaced, writes)
        for entry in entries:
            actor, action, subject, reason, detail = entry
            log.add(at_us, actor, action, subject, reason, detail=detail)
        log.collect(writes)
        store.commit(writes)
        HeadFile(data_dir / head.NAME).committed(writes)
    finally:
        store.close()


def _continued(
    log: AuditLog,
    snapshot: Snapshot,
    store: Store,
    data_dir: Path,
    signer: Signer,
    replaced: Path | None,
    writes: Writes,
) -> int:
    """The audit goes on where it should. The time of the entries: the next start of a gateway
    compares its clock with what is on record now, and not with them."""
    clock = GatewayClock(lambda: time.time_ns() // 1000)
    if replaced is not None:
        later = newer_head(replaced, signer, log.head[0])
        if later is not None:
            log.go_on_from(later)
        writes.state[SKIP_DUE] = "1"
        clock.start(known_moment(snapshot, None))
        at_us = clock()
    else:
        finding = compare(snapshot, data_dir, signer, store.audit_link)
        clock.start(known_moment(snapshot, finding))
        at_us = clock()
        if finding is not None:
            if finding.head is not None:
                log.go_on_from(finding.head)
            doubts = Doubts(log)
            doubts.restore(snapshot)
            doubts.begin(at_us, STORE_DOUBT, finding.text, finding.detail)
            doubts.collect(writes)
            writes.state[SKIP_DUE] = "1"
    if CLOCK not in snapshot.state and snapshot.newest_us is not None:
        writes.state[CLOCK] = str(snapshot.newest_us)
    return at_us
