# SPDX-License-Identifier: MIT
"""A gateway's folder and one node as a process with a console on a cable, on either link."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from gateway import keys
from gateway.app import Gateway
from gateway.config import load_config
from sim_hardware.usb.wire import WiredNode
from tests.node.conftest import FS_HZ, RUN_NODE
from tests.ports import free_port
from tests.update.field import hurry, release_public
from tools.bundle import NodeConfig, write_tree
from tools.compiled import mpy_of_interpreter

SITE = """\
[site]
name = "yard"
[[sector]]
id = "gate"
[[node]]
id = "n01"
x_m = 0
y_m = 0
sector = "gate"
board = "{board}"
link = "{link}"
"""


class Yard:
    """The site yard with the node n01, board and all."""

    def __init__(
        self, folder: Path, interpreter: Path, link: str = "serial", board: str = "pico_w"
    ) -> None:
        self.folder = folder
        self.port = folder / "ttyACM0"
        self._interpreter = interpreter
        (folder / "site.toml").write_text(SITE.format(link=link, board=board))
        (folder / "release.pub").write_text(release_public().hex() + "\n")
        port = free_port() if link == "wifi" else 0
        root = keys.create_fleet_root(folder / "fleet.key")
        (folder / "gateway.toml").write_text(
            '[gateway]\ndata_dir = "data"\nsite = "site.toml"\nfleet_key = "fleet.key"\n'
            'release_key = "release.pub"\n[broker]\nkind = "embedded"\n'
            f"port = {port}\n"
            "[console]\nport = 0\n"
            f'[[serial]]\nport = "{self.port}"\n'
        )
        config = NodeConfig(
            site="yard",
            node="n01",
            board=board,
            key=keys.node_key(root, "yard", "n01"),
            ssid="field",
            passphrase="eight or more",
            host="127.0.0.1",
            port=port,
            x_m=0,
            y_m=0,
            release=release_public(),
            link=link,
        )
        self.tree = folder / "n01"
        write_tree(config, self.tree, mpy_of_interpreter(interpreter))
        hurry(self.tree)

    def node(self, feed: bytes, **settings: object) -> WiredNode:
        (self.folder / "feed.i32").write_bytes(feed)
        sim = {
            "mode": "real",
            "board": "pico_w",
            "feed": str(self.folder / "feed.i32"),
            "fs_hz": FS_HZ,
            "t0_epoch_ms": time.time_ns() // 1_000_000,
            "exit": str(self.folder / "exit.json"),
            **settings,
        }
        (self.folder / "sim.json").write_text(json.dumps(sim))
        environment = {"GROUNDWATCH_SIM": str(self.folder / "sim.json")}
        command = [str(self._interpreter), str(RUN_NODE)]
        return WiredNode(self.port, command, self.tree, environment)

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[Gateway]:
        config = load_config(self.folder / "gateway.toml")
        config.data_dir.mkdir(exist_ok=True)
        async with Gateway(config) as running:
            yield running

    def stored(self) -> set[tuple[int, int]]:
        """(boot, seq) of every durable message in the store."""
        db = sqlite3.connect(self.folder / "data" / "groundwatch.db")
        rows = db.execute("SELECT boot, seq FROM detection")
        found = list(rows)
        assert len(found) == len(set(found))
        return set(found)


async def until(true: Callable[[], object], seconds: float, node: WiredNode) -> None:
    end_s = time.monotonic() + seconds
    while not true():
        assert node.ended is None, node.lines[-20:]
        assert time.monotonic() < end_s, "\n".join(node.lines[-40:])
        await asyncio.sleep(0.05)


def printed(node: WiredNode) -> set[tuple[int, int]]:
    """(boot, seq) of every detection in its log lines."""
    found = set()
    for line in node.lines:
        if line.startswith("detection "):
            pairs = dict(word.split("=") for word in line.split()[1:])
            found.add((int(pairs["boot"]), int(pairs["seq"])))
    return found
