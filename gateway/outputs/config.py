# SPDX-License-Identifier: MIT
"""Configuration: outputs and Home Assistant, from the tables of connectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from gateway.config.connectors import ConnectorTable
from gateway.config.fields import (
    CaFile,
    CertFile,
    CertKeyFile,
    Host,
    MailAddress,
    Port,
    Text,
    TlsFiles,
    Topic,
    Username,
    WebAddress,
    is_loopback,
    tls_files,
)
from gateway.config.notify import NotifierConfig
from gateway.config.reading import convert
from gateway.config.secrets import Secret
from gateway.errors import ConfigError
from gateway.outputs.outbox import Channel
from gateway.outputs.trust import Trust, trust_of
from gateway.ports.connector import ConnectorConfig


class OutputKind(Enum):
    """How an output notifies."""

    WEBHOOK = "webhook"
    NTFY = "ntfy"
    EMAIL = "email"
    MQTT = "mqtt"


class Tls(Enum):
    """Of a mail server, where `none` is for loopback only; a broker knows no STARTTLS."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class BrokerTls(Enum):
    """Of an MQTT broker."""

    TLS = "tls"
    NONE = "none"


class WebhookTable(NotifierConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signed POST."""

    url: WebAddress
    secret: Secret
    ca_file: CaFile = None

    def __post_init__(self) -> None:
        _only_https(self.url, self.ca_file)


class NtfyTable(NotifierConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A push through an ntfy server."""

    url: WebAddress
    topic: Annotated[Text, Meta(examples=["groundwatch-north"])]
    token: Secret | None = None
    ca_file: CaFile = None

    def __post_init__(self) -> None:
        _only_https(self.url, self.ca_file)


class EmailTable(NotifierConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mail to each address."""

    host: Annotated[Host, Meta(examples=["mail.example.net"])]
    port: Port = 587
    tls: Tls = Tls.STARTTLS
    ca_file: CaFile = None
    username: Username | None = None
    password: Secret | None = None
    sender: MailAddress = msgspec.field(name="from")
    to: Annotated[
        tuple[MailAddress, ...],
        Meta(min_length=1, max_length=16, examples=[["duty@example.net"]]),
    ]

    def __post_init__(self) -> None:
        if self.tls is Tls.NONE and not is_loopback(self.host):
            raise ValueError('tls may be none on this machine only, e.g. tls = "starttls"')
        if self.tls is Tls.NONE and self.ca_file is not None:
            raise ValueError('ca_file needs TLS, e.g. tls = "starttls"')


class MqttTable(NotifierConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message on one topic of a broker."""

    host: Host
    port: Port | None = None
    topic: Topic = "groundwatch/alarms"
    tls: BrokerTls = BrokerTls.NONE
    ca_file: CaFile = None
    cert_file: CertFile = None
    cert_key_file: CertKeyFile = None
    username: Username | None = None
    password: Secret | None = None

    def __post_init__(self) -> None:
        _broker_trust(self)


class HomeAssistantTable(ConnectorConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The broker that Home Assistant uses."""

    host: Host
    port: Port | None = None
    prefix: Annotated[Topic, Meta(examples=["homeassistant"])] = "homeassistant"
    tls: BrokerTls = BrokerTls.NONE
    ca_file: CaFile = None
    cert_file: CertFile = None
    cert_key_file: CertKeyFile = None
    username: Username | None = None
    password: Secret | None = None

    def __post_init__(self) -> None:
        _broker_trust(self)


@dataclass(frozen=True, slots=True)
class OutputConfig:
    """One way to notify people; what a kind does not use is empty."""

    kind: OutputKind
    channel: Channel
    url: str = field(default="", repr=False)  # it may hold a secret itself
    secret: str = field(default="", repr=False)
    topic: str = ""
    host: str = ""
    port: int = 0
    tls: Tls = Tls.STARTTLS
    trust: Trust | None = None  # None: no TLS
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    sender: str = ""
    to: tuple[str, ...] = ()

    def described(self) -> dict[str, Any]:
        """What the audit may record of it: no address, no secret."""
        return asdict(self.channel) | {"tls": self.trust is not None}


@dataclass(frozen=True, slots=True)
class HomeAssistantConfig:
    """The broker that Home Assistant uses, and the prefix of its discovery."""

    host: str
    port: int
    prefix: str
    trust: Trust | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def described(self) -> dict[str, Any]:
        """What the audit may record of it: no address, no secret."""
        return {"prefix": self.prefix, "tls": self.trust is not None}


_TABLES: dict[str, type[ConnectorConfig]] = {
    "webhook": WebhookTable,
    "ntfy": NtfyTable,
    "email": EmailTable,
    "mqtt": MqttTable,
    "home_assistant": HomeAssistantTable,
}


def read_outputs(
    tables: Sequence[ConnectorTable], folder: Path, source: str
) -> tuple[tuple[OutputConfig, ...], HomeAssistantConfig | None]:
    """As this package runs them. Raises ConfigError."""
    outputs: list[OutputConfig] = []
    assistant = None
    for table in tables:
        kind = _TABLES.get(str(table.values["kind"]))
        if kind is None:
            raise ConfigError(f"{source}: {table.at}.kind must be one of {', '.join(_TABLES)}")
        value = convert(table.values, kind, source, folder, table.at)
        if isinstance(value, HomeAssistantTable):
            trust = _broker_trust(value)
            assistant = HomeAssistantConfig(
                value.host,
                value.port or (8883 if trust else 1883),
                value.prefix,
                trust,
                value.username,
                value.password,
            )
        elif isinstance(value, NotifierConfig):
            outputs.append(_output(value))
    return tuple(outputs), assistant


def _output(table: NotifierConfig) -> OutputConfig:
    kind = OutputKind(table.kind)
    channel = Channel(
        table.name, table.kind, table.priority, table.repeat_s * 1_000_000, table.per_minute
    )
    match table:
        case WebhookTable():
            trust = _web_trust(table.url, tls_files(table.ca_file))
            return OutputConfig(kind, channel, table.url, table.secret, trust=trust)
        case NtfyTable():
            trust = _web_trust(table.url, tls_files(table.ca_file))
            return OutputConfig(
                kind, channel, table.url, table.token or "", table.topic, trust=trust
            )
        case EmailTable():
            return OutputConfig(
                kind,
                channel,
                host=table.host,
                port=table.port,
                tls=table.tls,
                trust=None if table.tls is Tls.NONE else trust_of(tls_files(table.ca_file)),
                username=table.username,
                password=table.password,
                sender=table.sender,
                to=table.to,
            )
        case MqttTable():
            trust = _broker_trust(table)
            return OutputConfig(
                kind,
                channel,
                host=table.host,
                port=table.port or (8883 if trust else 1883),
                topic=table.topic,
                trust=trust,
                username=table.username,
                password=table.password,
            )
    raise AssertionError(table.kind)


def _only_https(url: WebAddress, ca_file: object) -> None:
    if ca_file is not None and urlsplit(url).scheme != "https":
        raise ValueError('ca_file needs https, e.g. url = "https://example.net/hook"')


def _web_trust(url: WebAddress, files: TlsFiles) -> Trust | None:
    return trust_of(files) if urlsplit(url).scheme == "https" else None


def _broker_trust(table: MqttTable | HomeAssistantTable) -> Trust | None:
    files = tls_files(table.ca_file, table.cert_file, table.cert_key_file)
    if table.tls is BrokerTls.TLS:
        return trust_of(files)
    if files != TlsFiles(digest=files.digest):
        raise ValueError('ca_file and cert_file need TLS, e.g. tls = "tls"')
    return None
