# SPDX-License-Identifier: MIT
"""Connectors: ntfy: one request for each delivery."""

from __future__ import annotations

from typing import Any

from gateway.config.fields import tls_files
from gateway.connectors.ntfy.config import NtfyConfig
from gateway.connectors.ntfy.translate import MAX_ANSWER, is_published, request
from gateway.links.post import post
from gateway.ports.connector import Context, DeliveryError
from gateway.tls import client_context


class Ntfy:
    """Publishes to one topic of an ntfy server."""

    def __init__(self, config: NtfyConfig) -> None:
        self._config = config
        self._tls = client_context(tls_files(config.ca_file)) if config.is_tls else None

    @classmethod
    def make(cls, config: NtfyConfig, _context: Context) -> Ntfy:
        """Raises ConfigError."""
        return cls(config)

    async def deliver(self, body: dict[str, Any]) -> str:
        """Accepted when this returns. Raises DeliveryError."""
        config = self._config
        data, headers = request(body, config.topic, config.token)
        answer = await post(str(config.url), data, headers, self._tls, MAX_ANSWER)
        if not is_published(answer.body, config.topic):
            raise DeliveryError(f"{answer.receipt}, but not as ntfy does: a portal, or no ntfy")
        return answer.receipt
