# SPDX-License-Identifier: MIT
"""MQTT: where a broker is, how it is reached, who we are to it, and why it refused."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Literal

MAX_PACKET = 2048  # a sealed message of 1536 bytes, its topic and the MQTT header
Transport = Literal["tcp", "websockets"]
Version = Literal[3, 5]

# MQTT 5 reason codes (2.4) that mean what the return codes of 3.1.1 do (its table 3.1).
_RETURN_CODES = {0x84: 1, 0x85: 2, 0x88: 3, 0x86: 4, 0x87: 5}


class BrokerRefused(ConnectionError):
    """CONNACK with a failure. `code` is a return code of MQTT 3.1.1, whatever version is used;
    a reason code of MQTT 5 that has no such counterpart stays (128 and more)."""

    def __init__(self, reason: int) -> None:
        self.code = _RETURN_CODES.get(reason, reason)
        super().__init__(f"broker refused the connection with code {self.code}")


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes when the connection breaks."""

    topic: str
    payload: bytes
    qos: Literal[0, 1] = 1
    retain: bool = False


@dataclass(frozen=True, slots=True)
class MqttAccess:
    """A broker and our credentials. A persistent session keeps what arrives while we are away.

    `tls` must check certificate and host name; `version` 3 is MQTT 3.1.1.
    """

    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    client_id: str
    persistent: bool
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    transport: Transport = "tcp"
    websocket_path: str = "/mqtt"
    version: Version = 3
    max_packet_bytes: int = MAX_PACKET  # one that is longer is passed over and counted

    def __post_init__(self) -> None:
        if self.tls is not None and not (
            self.tls.check_hostname and self.tls.verify_mode is ssl.CERT_REQUIRED
        ):
            raise ValueError("a TLS context that does not check the host is never used")
