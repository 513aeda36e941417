# SPDX-License-Identifier: MIT
"""Configuration: what every connector that notifies people has in common."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from gateway.ports.connector import ConnectorConfig


class NotifierConfig(ConnectorConfig, frozen=True, kw_only=True):
    """Alarms less urgent than `priority` are not sent there; the same change of the same alarm is
    sent once in `repeat_s`; above `per_minute` notifications are held back and counted."""

    priority: Annotated[int, Meta(ge=1, le=3, examples=[1], description="must be 1 to 3")] = 3
    repeat_s: Annotated[int, Meta(ge=0, le=86_400, examples=[300])] = 300
    per_minute: Annotated[int, Meta(ge=1, le=600, examples=[10])] = 10

    def described(self) -> dict[str, Any]:
        """What the audit records of it: no address, no secret."""
        return super(NotifierConfig, self).described() | {
            "priority": self.priority,
            "repeat_s": self.repeat_s,
            "per_minute": self.per_minute,
        }
