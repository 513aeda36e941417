# SPDX-License-Identifier: MIT
"""Connectors: webhook: its `[[connector]]` table."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from gateway.config.fields import CaFile, WebAddress
from gateway.config.notify import NotifierConfig
from gateway.config.secrets import Secret


class WebhookConfig(NotifierConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`secret` is shared with the receiver, `ca_file` the authority to accept (None: those of the
    system)."""

    url: WebAddress
    secret: Secret
    ca_file: CaFile = None

    def __post_init__(self) -> None:
        if self.ca_file is not None and not self.is_tls:
            raise ValueError('ca_file needs https, e.g. url = "https://example.net/hook"')

    @property
    def is_tls(self) -> bool:
        """Whether the address is of https."""
        return urlsplit(self.url).scheme == "https"

    def described(self) -> dict[str, Any]:
        """What the audit records of it: no address, no secret."""
        return super().described() | {"tls": self.is_tls}
