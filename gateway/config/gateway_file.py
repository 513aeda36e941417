# SPDX-License-Identifier: MIT
"""Configuration: gateway.toml, all that a gateway needs to start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct
from msgspec.structs import replace

from gateway.config.alarms import (
    AlarmConfig,
    ArmingTables,
    ConfirmationTables,
    EscalationTables,
    TimeZone,
    alarm_config,
)
from gateway.config.connectors import ConnectorTables, connector_tables, read_connectors
from gateway.config.exposed import exposed
from gateway.config.fields import FileName, load_public_key
from gateway.config.heartbeats import HeartbeatConfig, PartnersConfig
from gateway.config.network import (
    TLS_PORT,
    ApiConfig,
    ApiTable,
    BrokerConfig,
    BrokerKind,
    ConsoleConfig,
    ConsoleTable,
    NodeNetwork,
    SerialConfig,
)
from gateway.config.reading import convert, parse_toml, read_file
from gateway.config.retention import Retention
from gateway.config.secrets import InlineSecret
from gateway.errors import ConfigError
from gateway.ports.connector import ConnectorConfig, ConnectorType

EXAMPLE = """\
[gateway]
data_dir = "data"        # the store lives here
site = "site.toml"
fleet_key = "fleet.key"  # 64 hex digits, mode 0600
# time_zone = "Europe/Berlin"  # of the schedules below that name none

[broker]
kind = "embedded"        # embedded | mosquitto | external
host = "0.0.0.0"         # every address of this machine: no node reaches 127.0.0.1
port = 1883

[console]
host = "127.0.0.1"       # this machine only
port = 8480
operators = "operators.toml"  # written by `groundwatch operator add NAME`

# What `groundwatch node flash` writes to nodes: the Wi-Fi they join, and where in it the broker is.
# [nodes]
# ssid = "groundwatch"
# passphrase = "change me, 8 to 63 characters"
# country = "DE"         # whose rules the radio keeps; without it, those that hold everywhere
# host = "192.168.4.1"   # or a name: then the node is given the address it has now as well

# When a sector is armed; one without a schedule always is. While it is not, its alarms are
# recorded only.
# [[arming]]
# sectors = ["gate"]
# time_zone = "Europe/Berlin"
# armed = ["mon-fri 18:00-06:00", "sat-sun 00:00-24:00"]

# When a sector needs a second node, a PIR or a plot for an alarm; without it one node is enough.
# [[confirmation]]
# sectors = ["gate"]
# time_zone = "Europe/Berlin"
# confirmed = ["mon-fri 06:00-18:00"]

# Where an alarm escalates to when it is unacknowledged for so long.
# [[escalation]]
# after_s = 120
# to = "shift leader"
# priority = 1           # alarms of this priority and higher

# Other systems and people's phones (docs/connectors.md); `groundwatch connector test` shows that a
# notification arrives.
# [[connector]]
# name = "duty_phone"
# kind = "ntfy"          # webhook | ntfy | email | mqtt | home_assistant
# url = "https://ntfy.example.net"
# topic = "north-fence"

# A dead man's switch: who is notified when this gateway is gone (docs/operations.md).
# [[heartbeat]]
# name = "switch"
# kind = "url"           # url | ntfy | partner
# url = "https://switch.example.net/north"

# The API is on a UNIX socket in data_dir; a TCP port of this machine beside it, and who may use it.
# [api]
# port = 8481
# tokens = "tokens.toml"

# The store is a SQLite file in data_dir, or a PostgreSQL database.
# [store]
# url = "postgresql:///groundwatch"

# Days that records are kept; what is older is erased. The longest times cannot be raised.
# [retention]
# snippets_days = 7      # waveforms, at most 30
# messages_days = 30     # health and other messages of nodes, at most 366
# detections_days = 365  # at most 1096
# alarms_days = 365      # closed alarms and their history, at most 1827
# audit_days = 731       # who did what; the chain itself stays; at most 3653
# quarantine_days = 30   # what was refused, at most 90
"""


class StoreUrl(InlineSecret):
    """Of PostgreSQL; it may hold a password."""

    __slots__ = ()
    wants = "must begin with postgresql://"
    example = "postgresql:///groundwatch"

    @classmethod
    def fits(cls, written: str) -> bool:
        """libpq's own scheme."""
        return written.startswith("postgresql://") and written.isprintable()


class GatewayTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[gateway]: what the gateway works on."""

    data_dir: FileName = "data"
    site: FileName = "site.toml"
    fleet_key: FileName = "fleet.key"
    release_key: Annotated[FileName, Meta(examples=["release.pub"])] | None = None
    # Of [[arming]] and [[confirmation]] tables that name none.
    time_zone: TimeZone | None = None


class StoreTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[store]: a PostgreSQL database in place of the file in `data_dir`."""

    url: StoreUrl | None = None


class GatewayFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """gateway.toml."""

    gateway: GatewayTable
    broker: BrokerConfig = BrokerConfig()
    console: ConsoleTable = ConsoleTable()
    api: ApiTable = ApiTable()
    serial: Annotated[tuple[SerialConfig, ...], Meta(max_length=64)] = ()
    nodes: NodeNetwork | None = None
    arming: ArmingTables = ()
    confirmation: ConfirmationTables = ()
    escalation: EscalationTables = ()
    store: StoreTable = StoreTable()
    retention: Retention = Retention()
    heartbeat: Annotated[tuple[HeartbeatConfig, ...], Meta(max_length=16)] = ()
    partners: PartnersConfig | None = None
    connector: ConnectorTables = ()
    output: Annotated[
        tuple[dict[str, Any], ...], Meta(max_length=16, description="Older name of [[connector]].")
    ] = ()
    home_assistant: (
        Annotated[
            dict[str, Any],
            Meta(description='Older spelling of [[connector]] with kind = "home_assistant".'),
        ]
        | None
    ) = None


def _check_ports(file: GatewayFile) -> None:
    """Raises ValueError that starts with the key of what cannot be opened beside another."""
    # Console and API are at loopback addresses, which 0.0.0.0 of a broker includes.
    used: dict[int, str] = {}
    own = [("console", file.console.port), ("api", file.api.port)]
    if file.broker.kind is not BrokerKind.EXTERNAL:
        own.insert(0, ("broker", file.broker.port))
    for name, port in own:
        if port and port in used:
            raise ValueError(
                f"{name}.port {port} is that of [{used[port]}], e.g. port = {port + 1}"
            )
        if port:
            used[port] = name
    lines: set[str] = set()
    for index, line in enumerate(file.serial):
        if line.port in lines:
            example = 'e.g. port = "/dev/ttyUSB1"'
            raise ValueError(f"serial[{index}].port {line.port} is used twice, {example}")
        lines.add(line.port)


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """All that a gateway needs to start; paths as they can be opened."""

    data_dir: Path
    site: Path
    fleet_key: Path
    broker: BrokerConfig = field(default_factory=BrokerConfig)
    console: ConsoleConfig = field(default_factory=ConsoleConfig)
    api: ApiConfig = field(default_factory=ApiConfig)
    serial: tuple[SerialConfig, ...] = ()
    nodes: NodeNetwork | None = None
    alarms: AlarmConfig = field(default_factory=AlarmConfig)
    # Where the store is: a file in data_dir, or PostgreSQL by its URL, which may hold a password.
    store_url: str | None = field(default=None, repr=False)
    retention: Retention = field(default_factory=Retention)
    connectors: tuple[tuple[ConnectorType, ConnectorConfig], ...] = ()
    release_key: bytes | None = None
    heartbeats: tuple[HeartbeatConfig, ...] = ()
    partners: PartnersConfig | None = None
    exposed: tuple[str, ...] = ()  # secrets that others can read, a line each

    @property
    def store(self) -> Path | str:
        """Where it is: a file, or the URL of a database."""
        return self.store_url or self.data_dir / "groundwatch.db"


def load_config(path: Path) -> GatewayConfig:
    """Read a gateway.toml; relative paths in it are relative to the file. Raises ConfigError."""
    return config_of(parse_toml(read_file(path), path), path)


def config_of(raw: Mapping[str, Any], path: Path) -> GatewayConfig:
    """The configuration of the values in a file. Raises ConfigError."""
    file = convert(raw, GatewayFile, str(path), path.parent)
    broker = file.broker
    if broker.tls and "port" not in raw["broker"]:
        broker = replace(broker, port=TLS_PORT)
    try:
        _check_ports(file)
        alarms = alarm_config(
            file.arming, file.escalation, file.confirmation, file.gateway.time_zone
        )
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    tables = connector_tables(file.connector, file.output, file.home_assistant, str(path))
    folder, head = path.parent, file.gateway
    connectors = tuple(read_connectors(tables, path.parent, str(path)))
    release = None if head.release_key is None else load_public_key(folder / head.release_key)
    return GatewayConfig(
        data_dir=folder / head.data_dir,
        site=folder / head.site,
        fleet_key=folder / head.fleet_key,
        broker=broker,
        console=ConsoleConfig(
            file.console.host, file.console.port, folder / file.console.operators
        ),
        api=ApiConfig(file.api.host, file.api.port, folder / file.api.tokens),
        serial=file.serial,
        nodes=file.nodes and replace(file.nodes, port=file.nodes.port or broker.port or 1883),
        alarms=alarms,
        store_url=file.store.url,
        retention=file.retention,
        connectors=connectors,
        release_key=release,
        heartbeats=file.heartbeat,
        partners=file.partners,
        exposed=exposed(path, raw, broker, (one for _kind, one in connectors)),
    )
