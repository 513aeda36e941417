# SPDX-License-Identifier: MIT
"""Connectors: Home Assistant: its `[[connector]]` table."""

from __future__ import annotations

from typing import Any, Literal

from gateway.config.fields import (
    CaFile,
    CertFile,
    CertKeyFile,
    Host,
    Port,
    Text,
    Topic,
    Username,
    check_broker_tls,
)
from gateway.config.secrets import Secret
from gateway.ports.connector import ConnectorConfig


class HomeAssistantConfig(ConnectorConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The broker that Home Assistant uses, and the prefix of its discovery.

    Without `port` it is 1883, over TLS 8883. `version` 3 is MQTT 3.1.1.
    """

    host: Host
    port: Port | None = None
    prefix: Topic = "homeassistant"
    tls: Literal["tls", "none"] = "none"
    ca_file: CaFile = None
    cert_file: CertFile = None
    cert_key_file: CertKeyFile = None
    username: Username | None = None
    password: Secret | None = None
    transport: Literal["tcp", "websockets"] = "tcp"
    websocket_path: Text = "/mqtt"
    version: Literal[3, 5] = 3

    def __post_init__(self) -> None:
        check_broker_tls(self.tls, self.ca_file, self.cert_file, self.cert_key_file)

    def described(self) -> dict[str, Any]:
        """What the audit records of it: no address, no secret."""
        return super().described() | {
            "prefix": self.prefix,
            "tls": self.tls == "tls",
        }
