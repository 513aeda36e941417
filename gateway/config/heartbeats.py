# SPDX-License-Identifier: MIT
"""Configuration: [[heartbeat]], which others miss when this gateway is gone, and [partners], whose
heartbeats this gateway misses."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from gateway.config.fields import CaFile, Host, Identifier, Port, WebAddress
from gateway.config.secrets import Secret

MIN_KEY = 16  # characters
NtfyTopic = Annotated[
    str,
    Meta(
        pattern="^[A-Za-z0-9_-]{1,64}$",  # ntfy's own rule
        examples=["groundwatch-north"],
        extra={"wants": "must be 1 to 64 of A-Z a-z 0-9 _ -"},
    ),
]


class SharedKey(Secret):
    """Of two gateways that watch each other."""

    __slots__ = ()
    wants = f"must have {MIN_KEY} characters or more"

    @classmethod
    def fits(cls, written: str) -> bool:
        """Too long to be tried."""
        return len(written) >= MIN_KEY and written.isprintable()


_NEEDS = {"url": ("url",), "ntfy": ("url", "topic"), "partner": ("host", "port", "key")}
_MAY = {"url": ("ca_file",), "ntfy": ("ca_file", "token"), "partner": ()}
_ALL = ("url", "topic", "host", "port", "key", "ca_file", "token")


class HeartbeatConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[[heartbeat]]: a web address that a service monitors, a message on an ntfy topic that is put
    off again and again, or a partner gateway."""

    name: Identifier
    kind: Literal["url", "ntfy", "partner"]
    every_s: Annotated[int, Meta(ge=10, le=3600)] = 60
    silent_s: Annotated[
        int, Meta(ge=30, le=86_400, description="Of ntfy: the alarm after so long a silence.")
    ] = 300
    url: WebAddress | None = None
    topic: NtfyTopic | None = None
    token: Secret | None = None
    ca_file: CaFile = None
    host: Host | None = None
    port: Port | None = None
    key: SharedKey | None = None

    def __post_init__(self) -> None:
        needs = _NEEDS[self.kind]
        for name in _ALL:
            is_given = getattr(self, name) is not None
            shown = f"{name}_file" if name in ("key", "token") else name
            if name in needs and not is_given:
                raise ValueError(f'{shown} is missing: kind = "{self.kind}" needs it')
            if is_given and name not in (*needs, *_MAY[self.kind]):
                raise ValueError(f'{shown} is not for kind = "{self.kind}"; remove it')
        if self.ca_file is not None and urlsplit(self.url or "").scheme != "https":
            raise ValueError('ca_file needs https, e.g. url = "https://example.net/beat"')
        if self.kind == "ntfy" and urlsplit(self.url or "").path not in ("", "/"):
            raise ValueError('url must be the root of the server, e.g. url = "https://ntfy.sh"')
        if self.silent_s < 2 * self.every_s:
            raise ValueError("silent_s must be twice every_s or more, e.g. silent_s = 300")


class PartnerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[[partners.gateway]]: the site whose heartbeats come, and after what silence an alarm is."""

    site: Identifier
    key: SharedKey
    silent_s: Annotated[int, Meta(ge=30, le=86_400)] = 300


class PartnersConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[partners]: where heartbeats of other gateways arrive (UDP)."""

    host: Host = "0.0.0.0"
    port: Port = 8491
    gateway: Annotated[tuple[PartnerConfig, ...], Meta(min_length=1, max_length=16)]

    def __post_init__(self) -> None:
        if len({one.site for one in self.gateway}) < len(self.gateway):
            raise ValueError('gateway must name each site once, e.g. site = "south"')
