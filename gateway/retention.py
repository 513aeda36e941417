# SPDX-License-Identifier: MIT
"""Configuration: how long each class of records is kept, and the longest that it may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import NamedTuple

from gateway.toml_table import Table

DAY_US = 24 * 3600 * 1_000_000


class RecordClass(Enum):
    """What is kept for the same time."""

    SNIPPETS = "snippets"  # waveforms
    MESSAGES = "messages"  # health and other words of nodes, as they came
    DETECTIONS = "detections"  # what was detected, as it came and with its UTC
    ALARMS = "alarms"  # closed alarms and their history
    AUDIT = "audit"  # content of the audit; its chain stays
    QUARANTINE = "quarantine"  # heads of what was refused


class Keeping(NamedTuple):
    """Days."""

    default: int
    most: int


# The maxima are not for a site to raise: where people went is not kept "just in case".
KEEPING = {
    RecordClass.SNIPPETS: Keeping(7, 30),
    RecordClass.MESSAGES: Keeping(30, 366),
    RecordClass.DETECTIONS: Keeping(365, 1096),
    RecordClass.ALARMS: Keeping(365, 1827),
    RecordClass.AUDIT: Keeping(731, 3653),
    RecordClass.QUARANTINE: Keeping(30, 90),
}


@dataclass(frozen=True, slots=True)
class Retention:
    """Days each class is kept."""

    snippets: int = KEEPING[RecordClass.SNIPPETS].default
    messages: int = KEEPING[RecordClass.MESSAGES].default
    detections: int = KEEPING[RecordClass.DETECTIONS].default
    alarms: int = KEEPING[RecordClass.ALARMS].default
    audit: int = KEEPING[RecordClass.AUDIT].default
    quarantine: int = KEEPING[RecordClass.QUARANTINE].default

    def days(self, kept: RecordClass) -> int:
        """Days of one class."""
        return int(getattr(self, kept.value))

    def cuts(self, now_us: int) -> Mapping[RecordClass, int]:
        """What is older goes: the same from one midnight (UTC) to the next."""
        today_us = now_us // DAY_US * DAY_US
        return {kept: today_us - self.days(kept) * DAY_US for kept in RecordClass}


def read_retention(root: Table) -> Retention:
    """The [retention] table. Raises ConfigError."""
    table = root.table("retention")
    days = {
        item.name: table.integer(
            f"{item.name}_days", 1, keeping.most, keeping.default, keeping.default
        )
        for item in fields(Retention)
        if (keeping := KEEPING[RecordClass(item.name)])
    }
    table.done()
    return Retention(**days)
