# SPDX-License-Identifier: MIT
"""Connectors: webhook: one request for each delivery."""

from __future__ import annotations

from typing import Any

from gateway.config.fields import tls_files
from gateway.connectors.webhook.config import WebhookConfig
from gateway.connectors.webhook.translate import request
from gateway.links.post import post
from gateway.ports.connector import Context
from gateway.tls import client_context


class Webhook:
    """POSTs notifications as JSON, signed."""

    def __init__(self, config: WebhookConfig, context: Context) -> None:
        self._config = config
        self._clock_us = context.clock_us
        self._tls = client_context(tls_files(config.ca_file)) if config.is_tls else None

    @classmethod
    def make(cls, config: WebhookConfig, context: Context) -> Webhook:
        """Raises ConfigError."""
        return cls(config, context)

    async def deliver(self, body: dict[str, Any]) -> str:
        """Accepted when this returns. Raises DeliveryError."""
        config = self._config
        data, headers = request(body, config.secret, self._clock_us() // 1_000_000)
        return (await post(str(config.url), data, headers, self._tls)).receipt
