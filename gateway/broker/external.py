# SPDX-License-Identifier: MIT
"""Broker: one that others run; only its address and the gateway's credentials are known."""

from __future__ import annotations

from gateway.broker.interface import Broker
from gateway.mqtt.access import MqttAccess


class ExternalBroker(Broker):
    """Nothing to start; the link reconnects when it comes and goes."""

    def __init__(self, access: MqttAccess) -> None:
        super().__init__(access.host, access.port)
        self.access = access

    async def start(self) -> None:
        """Nothing to do."""

    async def stop(self) -> None:
        """Nothing to do."""
