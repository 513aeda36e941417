# SPDX-License-Identifier: MIT
"""Outputs: MQTT, QoS 1: delivered when the broker has acknowledged it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from gateway.links.mqtt_client import MqttAccess, MqttClient
from gateway.model.text import format_json
from gateway.outputs.config import OutputConfig
from gateway.outputs.delivery import TIMEOUT_S, DeliveryError


def nobody(_topic: str, _payload: bytes, _packet_id: int) -> None:
    """Nothing is subscribed to, so nothing comes."""


class Mqtt:
    """A connection for each notification: they are few, and a broken one is noticed at once."""

    def __init__(self, config: OutputConfig) -> None:
        self._config = config

    async def deliver(self, body: dict[str, Any]) -> None:
        """Handed over when this returns. Raises DeliveryError."""
        config = self._config
        access = MqttAccess(
            config.host,
            config.port,
            config.username,
            config.password,
            f"groundwatch-{body['site']}-{config.channel.name}",
            persistent=False,
        )
        client = MqttClient(access, None, nobody, Counter())
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await client.open()
                await client.deliver(config.topic, format_json(body).encode())
        except TimeoutError:
            raise DeliveryError("no answer in time") from None
        except OSError as error:
            raise DeliveryError(type(error).__name__) from None
        finally:
            client.close()
