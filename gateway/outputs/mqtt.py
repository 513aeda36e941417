# SPDX-License-Identifier: MIT
"""Outputs: MQTT, QoS 1: delivered when the broker has acknowledged it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from gateway.model.text import format_json
from gateway.mqtt.session import BrokerRefused, MqttAccess, MqttSession, take_nothing
from gateway.outputs.config import OutputConfig
from gateway.outputs.delivery import TIMEOUT_S, DeliveryError
from gateway.outputs.problems import plain

# MQTT 3.1.1, table 3.1.
_REFUSED = {
    2: "the broker does not take this client id",
    3: "the broker is not available now",
    4: "the broker refused user name or password",
    5: "the broker does not let this user in",
}


def plain_mqtt(error: BaseException) -> str:
    """Why a broker could not be told, in plain words."""
    if isinstance(error, BrokerRefused):
        return _REFUSED.get(error.code, f"the broker refused us with code {error.code}")
    return plain(error)


class Mqtt:
    """A connection for each notification: they are few, and a broken one is noticed at once."""

    def __init__(self, config: OutputConfig) -> None:
        self._config = config

    async def deliver(self, body: dict[str, Any]) -> str:
        """Handed over when this returns. Raises DeliveryError."""
        config = self._config
        access = MqttAccess(
            config.host,
            config.port,
            config.username,
            config.password,
            f"groundwatch-{body['site']}-{config.channel.name}",
            persistent=False,
            tls=config.trust.context if config.trust else None,
        )
        client = MqttSession(access, None, take_nothing, Counter())
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await client.open()
                await client.deliver(config.topic, format_json(body).encode())
        except (OSError, TimeoutError) as error:
            raise DeliveryError(plain_mqtt(error)) from None
        finally:
            client.close()
        return "the broker acknowledged it"
