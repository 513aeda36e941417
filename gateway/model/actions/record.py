# SPDX-License-Identifier: MIT
"""Model: one entry of the audit as it is asked for, before it is numbered and chained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

SYSTEM = "system"  # the actor of automatic actions
EXPORTED = "export.incident"  # the action of an entry about what left the gateway
ERASED = "retention.erase"  # the action of an entry about what was erased
STORE_DOUBTED = "store.doubt"  # of an entry about a store that is not the one that ran last
STORE_RESTORED, STORE_SALVAGED = "store.restore", "store.salvage"  # a person did it
STORE_CONFIRMED = "store.confirm"  # of an entry in which a person confirmed it
STARTED = "gateway.start"  # the action of the first entry of a run
SEALED = "records.seal"  # the action of an entry that covers records by their digests
LEFT_OUT = "records.left_out"  # of an entry about a record that the store did not accept
EDITED = "store.edited"  # the action of an entry about what others changed in the store


class Record(NamedTuple):
    """Actor, action, subject, reason and end; `detail` are plain values."""

    at_us: int
    actor: str
    action: str
    subject: str = ""
    reason: str = ""
    until_us: int | None = None
    detail: Mapping[str, Any] | None = None


class Recorder(Protocol):
    """Takes entries; they are committed with what they are about."""

    def add(
        self,
        at_us: int,
        actor: str,
        action: str,
        subject: str = "",
        reason: str = "",
        until_us: int | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> int:
        """One entry; returns its number."""
