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
from gateway.audit.head import HeadFile
from gateway.audit.log import AuditLog
from gateway.files import private_folder
from gateway.store.interface import Store, Writes


class Entry(NamedTuple):
    """Actor, action, subject and outcome."""

    actor: str
    action: str
    subject: str = ""
    reason: str = ""
    detail: Mapping[str, Any] | None = None


def record(store: Store, data_dir: Path, entries: Sequence[Entry]) -> None:
    """Chained, signed and committed when it returns. Raises StoreError, also when a gateway runs,
    and ConfigError."""
    private_folder(data_dir)
    signer = Signer(keys.load_or_create(data_dir))
    store.open()
    try:
        log = AuditLog(lambda: os.urandom(SALT_BYTES), signer)
        log.restore(store.load())
        for entry in entries:
            actor, action, subject, reason, detail = entry
            log.add(time.time_ns() // 1000, actor, action, subject, reason, detail=detail)
        writes = Writes()
        log.collect(writes)
        store.commit(writes)
        HeadFile(data_dir / head.NAME).committed(writes)
    finally:
        store.close()
