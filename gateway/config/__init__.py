# SPDX-License-Identifier: MIT
"""Configuration: gateway.toml, read strictly into dataclasses."""

from __future__ import annotations

import argparse
import ipaddress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from gateway import toml_table
from gateway.alarm_config import AlarmConfig, read_alarms
from gateway.node_network import NodeNetwork, read_nodes
from gateway.outputs.config import (
    HomeAssistantConfig,
    OutputConfig,
    read_home_assistant,
    read_outputs,
)
from gateway.retention import Retention, read_retention
from gateway.toml_table import Table
from gateway.updates.package import load_public_key

EXAMPLE = """\
[gateway]
data_dir = "data"        # the store lives here
site = "site.toml"
fleet_key = "fleet.key"  # 64 hex digits, mode 0600

[broker]
kind = "embedded"        # embedded | mosquitto | external
host = "127.0.0.1"
port = 1883

[console]
host = "127.0.0.1"       # this machine only
port = 8480
operators = "operators.toml"  # written by `groundwatch operator add NAME`

# What `groundwatch flash` tells nodes: the Wi-Fi they join and where in it the broker is.
# [nodes]
# ssid = "groundwatch"
# passphrase = "change me, 8 to 63 characters"
# host = "192.168.4.1"

# When a sector is armed; one without a schedule always is. Elsewhere alarms are recorded, not told.
# [[arming]]
# sectors = ["gate"]
# time_zone = "Europe/Berlin"
# armed = ["mon-fri 18:00-06:00", "sat-sun 00:00-24:00"]

# Whom to tell when nobody has acknowledged an alarm for so long.
# [[escalation]]
# after_s = 120
# to = "shift leader"
# priority = 1           # alarms of this priority and higher

# Whom to tell elsewhere (docs/outputs.md); `groundwatch outputs test` shows that it arrives.
# [[output]]
# name = "duty_phone"
# kind = "ntfy"          # webhook | ntfy | email | mqtt
# url = "https://ntfy.example.net"
# topic = "north-fence"

# The store is a SQLite file in data_dir, or a PostgreSQL database.
# [store]
# url = "postgresql:///groundwatch"

# Days that records are kept; what is older is erased. The longest times cannot be raised.
# [retention]
# snippets_days = 7      # waveforms, at most 30
# messages_days = 30     # health and other words of nodes, at most 366
# detections_days = 365  # at most 1096
# alarms_days = 365      # closed alarms and their history, at most 1827
# audit_days = 731       # who did what; the chain itself stays; at most 3653
# quarantine_days = 30   # what was refused, at most 90
"""

LOOPBACK = "127.0.0.1"
_URL_EXAMPLE = "postgresql:///groundwatch"


class BrokerKind(Enum):
    """Who carries the messages between nodes and gateway."""

    EMBEDDED = "embedded"
    MOSQUITTO = "mosquitto"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """Port 0 picks a free one (embedded and mosquitto)."""

    kind: BrokerKind = BrokerKind.EMBEDDED
    host: str = LOOPBACK
    port: int = 1883
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ConsoleConfig:
    """Where operators' pages are served, on this machine only; port 0 picks a free one.

    `visitor` is the name of who comes without signing on: the demo's, never from a file.
    """

    host: str = LOOPBACK
    port: int = 8480
    operators: Path = Path("operators.toml")
    visitor: str = ""


@dataclass(frozen=True, slots=True)
class SerialConfig:
    """One serial line to a node or a radio concentrator."""

    port: str
    baud: int = 115200


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """All that a gateway needs to start."""

    data_dir: Path
    site: Path
    fleet_key: Path
    broker: BrokerConfig = BrokerConfig()
    console: ConsoleConfig = ConsoleConfig()
    serial: tuple[SerialConfig, ...] = ()
    nodes: NodeNetwork | None = None
    alarms: AlarmConfig = field(default_factory=AlarmConfig)
    # Where the store is: a file in data_dir, or PostgreSQL by its URL, which may hold a password.
    store_url: str | None = field(default=None, repr=False)
    retention: Retention = field(default_factory=Retention)
    outputs: tuple[OutputConfig, ...] = ()
    home_assistant: HomeAssistantConfig | None = None
    release_key: bytes | None = None

    @property
    def store(self) -> Path | str:
        """Where it is: a file, or the URL of a database."""
        return self.store_url or self.data_dir / "groundwatch.db"


