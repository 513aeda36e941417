# SPDX-License-Identifier: MIT
"""The bundles of all simulated nodes of a site."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

from gateway import keys
from gateway.model import node_settings
from sim_hardware.site import Site
from tools.bundle import NodeConfig, write_tree
from tools.compiled import mpy_of_interpreter
from tools.micropython import find


def write_trees(
    site: Site, fleet_root: bytes, port: int, out: Path, interpreter: Path | None = None
) -> dict[str, Path]:
    """Write one bundle for each node of `site` below `out`; return them by node id.

    The nodes connect to their broker on loopback at `port`, and are compiled for `interpreter`, by
    default the MicroPython of this machine. Raises UserError.
    """
    mpy = mpy_of_interpreter(interpreter or find())
    trees = {}
    for node in site.nodes:
        config = NodeConfig(
            site=site.name,
            node=node.id,
            board=node.board,
            key=keys.node_key(fleet_root, site.name, node.id),
            ssid="groundwatch-sim",
            passphrase="not a secret",
            host="127.0.0.1",
            port=port,
            x_m=node.x_m,
            y_m=node.y_m,
            pir=node.pir_range_m > 0,
        )
        trees[node.id] = out / node.id
        write_tree(config, trees[node.id], mpy)
    return trees


def write_settings(tree: Path, values: Mapping[str, int]) -> None:
    """The settings that a node finds on its flash, as after an earlier `configure`."""
    body = (1).to_bytes(4, "big") + node_settings.encode({**node_settings.DEFAULTS, **values})
    (tree / "state").mkdir(exist_ok=True)
    (tree / "state" / "set0").write_bytes(body + zlib.crc32(body).to_bytes(4, "big"))
