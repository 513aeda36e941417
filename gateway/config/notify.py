# SPDX-License-Identifier: MIT
"""Configuration: what every connector that notifies people has in its table."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from gateway.ports.connector import ConnectorConfig


class NotifierConfig(ConnectorConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which alarms go there, and how often."""

    priority: Annotated[
        int, Meta(ge=1, le=3, examples=[2], description="Alarms of this priority and higher.")
    ] = 3
    repeat_s: Annotated[
        int, Meta(ge=0, le=86_400, description="The same is not sent again for so long.")
    ] = 300
    per_minute: Annotated[int, Meta(ge=1, le=600, description="Notifications at most.")] = 10

    @property
    def recipients(self) -> tuple[str, ...]:
        """Who is notified, each with a delivery of its own; "": the connector knows it alone."""
        return ("",)
