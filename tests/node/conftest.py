# SPDX-License-Identifier: MIT
"""A whole node in virtual time: its bundle, its ground, what it prints and what it sends."""

from __future__ import annotations

import contextlib
import json
import os
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
RUN_NODE = ROOT / "sim_hardware" / "shims" / "run_node.py"
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
    uplinks: list[tuple[int, int, int, int, Any]]  # t_us, lane, boot, seq, message
    raw: bytes

    def messages(self, name: str) -> list[Any]:
        """The messages of one kind, in order of sending, repetitions left out."""
        found: dict[tuple[int, int, int], Any] = {}
        for _t_us, lane, boot, seq, message in self.uplinks:
            if type(message).__name__ == name:
                found[(lane, boot, seq)] = message
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


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., Run]:
    """Run a node in virtual time until its end, through up to ten resets."""

    def play(
        interpreter: Path,
        feed: bytes,
        board: str = "pico_w",
        name: str = "n07",
        timeout_s: float = 60,
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
            # The node does not fit an ESP32 without PSRAM (docs/simulator.md).
            "board_heap": board == "pico_w",
            **settings,
        }
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
        raw = uplinks.read_bytes() if uplinks.exists() else b""
        return Run(codes, printed.splitlines(), [opened(x) for x in raw.decode().splitlines()], raw)

    return play
