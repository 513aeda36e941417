# SPDX-License-Identifier: MIT
"""Connectors: ntfy: its `[[connector]]` table."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from gateway.config.fields import CaFile, WebAddress
from gateway.config.heartbeats import NtfyTopic
from gateway.config.notify import NotifierConfig
from gateway.config.secrets import Secret


class NtfyConfig(NotifierConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`url` is the root of the server, `token` an access token where the topic is protected."""

    url: WebAddress
    topic: NtfyTopic
    token: Secret | None = None
    ca_file: CaFile = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError(
                "url must be the root of the server, the topic stands in topic, "
                'e.g. url = "https://ntfy.example.net"'
            )
        if self.ca_file is not None and not self.is_tls:
            raise ValueError('ca_file needs https, e.g. url = "https://example.net/hook"')

    @property
    def is_tls(self) -> bool:
        """Whether the address is of https."""
        return urlsplit(self.url).scheme == "https"

    def described(self) -> dict[str, Any]:
        """What the audit records of it: no address, no secret."""
        return super().described() | {"tls": self.is_tls}
