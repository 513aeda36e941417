# SPDX-License-Identifier: MIT
"""Configuration: where messages, pages and nodes are: [broker], [console], [api], [[serial]],
[nodes]."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.config.fields import (
    LOOPBACK,
    CaFile,
    CertFile,
    CertKeyFile,
    FileName,
    Host,
    LoopbackHost,
    PortOrFree,
    Text,
    TlsFiles,
    Username,
    form,
    has_bytes,
    is_host,
    is_loopback,
    tls_files,
)
from gateway.config.secrets import InlineSecret

TLS_PORT = 8883
_EXTERNAL_ONLY = ("ca_file", "cert_file", "cert_key_file")


class BrokerKind(Enum):
    """Which broker carries the messages between nodes and gateway."""

    EMBEDDED = "embedded"
    MOSQUITTO = "mosquitto"
    EXTERNAL = "external"


class BrokerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[broker]. All below `port` is for an external one; with `tls` its port is 8883 by default."""

    kind: BrokerKind = BrokerKind.EMBEDDED
    host: Annotated[Host, Meta(examples=[LOOPBACK])] = LOOPBACK
    port: PortOrFree = 1883
    username: Annotated[Username, Meta(examples=["gateway"])] | None = None
    password: InlineSecret | None = None
    tls: bool = False
    ca_file: CaFile = None
    cert_file: CertFile = None
    cert_key_file: CertKeyFile = None
    transport: Literal["tcp", "websockets"] = "tcp"
    websocket_path: Annotated[
        str,
        Meta(
            pattern=r"^/[!-~]{0,199}(?!\n)$",
            extra={"wants": "must be a path that starts with /"},
        ),
    ] = "/mqtt"
    version: Annotated[Literal[3, 5], Meta(description="MQTT 3.1.1 or 5.")] = 3

    def __post_init__(self) -> None:
        if self.kind is not BrokerKind.EXTERNAL:
            if self.username or self.password:
                raise ValueError(
                    'username and password are for an external broker, e.g. kind = "external"'
                )
            for key, plain in (("tls", False), ("transport", "tcp"), ("version", 3)):
                if getattr(self, key) != plain:
                    raise ValueError(f'{key} is for an external broker, e.g. kind = "external"')
        for key in _EXTERNAL_ONLY:
            if not self.tls and getattr(self, key) is not None:
                raise ValueError(f"{key} needs TLS, e.g. tls = true")
        tls_files(self.ca_file, self.cert_file, self.cert_key_file)

    @property
    def trusted(self) -> TlsFiles | None:
        """What the TLS context is made from; None without TLS."""
        return tls_files(self.ca_file, self.cert_file, self.cert_key_file) if self.tls else None


class ConsoleTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[console]. Passphrases and sessions travel in the clear, so this machine only."""

    host: LoopbackHost = LOOPBACK
    port: PortOrFree = 8480
    operators: FileName = "operators.toml"


@dataclass(frozen=True, slots=True)
class ConsoleConfig:
    """Where operators' pages are served, on this machine only; port 0 picks a free one.

    `visitor` is the name of who comes without signing in: the demo's, never from a file.
    """

    host: str = LOOPBACK
    port: int = 8480
    operators: Path = Path("operators.toml")
    visitor: str = ""


class ApiTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[api]: beside the UNIX socket a TCP port of this machine, if `port` is given."""

    host: LoopbackHost = LOOPBACK
    port: Annotated[PortOrFree, Meta(examples=[8481])] | None = None
    tokens: FileName = "tokens.toml"


@dataclass(frozen=True, slots=True)
class ApiConfig:
    """The API's TCP address (`port` None: only where there are no UNIX sockets) and its tokens."""

    host: str = LOOPBACK
    port: int | None = None
    tokens: Path = Path("tokens.toml")


class SerialConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """[[serial]]: one serial line to a node or a radio concentrator."""

    port: Annotated[Text, Meta(examples=["/dev/ttyUSB0"])]
    baud: Annotated[int, Meta(ge=1200, le=4_000_000)] = 115200


# What node.json holds. Name of a Wi-Fi network: IEEE 802.11-2020, 9.4.2.2.
Ssid = Annotated[str, form(has_bytes(32), "must have 1 to 32 bytes", "groundwatch")]


def is_node_host(written: str) -> bool:
    """What a node can connect to: no address that stands for every or for many machines."""
    if not is_host(written) or not has_bytes(64)(written):
        return False
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return True
    return not (address.is_unspecified or address.is_multicast)


NodeHost = Annotated[
    str,
    form(is_node_host, "must be a host name or an address of 1 to 64 bytes", "192.168.4.1"),
]


Country = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z]{2}(?!\n)$",
        examples=["DE"],
        description="Which country's rules the radio of a node keeps (ISO 3166-1).",
        extra={"wants": "must be two capital letters"},
    ),
]


class Passphrase(InlineSecret):
    """IEEE 802.11-2020 annex J.4: 8 to 63 printable ASCII characters."""

    __slots__ = ()
    wants = "must have 8 to 63 plain characters"
    example = "correct horse battery"

    @classmethod
    def fits(cls, written: str) -> bool:
        """The standard's form."""
        return re.fullmatch(r"[ -~]{8,63}", written) is not None


class NodeNetwork(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[nodes]: the Wi-Fi that nodes join, and where in it the broker is.

    No passphrase: an open network.
    """

    ssid: Ssid
    passphrase: Passphrase | None = None
    country: Country | None = None
    host: NodeHost
    port: Annotated[int, Meta(ge=0, le=65535, description="0: the broker's.")] = 0

    def unreachable(self, broker: BrokerConfig) -> str:
        """Why no node can reach the broker, and what to do; "" when nodes can."""
        if broker.kind is BrokerKind.EXTERNAL:
            return ""
        if not is_loopback(broker.host) or is_loopback(self.host):
            return ""
        return (
            f'[broker] host = "{broker.host}" is reached from this machine only: '
            f"groundwatch init --address {self.host} lets nodes in"
        )
