# SPDX-License-Identifier: MIT
"""Configuration: how long each class of records is kept, and the longest that it may be."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Annotated

from msgspec import Meta, Struct, field

DAY_US = 24 * 3600 * 1_000_000


class RecordClass(Enum):
    """What is kept for the same time."""

    SNIPPETS = "snippets"  # waveforms
    MESSAGES = "messages"  # health and other messages of nodes, as received
    DETECTIONS = "detections"  # as received and with their UTC
    ALARMS = "alarms"  # closed alarms and their history
    AUDIT = "audit"  # content of the audit; its chain stays
    QUARANTINE = "quarantine"  # heads of what was refused


# Days. A site cannot raise the longest times: where people went is not kept "just in case".
MAX_DAYS: Mapping[RecordClass, int] = {
    RecordClass.SNIPPETS: 30,
    RecordClass.MESSAGES: 366,
    RecordClass.DETECTIONS: 1096,
    RecordClass.ALARMS: 1827,
    RecordClass.AUDIT: 3653,
    RecordClass.QUARANTINE: 90,
}


def _days(kept: RecordClass) -> Meta:
    return Meta(ge=1, le=MAX_DAYS[kept], description="Days.")


class Retention(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days each class is kept: the table [retention]."""

    snippets: Annotated[int, _days(RecordClass.SNIPPETS)] = field(default=7, name="snippets_days")
    messages: Annotated[int, _days(RecordClass.MESSAGES)] = field(default=30, name="messages_days")
    detections: Annotated[int, _days(RecordClass.DETECTIONS)] = field(
        default=365, name="detections_days"
    )
    alarms: Annotated[int, _days(RecordClass.ALARMS)] = field(default=365, name="alarms_days")
    audit: Annotated[int, _days(RecordClass.AUDIT)] = field(default=731, name="audit_days")
    quarantine: Annotated[int, _days(RecordClass.QUARANTINE)] = field(
        default=30, name="quarantine_days"
    )

    def days(self, kept: RecordClass) -> int:
        """Days of one class."""
        return int(getattr(self, kept.value))

    def cuts(self, now_us: int) -> Mapping[RecordClass, int]:
        """What is older goes: the same from one midnight (UTC) to the next."""
        today_us = now_us // DAY_US * DAY_US
        return {kept: today_us - self.days(kept) * DAY_US for kept in RecordClass}
