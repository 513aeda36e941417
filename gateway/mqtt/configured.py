# SPDX-License-Identifier: MIT
"""MQTT: access to a broker from the fields that every configuration of one has."""

from __future__ import annotations

from typing import Literal, Protocol

from gateway.config.fields import PemFile, PrivatePemFile, tls_files
from gateway.mqtt.access import MqttAccess
from gateway.tls import client_context


class BrokerFields(Protocol):
    """None: not given. Without `port` it is the standard's, 1883 or 8883."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int | None: ...
    @property
    def tls(self) -> Literal["tls", "none"]: ...
    @property
    def ca_file(self) -> PemFile | None: ...
    @property
    def cert_file(self) -> PemFile | None: ...
    @property
    def cert_key_file(self) -> PrivatePemFile | None: ...
    @property
    def username(self) -> str | None: ...
    @property
    def password(self) -> str | None: ...
    @property
    def transport(self) -> Literal["tcp", "websockets"]: ...
    @property
    def websocket_path(self) -> str: ...
    @property
    def version(self) -> Literal[3, 5]: ...


def broker_access(fields: BrokerFields, client_id: str) -> MqttAccess:
    """A session that keeps nothing. Raises ConfigError."""
    context = None
    if fields.tls == "tls":
        context = client_context(tls_files(fields.ca_file, fields.cert_file, fields.cert_key_file))
    return MqttAccess(
        fields.host,
        fields.port or (8883 if context else 1883),
        fields.username,
        fields.password,
        client_id,
        persistent=False,
        tls=context,
        transport=fields.transport,
        websocket_path=fields.websocket_path,
        version=fields.version,
    )
