# SPDX-License-Identifier: MIT
"""Configuration: types of fields that connectors to other machines share."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta

Host = Annotated[
    str,
    Meta(
        pattern=r"^[^\W_]([\w.:-]{0,251}[^\W_])?$|^::1$",
        examples=["192.168.1.5"],
        description="must be a host name or an address",
    ),
]
Port = Annotated[int, Meta(ge=1, le=65535, examples=[1883])]
Username = Annotated[
    str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,256}$", examples=["groundwatch"], max_length=256)
]
# No wildcards: `+` and `#` stand in filters only (MQTT 5, 4.7.1).
Topic = Annotated[
    str,
    Meta(
        pattern="^[^+#\\x00]{1,200}$",
        examples=["groundwatch/alarms"],
        description="must be one topic without + and #",
    ),
]
TlsMode = Literal["tls", "none"]
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
NODES_TOPIC = "groundwatch/v1/"


def check_host(host: str) -> None:
    """Raise ValueError when no name service could look it up."""
    try:
        host.encode("idna")
    except UnicodeError:
        raise ValueError("host must be a host name or an address") from None


def check_topic(topic: str) -> None:
    """Raise ValueError for topics that belong to the nodes."""
    if topic.startswith(NODES_TOPIC):
        raise ValueError("topic is where nodes publish; name another")


def check_url(url: str) -> None:
    """Raise ValueError when it is no http or https address."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("url must be a web address, e.g. https://example.net/hook")


def check_certificate(cert_file: str, cert_key_file: str) -> None:
    """Raise ValueError when one is given without the other."""
    if bool(cert_file) != bool(cert_key_file):
        raise ValueError("cert_file and cert_key_file go together")
