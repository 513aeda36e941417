# SPDX-License-Identifier: MIT
"""Connectors: mqtt: its `[[connector]]` table."""

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
from gateway.config.notify import NotifierConfig
from gateway.config.secrets import Secret


class MqttConfig(NotifierConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Notifications go to `topic`; with `mirror` the picture is kept below `topic`/state.

    Without `port` it is 1883, over TLS 8883. `version` 3 is MQTT 3.1.1.
    """

    host: Host
    port: Port | None = None
    topic: Topic = "groundwatch/alarms"
    mirror: bool = False
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
            "mirror": self.mirror,
            "tls": self.tls == "tls",
        }
