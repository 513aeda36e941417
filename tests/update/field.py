# SPDX-License-Identifier: MIT
"""A small field for updates: a real gateway and real nodes as processes, on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway import keys
from gateway.app import Gateway
from gateway.config import BrokerConfig, ConsoleConfig, GatewayConfig
from gateway.service.running.intake_stage import Work
from gateway.updates.rollout import Rollout, plan
from gateway.wire.messages import Chunk, DownMessage
from tools.bundle import NodeConfig, write_tree
from tools.compiled import mpy_of_interpreter
from tools.image import FIRMWARE
from tools.micropython import find
from tools.release import make_release

ROOT = Path(__file__).resolve().parents[2]
RUN_NODE = ROOT / "sim_hardware" / "shims" / "run_node.py"
RELEASE_KEY = Ed25519PrivateKey.from_private_bytes(b"\x21" * 32)
EXIT_RESET = 3
FS_HZ = 500


def release_public() -> bytes:
    """The public half of the field's release key."""
    return RELEASE_KEY.public_key().public_bytes_raw()


def firmware(folder: Path, change: Callable[[Path], None] = lambda _folder: None) -> Path:
    """A copy of the firmware whose trial takes two seconds instead of a minute, then changed."""
    shutil.copytree(FIRMWARE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    self_test = folder / "ugs" / "update" / "self_test.py"
    text = self_test.read_text()
    assert "_WELL_MS = const(60_000)" in text
    self_test.write_text(text.replace("_WELL_MS = const(60_000)", "_WELL_MS = const(2_000)"))
    change(folder)
    return folder


def hurry(tree: Path) -> None:
    """A node that crashed does not wait before its next start."""
    # Beside what is compiled, and taken instead of it.
    slots = tree / "slots.py"
    text = (FIRMWARE / "slots.py").read_text()
    assert "_WAIT_S = const(5)" in text
    slots.write_text(text.replace("_WAIT_S = const(5)", "_WAIT_S = const(0)"))


class LiveNode:
    """One node as a process in real time, in its tree at `folder`/`name`; it starts again after
    each reset, as on a board. `feed` is its ground, int32 nm/s at FS_HZ; quiet without one."""

    def __init__(self, folder: Path, interpreter: Path, name: str, feed: bytes = b"") -> None:
        self.tree = folder / name
        self.log = folder / f"{name}.log"
        self.boots = 0
        self._interpreter = interpreter
        self._sim = folder / f"{name}.json"
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        ground = folder / f"{name}.i32"
        quiet = np.random.default_rng(5).normal(0, 100, 240 * FS_HZ)
        ground.write_bytes(feed or quiet.astype("<i4").tobytes())
        sim = {
            "mode": "real",
            "board": "pico_w",
            "feed": str(ground),
            "fs_hz": FS_HZ,
            "t0_epoch_ms": time.time_ns() // 1_000_000,
            "exit": str(folder / f"{name}.exit"),
        }
        self._sim.write_text(json.dumps(sim))

    def start(self) -> None:
        """Power on."""
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Power off, at any moment."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def cut(self) -> None:
        """Take the power away for a moment."""
        await self.stop()
        self.start()

    def text(self) -> str:
        """Everything it has printed."""
        return self.log.read_text() if self.log.exists() else ""

    async def _keep(self) -> None:
        while True:
            self.boots += 1
            with self.log.open("ab") as log:
                process = await asyncio.create_subprocess_exec(
                    str(self._interpreter),
                    str(RUN_NODE),
                    cwd=self.tree,
                    env={**os.environ, "GROUNDWATCH_SIM": str(self._sim)},
                    stdout=log,
                    stderr=log,
                )
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                process.kill()
                await process.wait()
                raise
            assert code == EXIT_RESET, f"{self.tree.name} ended with {code}: {self.text()[-500:]}"


class Field:
    """`async with Field(...)`: gateway and nodes run; `update()` starts a rollout."""

    def __init__(self, folder: Path, interpreter: Path, names: list[str]) -> None:
        self.folder = folder
        self.names = names
        self._interpreter = interpreter
        nodes = "".join(
            f'[[node]]\nid = "{name}"\nx_m = {25 * at}\ny_m = 0\nsector = "east"\n'
            f'board = "pico_w"\n'
            for at, name in enumerate(names)
        )
        (folder / "site.toml").write_text(f'[site]\nname = "bench"\n{nodes}')
        self.root = keys.create_fleet_root(folder / "fleet.key")
        (folder / "data").mkdir()
        self.gateway = Gateway(
            GatewayConfig(
                data_dir=folder / "data",
                site=folder / "site.toml",
                fleet_key=folder / "fleet.key",
                broker=BrokerConfig(port=0),
                console=ConsoleConfig(port=0),
                release_key=release_public(),
            )
        )
        self.nodes: dict[str, LiveNode] = {}
        self.chunks: list[Chunk] = []

    async def __aenter__(self) -> Self:
        await self.gateway.__aenter__()
        self._count_chunks()
        for name in self.names:
            config = NodeConfig(
                site="bench",
                node=name,
                board="pico_w",
                key=keys.node_key(self.root, "bench", name),
                ssid="field",
                passphrase="eight or more",
                host="127.0.0.1",
                port=self.gateway.address[1],
                x_m=0.0,
                y_m=0.0,
                release=release_public(),
            )
            write_tree(config, self.folder / name, mpy_of_interpreter(self._interpreter))
            hurry(self.folder / name)
            self.nodes[name] = LiveNode(self.folder, self._interpreter, name)
            self.nodes[name].start()
        return self

    def _count_chunks(self) -> None:
        downlinks = self.gateway.service.stages.intake.downlinks
        seal = downlinks.seal

        def counted(node: str, message: DownMessage) -> tuple[str, bytes] | None:
            if isinstance(message, Chunk):
                self.chunks.append(message)
            return seal(node, message)

        downlinks.seal = counted  # type: ignore[method-assign]  # what it seals is sent

    async def __aexit__(self, *_error: object) -> None:
        for node in self.nodes.values():
            await node.stop()
        await self.gateway.__aexit__(*_error)

    async def until(self, is_so: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Wait for something to become true."""
        deadline = time.monotonic() + timeout_s
        while not is_so():
            if time.monotonic() > deadline:
                texts = (f"{n}: {node.text()[-1500:]}" for n, node in self.nodes.items())
                raise AssertionError("\n".join([f"not within {timeout_s} s: {what}", *texts]))
            await asyncio.sleep(0.1)

    async def connected(self) -> None:
        """Wait for the hello of every node."""
        views = self.gateway.service.stages.intake.registry.views
        await self.until(
            lambda: all(views[name].fw for name in self.names), 60, "hello of every node"
        )

    async def update(self, release: object, waves: list[list[str]], **more: object) -> Rollout:
        """Start a rollout of any Release, without the checks of the command line."""
        stages = self.gateway.service.stages
        rollout = Rollout(
            command=0,
            digest=release.digest.hex(),
            version=release.version,
            board="pico_w",
            files=len(release.contents),
            by="test",
            nodes=plan(waves),
            **{"soak_s": 0, "node_timeout_s": 120, **more},
        )

        def begin(now_us: int) -> Work:
            firmware = stages.intake.registry.firmware()
            effects = stages.updates.begin(now_us, rollout, release, firmware)
            return Work(stages.apply(effects, now_us))

        await self.gateway.service.intake_stage.request(begin)
        return self.rollout

    @property
    def rollout(self) -> Rollout:
        """The rollout as it stands."""
        assert self.gateway.service.stages.updates.rollout is not None
        return self.gateway.service.stages.updates.rollout

    async def ended(self, timeout_s: float = 120) -> Rollout:
        """Wait until it has ended."""
        await self.until(lambda: not self.rollout.active, timeout_s, f"end of {self.rollout}")
        return self.rollout

    def alarms(self) -> list[tuple[str, str]]:
        """(kind, reason) of every alarm that is open."""
        return [
            (a.kind.value, " ".join(a.reasons))
            for a in self.gateway.service.stages.monitor.state.alarms.open
        ]


def made(
    folder: Path,
    version: str,
    change: Callable[[Path], None],
    name: str,
    interpreter: Path | None = None,
) -> bytes:
    """A release file of changed firmware, for the simulated nodes of this machine."""
    changed = firmware(folder / name, change)
    return make_release(
        "pico_w", version, RELEASE_KEY, changed, mpy_of_interpreter(interpreter or find())
    )
