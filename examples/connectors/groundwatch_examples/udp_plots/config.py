# SPDX-License-Identifier: MIT
"""Connectors, udp_plots: its `[[connector]]` table."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from gateway.ports.connector import ConnectorConfig


class UdpPlotsConfig(ConnectorConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where datagrams are received. UDP proves no sender: keep it on this machine or on a network
    of its own."""

    port: Annotated[int, Meta(ge=1, le=65535, examples=[9400])]
    host: str = "127.0.0.1"
