# SPDX-License-Identifier: MIT
"""Connectors: webhook: its `[[connector]]` table."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import Meta

from gateway.config.fields import check_url
from gateway.config.notify import NotifierConfig


class WebhookConfig(NotifierConfig, frozen=True, kw_only=True):
    """`url` may be a secret itself: `url_file`, `url_env`. `secret` is shared with the receiver."""

    SECRETS: ClassVar[tuple[str, ...]] = ("url", "secret")
    FILES: ClassVar[tuple[str, ...]] = ("ca_file",)

    url: Annotated[str, Meta(min_length=1, examples=["https://example.net/hook"])]
    secret: Annotated[str, Meta(min_length=1, examples=["webhook.key"])]
    ca_file: str = ""

    def __post_init__(self) -> None:
        check_url(self.url)

    def described(self) -> dict[str, Any]:
        """What the audit records of it: no address, no secret."""
        return super(WebhookConfig, self).described() | {"tls": self.url.startswith("https:")}
