# SPDX-License-Identifier: MIT
"""A bench for one node: a main.py of the test's own, run on the shims by real MicroPython."""

from __future__ import annotations

import json
import subprocess
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sim_hardware.sandbox import SHIMS

_WALL_LIMIT_S = 30


@dataclass
class Bench:
    """One node's folder. `power_on` runs it until it ends; settings are those of sim.json."""

    interpreter: Path
    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    heap: str = "2m"

    @property
    def tree(self) -> Path:
        return self.folder / "tree"

    def feed(self, samples: Sequence[int]) -> None:
        """Ground for the next run, which starts at time 0 again."""
        (self.folder / "exit.json").unlink(missing_ok=True)
        (self.folder / "feed.i32").write_bytes(array("i", samples).tobytes())

    def power_on(self, main: str | None = None) -> tuple[int, list[str]]:
        """Exit code and the lines printed. Without `main` the files are unchanged."""
        if main is not None:
            (self.tree / "main.py").write_text(main)
            (self.folder / "flash.img").unlink(missing_ok=True)  # flashed again
        table = {
            "mode": "virtual",
            "board": "pico_w",
            "feed": str(self.folder / "feed.i32"),
            "fs_hz": 250,
            "uplinks": str(self.folder / "uplinks.jsonl"),
            "exit": str(self.folder / "exit.json"),
            "seed": 5,
        }
        (self.folder / "sim.json").write_text(json.dumps(table | self.settings))
        done = subprocess.run(
            [self.interpreter, "-X", f"heapsize={self.heap}", SHIMS / "run_node.py"],
            cwd=self.tree,
            env={
                "GROUNDWATCH_SIM": str(self.folder / "sim.json"),
                "MICROPYPATH": f"{SHIMS}:.frozen",
                "PATH": "/usr/bin:/bin",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_WALL_LIMIT_S,
            check=False,
        )
        return done.returncode, (done.stdout + done.stderr).splitlines()

    def charge(self, charges: str = "typical") -> None:
        """Charge for time, on flash of the board's size; `costs` reads what was charged."""
        self.settings |= {
            "charges": charges,
            "flash": str(self.folder / "flash.img"),
            "costs": str(self.folder / "costs.jsonl"),
        }

    def costs(self) -> list[dict[str, Any]]:
        """What was charged, boot by boot."""
        lines = (self.folder / "costs.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def real_time(self) -> None:
        """Play in real time, from now."""
        self.settings |= {"mode": "real", "t0_epoch_ms": round(time.time() * 1000)}


@pytest.fixture(params=["64-bit", "32-bit"])
def interpreter(request: pytest.FixtureRequest) -> Path:
    """Both builds: only the 32-bit one has the boards' small integers and tick period."""
    name = "micropython" if request.param == "64-bit" else "micropython_i386"
    path: Path = request.getfixturevalue(name)
    return path


def _bench(interpreter: Path, folder: Path) -> Bench:
    bench = Bench(interpreter, folder)
    bench.tree.mkdir()
    bench.feed([])
    return bench


@pytest.fixture
def bench(interpreter: Path, tmp_path: Path) -> Bench:
    """A fresh node on each build of the interpreter."""
    return _bench(interpreter, tmp_path)


@pytest.fixture
def bench64(micropython: Path, tmp_path: Path) -> Bench:
    """A fresh node on the host's own build, where the word size cannot matter."""
    return _bench(micropython, tmp_path)


@pytest.fixture
def make_bench(interpreter: Path, tmp_path: Path) -> Callable[[str], Bench]:
    """Several nodes in one test."""

    def make(name: str) -> Bench:
        folder = tmp_path / name
        folder.mkdir()
        return _bench(interpreter, folder)

    return make
