# SPDX-License-Identifier: MIT
"""Workbench, bench: a site of one Pico W: its gateway in this process, and the files of its node.

The tests of the emulated board use it too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway import keys
from gateway.app import Gateway
from gateway.config import BrokerConfig, ConsoleConfig, GatewayConfig
from tools.bundle import NodeConfig, write_tree

NODE, SITE, BOARD = "n01", "bench", "pico_w"
# Of the emulated network (sim_hardware.emulated.network), which is not loaded here.
_SSID, _HOST = "RP2040PY-GUEST", "10.0.0.1"
SITE_TOML = f"""
[site]
name = "{SITE}"
[[sector]]
id = "{SITE}"
[[node]]
id = "{NODE}"
x_m = 0
y_m = 0
sector = "{SITE}"
board = "{BOARD}"
"""


@asynccontextmanager
async def gateway(folder: Path, release: bytes | None = None) -> AsyncIterator[Gateway]:
    """While it runs, on ports of its own; `release` is the key its updates are checked with."""
    (folder / "site.toml").write_text(SITE_TOML)
    keys.create_fleet_root(folder / "fleet.key")
    config = GatewayConfig(
        data_dir=folder / "data",
        site=folder / "site.toml",
        fleet_key=folder / "fleet.key",
        broker=BrokerConfig(port=0),
        console=ConsoleConfig(port=0),
        release_key=release,
    )
    config.data_dir.mkdir()
    async with Gateway(config) as running:
        yield running


def tree(folder: Path, port: int, release: bytes | None = None) -> Path:
    """The files of the node's flash; the gateway's broker has that port."""
    root = keys.load_fleet_root(folder / "fleet.key")
    config = NodeConfig(
        site=SITE,
        node=NODE,
        board=BOARD,
        key=keys.node_key(root, SITE, NODE),
        ssid=_SSID,
        passphrase="any eight characters",
        host=_HOST,
        port=port,
        x_m=0,
        y_m=0,
        release=release,
    )
    write_tree(config, folder / "tree")
    return folder / "tree"