def add_option(parser: argparse.ArgumentParser, what_for: str = "configuration file") -> None:
    """`--config` of every verb that has to do with a gateway."""
    parser.add_argument(
        "--config",
        type=Path,
        default=Path("gateway.toml"),
        help=f"{what_for} (default: gateway.toml)",
    )


def load_config(path: Path) -> GatewayConfig:
    """Read a gateway.toml; relative paths in it are relative to the file. Raises ConfigError."""
    root = toml_table.load(path)
    head = root.table("gateway", required=True)
    broker = _broker(root.table("broker"))
    config = GatewayConfig(
        data_dir=path.parent / head.text("data_dir", "data"),
        site=path.parent / head.text("site", "site.toml"),
        fleet_key=path.parent / head.text("fleet_key", "fleet.key"),
        broker=broker,
        console=_console(root.table("console"), path.parent),
        serial=tuple(_serial(table) for table in root.tables("serial")),
        nodes=read_nodes(root, broker.port),
        alarms=read_alarms(root),
        store_url=_store_url(root.table("store")),
        retention=read_retention(root),
        outputs=read_outputs(root, path.parent),
        home_assistant=read_home_assistant(root, path.parent),
        release_key=_release_key(head, path),
    )
    head.done()
    root.done()
    return config


def _release_key(head: Table, path: Path) -> bytes | None:
    if not head.has("release_key"):
        return None
    return load_public_key(path.parent / head.text("release_key", "release.pub"))


def _store_url(table: Table) -> str | None:
    url = table.optional_text("url", _URL_EXAMPLE)
    if url is not None and not url.startswith("postgresql://"):
        raise table.fail("url", "must begin with postgresql://", f'url = "{_URL_EXAMPLE}"')
    table.done()
    return url


def _broker(table: Table) -> BrokerConfig:
    kinds = {kind.value: kind for kind in BrokerKind}
    name = table.text("kind", "embedded", "embedded")
    if name not in kinds:
        raise table.fail("kind", f"must be one of {', '.join(kinds)}", 'kind = "embedded"')
    config = BrokerConfig(
        kind=kinds[name],
        host=table.text("host", LOOPBACK, LOOPBACK),
        port=table.integer("port", 0, 65535, 1883, 1883),
        username=table.optional_text("username", "gateway"),
        password=table.optional_text("password", "secret"),
    )
    if config.kind is not BrokerKind.EXTERNAL and (config.username or config.password):
        raise table.fail("username", "and password are for an external broker", 'kind = "external"')
    table.done()
    return config


def _console(table: Table, folder: Path) -> ConsoleConfig:
    config = ConsoleConfig(
        host=table.text("host", LOOPBACK, LOOPBACK),
        port=table.integer("port", 0, 65535, 8480, 8480),
        operators=folder / table.text("operators", "operators.toml", "operators.toml"),
    )
    # Pass phrases and sessions travel in the clear: only where nobody else can listen.
    if not _is_loopback(config.host):
        raise table.fail(
            "host", "must be of this machine, such as 127.0.0.1", f'host = "{LOOPBACK}"'
        )
    table.done()
    return config


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _serial(table: Table) -> SerialConfig:
    config = SerialConfig(
        port=table.text("port", "/dev/ttyUSB0"),
        baud=table.integer("baud", 1200, 4_000_000, 115200, 115200),
    )
    table.done()
    return config
