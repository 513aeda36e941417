# SPDX-License-Identifier: MIT
"""A whole node in virtual time: its bundle, its ground, what it prints and what it sends."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway import keys
from gateway.wire import codec, seal
from gateway.wire.errors import WireError
from tools.bundle import NodeConfig, write_tree
from tools.compiled import mpy_of_interpreter
from tools.micropython import MicropythonMissingError, find

ROOT = Path(__file__).resolve().parents[2]
SHIMS = ROOT / "sim_hardware" / "shims"
RUN_NODE = SHIMS / "run_node.py"
ON_NODE = Path(__file__).parent / "on_node"
NODE_KEY = bytes(range(32))
UP_TOPIC = "groundwatch/v1/north/n07/up"
FS_HZ = 500


def config(board: str, port: int = 1883) -> NodeConfig:
    """The node n07 of the site north."""
    return NodeConfig(
        site="north",
        node="n07",
        board=board,
        key=NODE_KEY,
        ssid="field",
        passphrase="eight or more",
        host="127.0.0.1",
        port=port,
        x_m=0.0,
        y_m=0.0,
    )


def walker(duration_s: float, begin_s: float, end_s: float) -> bytes:
    """A quiet feed with footsteps every 0.55 s between two times: int32 nm/s."""
    rng = np.random.default_rng(3)
    ground = rng.normal(0, 100, int(duration_s * FS_HZ))
    t_s = np.arange(200) / FS_HZ
    step = 8_000 * np.exp(-25 * t_s) * np.sin(2 * np.pi * 25 * t_s)
    for begin in np.arange(begin_s, end_s, 0.55):
        at = int(begin * FS_HZ)
        part = ground[at : at + len(step)]
        part += step[: len(part)]
    return ground.astype("<i4").tobytes()


@dataclass(frozen=True)
class Run:
    """One or more boots of a node: exit codes, printed lines, opened uplinks."""

    codes: list[int]
    lines: list[str]
    uplinks: list[tuple[int, int, int, int, Any]]  # t_us, space, boot, seq, message
    raw: bytes

    def messages(self, name: str) -> list[Any]:
        """The messages of one kind, in order of sending, repetitions left out."""
        found: dict[tuple[int, int, int], Any] = {}
        for _t_us, space, boot, seq, message in self.uplinks:
            if type(message).__name__ == name:
                found[(space, boot, seq)] = message
        return list(found.values())


def unseal(data: bytes) -> tuple[int, bytes, bytes]:
    """(key epoch, Partial IV, payload) of a node whose key has taken no step, or one."""
    first = keys.derive(NODE_KEY)
    for now in (first, keys.next_epoch(first)):
        with contextlib.suppress(WireError):
            return now.epoch, *seal.open_sealed(now.up_key, now.up_iv, data, UP_TOPIC.encode())
    raise AssertionError("sealed with another key")


def opened(line: str) -> tuple[int, int, int, int, Any]:
    """One line of the uplinks file, verified and decoded as a gateway would."""
    row = json.loads(line)
    assert row["topic"] == UP_TOPIC
    _epoch, piv, payload = unseal(bytes.fromhex(row["payload"]))
    return (row["t_us"], *seal.parse_up_piv(piv), codec.decode(payload))


@pytest.fixture(scope="session")
def micropython() -> Path:
    """The 32-bit build, whose objects have the board's size; elsewhere the machine's own."""
    try:
        return find("i386")
    except MicropythonMissingError:
        return find()


def take_out(interpreter: Path, image: Path, board: str, tree: Path) -> None:
    """Bring what a node left on its flash into the folder of its tree. What the simulator itself
    keeps there stays."""
    kept = tree.parent / "kept"
    kept.mkdir()
    subprocess.run(
        [interpreter, "-X", "heapsize=8m", ON_NODE / "take_out.py", image, board, kept],
        env={**os.environ, "MICROPYPATH": f"{SHIMS}:{SHIMS.parent}:.frozen"},
        check=True,
        timeout=60,
    )
    if (tree / "exit.json").exists():
        (tree / "exit.json").rename(kept / "exit.json")
    shutil.rmtree(tree)
    kept.rename(tree)


@pytest.fixture
def play(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Run]:
    """Run a node in virtual time until its end, through up to ten resets. Work costs it time, and
    its files are on flash of the board's size meanwhile, before and after in the folder of its
    tree; not so in a module that has CHARGES = "none"."""
    charges = getattr(request.module, "CHARGES", "typical")

    def play(
        interpreter: Path,
        feed: bytes,
        board: str = "pico_w",
        name: str = "n07",
        timeout_s: float = 300,
        **settings: Any,
    ) -> Run:
        tree = tmp_path / name
        if not tree.exists():
            write_tree(config(board), tree, mpy_of_interpreter(interpreter))
        (tmp_path / "feed.i32").write_bytes(feed)
        uplinks = tmp_path / f"{name}.jsonl"
        uplinks.unlink(missing_ok=True)
        sim = {
            "mode": "virtual",
            "board": board,
            "feed": str(tmp_path / "feed.i32"),
            "fs_hz": FS_HZ,
            "end_s": len(feed) / 4 / FS_HZ,
            "uplinks": str(uplinks),
            "board_heap": True,
            "exit": str(tree / "exit.json"),
            "charges": charges,
            "flash": str(tmp_path / "flash.img"),
            **settings,
        }
        if sim["charges"] == "none":
            del sim["flash"]
        (tmp_path / "flash.img").unlink(missing_ok=True)
        (tmp_path / "sim.json").write_text(json.dumps(sim))
        codes, printed = [], ""
        while len(codes) < 10 and (not codes or codes[-1] == 3):
            done = subprocess.run(
                [interpreter, "-X", "heapsize=2m", RUN_NODE],
                cwd=tree,
                env={**os.environ, "GROUNDWATCH_SIM": str(tmp_path / "sim.json")},
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )
            assert done.returncode in (0, 3), done.stdout + done.stderr
            codes.append(done.returncode)
            printed += done.stdout
        if "flash" in sim:
            take_out(interpreter, tmp_path / "flash.img", board, tree)
        raw = uplinks.read_bytes() if uplinks.exists() else b""
        return Run(codes, printed.splitlines(), [opened(x) for x in raw.decode().splitlines()], raw)

    return play
