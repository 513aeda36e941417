# SPDX-License-Identifier: MIT
"""Connectors: ntfy: its `[[connector]]` table."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import Meta

from gateway.config.fields import check_url
from gateway.config.notify import NotifierConfig


class NtfyConfig(NotifierConfig, frozen=True, kw_only=True):
    """`url` is the root of the server, `token` an access token where the topic is protected."""

    SECRETS: ClassVar[tuple[str, ...]] = ("url", "token")
    FILES: ClassVar[tuple[str, ...]] = ("ca_file",)

    url: Annotated[str, Meta(min_length=1, examples=["https://ntfy.example.net"])]
    topic: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$", examples=["groundwatch-north"])]
    token: str = ""
    ca_file: str = ""

    def __post_init__(self) -> None:
        check_url(self.url)

    def described(self) -> dict[str, Any]:
        """What the audit records of it: no address, no secret."""
        return super(NtfyConfig, self).described() | {"tls": self.url.startswith("https:")}
