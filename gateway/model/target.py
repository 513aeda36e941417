# SPDX-License-Identifier: MIT
"""Model: target classes and report phases, by the names that people and programs read.

The wire numbers them (gateway.wire.messages); intake maps one to the other.
"""

from __future__ import annotations

from enum import Enum


class TargetClass(Enum):
    """What a sensor classified."""

    UNKNOWN = "unknown"
    PERSON = "person"
    GROUP = "group"
    ANIMAL = "animal"
    VEHICLE = "vehicle"
    DIGGING = "digging"

    @property
    def label(self) -> str:
        """The name on the page and in output lines."""
        return self.value


class Phase(Enum):
    """Which report of an activity it is."""

    ONSET = "onset"
    UPDATE = "update"
    END = "end"

    @property
    def label(self) -> str:
        """The name on the page and in output lines."""
        return self.value
