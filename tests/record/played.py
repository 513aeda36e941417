# SPDX-License-Identifier: MIT
"""The node's own firmware streams in virtual time: minutes of recording in seconds."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sim_hardware.fastpath import Halver
from sim_hardware.world import World
from tests.node.conftest import RUN_NODE, config
from tools.bundle import write_tree
from tools.compiled import mpy_of_interpreter
from tools.record.marks import Mark
from tools.record.recording import Recording
from tools.record.session import Session
from tools.record.write import Described, write_take

NODE = "n07"
FS_HZ = 250


def ground_of(world: World, node: str, seconds: int) -> tuple[bytes, list[float]]:
    """int32 nm/s and PIR edges of one node of a world."""
    halver, parts, edges = Halver(), [], []
    for number, block in zip(range(seconds), world.blocks(1.0), strict=False):
        nm_s = halver.push(block.velocity_m_s[node], last=number == seconds - 1)
        parts.append(nm_s.astype("<i4").tobytes())
        edges += [float(t_s) for t_s in block.pir_edges_s.get(node, [])]
    return b"".join(parts), edges


def streamed(
    folder: Path,
    interpreter: Path,
    feed: bytes,
    edges_s: Sequence[float] = (),
    request: str = "14400",
    fs_hz: int = FS_HZ,
    board: str = "pico_w",
) -> list[str]:
    """All lines that a node prints while it streams, with a host present all the time."""
    tree = folder / "tree"
    if not tree.exists():
        write_tree(config(board), tree, mpy_of_interpreter(interpreter))
    (tree / "state").mkdir(exist_ok=True)
    (tree / "state" / "stream").write_bytes(request.encode("latin-1"))
    (folder / "feed.i32").write_bytes(feed)
    sim = {
        "mode": "virtual",
        "board": board,
        "feed": str(folder / "feed.i32"),
        "fs_hz": fs_hz,
        "end_s": len(feed) / 4 / fs_hz,
        "uplinks": str(folder / "uplinks.jsonl"),
        "exit": str(tree / "exit.json"),
        "pir_edges_s": list(edges_s),
    }
    (folder / "sim.json").write_text(json.dumps(sim))
    with Path("/dev/zero").open("rb") as host:
        done = subprocess.run(
            [interpreter, "-X", "heapsize=4m", RUN_NODE],
            cwd=tree,
            env={**os.environ, "GROUNDWATCH_SIM": str(folder / "sim.json")},
            stdin=host,
            capture_output=True,
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return done.stdout.decode().splitlines()


def session_of(lines: Sequence[str]) -> Session:
    """The session that `groundwatch record` builds from the lines."""
    session = Session()
    for number, line in enumerate(lines):
        if not session.take(line, number / 5, NODE):
            break
    return session


def described(label: str = "walks", **other: Any) -> Described:
    """A take of p03 on loam."""
    given: dict[str, Any] = {
        "label": label,
        "people": ["p03"],
        "background": False,
        "class_name": "person",
        "count": 1,
        "place": "meadow",
        "soil": "loam",
        "sensor": "SM-24",
        "gain": "101",
        "faults": [],
        "x_m": 0.0,
        "y_m": 0.0,
        "is_simulated": False,
        **other,
    }
    return Described(**given)


def recorded(session: Session, folder: Path, marks: Sequence[Mark] = (), **other: Any) -> Recording:
    """The take of a session."""
    return write_take(session, list(marks), described(**other), folder)
