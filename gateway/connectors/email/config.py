# SPDX-License-Identifier: MIT
"""Connectors: email: its `[[connector]]` table."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, field

from gateway.config.fields import LOOPBACK, Host, Port, Username, check_host
from gateway.config.notify import NotifierConfig

Address = Annotated[
    str,
    Meta(
        pattern=r"^[!-?A-~]{1,128}@[!-?A-~]{1,128}$",
        examples=["duty@example.net"],
        description="must be an address",
    ),
]


class EmailConfig(NotifierConfig, frozen=True, kw_only=True):
    """`tls = "none"` is for a server on this machine only."""

    SECRETS: ClassVar[tuple[str, ...]] = ("password",)
    FILES: ClassVar[tuple[str, ...]] = ("ca_file",)

    host: Host
    sender: Address = field(name="from")
    to: Annotated[tuple[Address, ...], Meta(min_length=1, max_length=16)]
    port: Port = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: str = ""
    username: Username | None = None
    password: str | None = None

    def __post_init__(self) -> None:
        check_host(self.host)
        if self.tls == "none" and self.host not in LOOPBACK:
            raise ValueError("tls may be none on this machine only, e.g. tls = 'starttls'")

    def described(self) -> dict[str, Any]:
        """What the audit records of it: no address, no secret."""
        return super(EmailConfig, self).described() | {"tls": self.tls != "none"}
