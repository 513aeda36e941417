# SPDX-License-Identifier: MIT
"""Accountability: entries are numbered and chained here, and committed with what they are about."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from gateway.audit import chain
from gateway.audit.checkpoint import Signer, signed_bytes
from gateway.store.interface import AuditRow, CheckpointRow, Snapshot, Writes

_MAX_TEXT = 500  # characters of one text; a longer text is cut, so that no entry is refused


class AuditLog:
    """The end of the chain. `salt` returns 16 random bytes for each entry. Where no entry is
    stored (replay, tests), there is no salt and no signer."""

    def __init__(self, salt: Callable[[], bytes] = bytes, signer: Signer | None = None) -> None:
        self._salt = salt
        self._signer = signer
        self._last = 0
        self._head = chain.GENESIS
        self._rows: list[AuditRow] = []
        self._earlier: list[CheckpointRow] = []

    @property
    def head(self) -> tuple[int, bytes]:
        """Number and link of the newest entry; 0 when there is none."""
        return self._last, self._head

    @property
    def waits(self) -> bool:
        """Whether entries were added since the last `collect`."""
        return bool(self._rows)

    def restore(self, snapshot: Snapshot) -> None:
        """Continue the chain of the store."""
        if snapshot.audit_head is not None:
            self._last, self._head = snapshot.audit_head

    def go_on_from(self, head: CheckpointRow) -> None:
        """The store ends before its head: numbers go on after the head, so that none stands for
        two entries. The head is stored as the checkpoint that bridges what is missing."""
        self._last, self._head = head.number, head.link
        self._earlier.append(head)

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
        """One entry; returns its number.

        `actor` is a person's name or SYSTEM, `action` a word like "mask.set", `subject` what it was
        done to, like "sector east"; `detail` are plain values, e.g. what was before and after.
        Raises ValueError for a time that no store can hold: without its entry the chain would end.
        """
        if not all(abs(time_us) < 1 << 63 for time_us in (at_us, until_us or 0)):
            raise ValueError("this time cannot be stored")
        number = self._last + 1
        detail_json = json.dumps(detail or {}, separators=(",", ":"), sort_keys=True)
        words = (_plain(actor), action, _plain(subject), _plain(reason))
        content = (number, at_us, *words, until_us, detail_json, self._salt())
        entry = chain.digest(*content)
        head = chain.link(self._head, entry)
        self._rows.append(AuditRow(*content, entry, head))
        self._last, self._head = number, head
        return number

    def collect(self, writes: Writes) -> None:
        """Hand over what was added since the last call, with a checkpoint: no commit ends with an
        entry that is not signed."""
        if self._rows and self._signer is not None:
            writes.checkpoints += self._earlier
            self._earlier = []
            writes.checkpoints.append(self._checkpoint(self._rows[-1].at_us, self._signer))
        writes.audit += self._rows
        self._rows = []

    def _checkpoint(self, at_us: int, signer: Signer) -> CheckpointRow:
        signature = signer.sign(signed_bytes(self._last, self._head, at_us))
        return CheckpointRow(self._last, self._head, at_us, signer.key_id, signature)


def _plain(text: str) -> str:
    """What every store and every encoding can hold: no NUL, no half of a surrogate pair."""
    return "".join(c if c.isprintable() else " " for c in text[:_MAX_TEXT])
