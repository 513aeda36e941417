# SPDX-License-Identifier: MIT
"""Configuration: [nodes], what every node of the site is told of its network."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gateway.toml_table import Table


@dataclass(frozen=True, slots=True)
class NodeNetwork:
    """The Wi-Fi nodes join, and where in it the broker is."""

    ssid: str
    passphrase: str = field(repr=False)
    host: str
    port: int


def read_nodes(root: Table, broker_port: int) -> NodeNetwork | None:
    """The table [nodes], or None where there is none. Raises ConfigError."""
    if not root.has("nodes"):
        return None
    table = root.table("nodes")
    passphrase = table.optional_text("passphrase", "correct horse battery") or ""
    # IEEE 802.11-2020 annex J.4: 8 to 63 printable ASCII characters; none for an open network.
    if passphrase and not re.fullmatch(r"[ -~]{8,63}", passphrase):
        raise table.fail(
            "passphrase", "must have 8 to 63 plain characters", 'passphrase = "correct horse"'
        )
    network = NodeNetwork(
        ssid=_bounded(table, "ssid", "groundwatch", 32),
        passphrase=passphrase,
        host=_bounded(table, "host", "192.168.4.1", 64),
        port=table.integer("port", 1, 65535, 1883, broker_port or 1883),
    )
    table.done()
    return network


def _bounded(table: Table, key: str, example: str, size_most: int) -> str:
    value = table.text(key, example)
    if len(value.encode()) > size_most:
        raise table.fail(key, f"must have at most {size_most} bytes", f'{key} = "{example}"')
    return value
