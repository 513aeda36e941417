# SPDX-License-Identifier: MIT
"""Connectors: email: its `[[connector]]` table."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from gateway.config.fields import CaFile, Host, MailAddress, Port, Username, is_loopback
from gateway.config.notify import NotifierConfig
from gateway.config.secrets import Secret


class EmailConfig(NotifierConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`tls = "none"` is for a server on this machine only."""

    host: Host
    sender: MailAddress = field(name="from")
    to: Annotated[tuple[MailAddress, ...], Meta(min_length=1, max_length=16)]
    port: Port = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: CaFile = None
    username: Username | None = None
    password: Secret | None = None

    def __post_init__(self) -> None:
        if self.tls == "none" and not is_loopback(self.host):
            raise ValueError('tls may be none on this machine only, e.g. tls = "starttls"')
        if self.tls == "none" and self.ca_file is not None:
            raise ValueError('ca_file needs TLS, e.g. tls = "starttls"')
        if len({address.lower() for address in self.to}) < len(self.to):
            raise ValueError('to must name each address once, e.g. to = ["duty@example.net"]')

    @property
    def recipients(self) -> tuple[str, ...]:
        """Each person by address."""
        return self.to

    def described(self) -> dict[str, Any]:
        """What the audit records of it: no address, no secret."""
        return super().described() | {"tls": self.tls != "none"}
