# SPDX-License-Identifier: MIT
"""Record: a simulated node of a scenario on a serial port of its own, to try a recording with."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway import keys
from sim_hardware.fastpath import Halver
from sim_hardware.sandbox import Faults, Sandbox, make_sandbox
from sim_hardware.signals import FEED_FS_HZ
from sim_hardware.site import NodeSpec
from sim_hardware.usb.wire import WiredNode
from sim_hardware.world import World, load
from tools import micropython
from tools.bundle import NodeConfig, write_tree
from tools.compiled import mpy_of_interpreter
from tools.errors import UserError

_SETTLE_S = 5.0  # ground beyond the recording, so that it does not end before it
_BLOCK_S = 1.0
_SITE = "recording"


def spec_of(scenario: Path, node: str) -> NodeSpec:
    """The node of a scenario. Raises UserError, SimError."""
    nodes = {one.id: one for one in load(scenario).nodes}
    if node not in nodes:
        raise UserError(f"scenario {scenario.stem} has no node {node}; it has {', '.join(nodes)}")
    return nodes[node]


@contextmanager
def streaming(scenario: Path, spec: NodeSpec, seed: int, seconds: int) -> Iterator[str]:
    """The port of a simulated node that streams for `seconds` of real time."""
    interpreter = micropython.find()
    with tempfile.TemporaryDirectory(prefix="groundwatch-") as folder:
        work = Path(folder)
        tree = work / "tree"
        # Nothing here is secret; on a wire, so that it looks for no network.
        config = NodeConfig(
            site=_SITE,
            node=spec.id,
            board=spec.board,
            key=keys.node_key(hashlib.sha256(b"groundwatch record").digest(), _SITE, spec.id),
            ssid="",
            passphrase="",
            host="",
            port=0,
            x_m=spec.x_m,
            y_m=spec.y_m,
            pir=spec.pir_range_m > 0,
            link="serial",
        )
        write_tree(config, tree, mpy_of_interpreter(interpreter))
        (tree / "state").mkdir(exist_ok=True)
        (tree / "state" / "stream").write_text(str(seconds))
        box = make_sandbox(work / "nodes", spec.id, tree, interpreter)
        _sense(box, scenario, seed, seconds + _SETTLE_S)
        port = work / "ttyACM0"
        with WiredNode(port, box.command(), box.tree, box.environment()):
            yield str(port)


def _sense(box: Sandbox, scenario: Path, seed: int, duration_s: float) -> None:
    """Write what the node will sample and see."""
    world = World(load(scenario), seed)
    halver = Halver()
    edges_s: list[float] = []
    count = round(duration_s / _BLOCK_S) + 1
    with box.feed.open("wb") as feed:
        for number, block in zip(range(count), world.blocks(_BLOCK_S), strict=False):
            nm_s = halver.push(block.velocity_m_s[box.node], last=number == count - 1)
            feed.write(nm_s.astype("<i4").tobytes())
            edges_s += [float(t_s) for t_s in block.pir_edges_s.get(box.node, [])]
    settings = {
        "mode": "real",
        "fs_hz": FEED_FS_HZ,
        "t0_epoch_ms": time.time_ns() // 1_000_000,
        "pir_edges_s": edges_s,
    }
    box.write_settings(settings, seed, world.faults.get(box.node, Faults()))
