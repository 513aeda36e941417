# SPDX-License-Identifier: MIT
"""A simulated Pico W that is flashed at its cable and then works: the same port, the same flash.

Until it has a main.py it is the console of `UsbBoard`. With one, a start runs the node's firmware
on simulated hardware, with a simulated Wi-Fi and a person who walks past. Ctrl-C at the cable ends
the node; what it has written stays on the flash for the prompt.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from littlefs import LittleFS, LittleFSError

from sim_hardware.sandbox import SHIMS
from sim_hardware.usb.board import UsbBoard
from tests.node.conftest import FS_HZ, walker

BLOCK, BLOCKS = 4096, 212
EXIT_RESET = 3
WALK_S = (40.0, 500.0)  # after each start of the node
# Its PIR sees the walker for 2 s of every 20.
PIR_EDGES_S = [at + on for at in range(50, int(WALK_S[1]), 20) for on in (0.0, 2.0)]
FOR_EVER_S = 1e6


@dataclass
class AccessPoint:
    """The credentials that a node needs to join."""

    ssid: str = ""
    passphrase: str = ""


class FieldBoard(UsbBoard):
    """`wifi` is in range."""

    def __init__(self, folder: Path, micropython: Path, wifi: AccessPoint) -> None:
        super().__init__(folder, micropython, flash_blocks=BLOCKS)
        self.wifi = wifi
        self.printed = ""
        self.starts = 0  # of the node
        self._folder = folder
        self._tree = folder / "tree"
        self._is_node = False
        (folder / "ground.i32").write_bytes(walker(600, *WALK_S))

    def _boot(self) -> None:
        files = mounted(self.flash)
        if files is None or "main.py" not in files.listdir("/"):
            self._is_node = False
            self._start_console()
            return
        shutil.rmtree(self._tree, ignore_errors=True)
        unpack(files, self._tree)
        self._start_node()

    def _start_node(self) -> None:
        self.starts += 1
        self._is_node = self._listens = self._runs = True
        self._raw = False
        self._since_s = time.monotonic()
        settings = self._folder / "sim.json"
        settings.write_text(json.dumps(self._settings()))
        self._child = subprocess.Popen(
            [self._micropython, SHIMS / "run_node.py"],
            cwd=self._tree,
            env={**os.environ, "GROUNDWATCH_SIM": str(settings)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )

    def _settings(self) -> dict[str, object]:
        wanted = json.loads((self._tree / "node.json").read_text()).get("wifi", {})
        settings: dict[str, object] = {
            "mode": "real",
            "board": "pico_w",
            "feed": str(self._folder / "ground.i32"),
            "fs_hz": FS_HZ,
            "t0_epoch_ms": time.time_ns() // 1_000_000,
            "pir_edges_s": PIR_EDGES_S,
            "exit": str(self._folder / "exit.json"),
        }
        if wanted.get("ssid") != self.wifi.ssid:
            settings["outages_s"] = [[0.0, FOR_EVER_S]]
        elif wanted.get("passphrase") != self.wifi.passphrase:
            settings["wrong_passphrase_s"] = [[0.0, FOR_EVER_S]]
        return settings

    def _to_host(self, data: bytes) -> bool:
        self.printed += data.decode("utf-8", "replace")
        return super()._to_host(data)

    def _ended(self, status: int) -> None:
        if not self._is_node:
            super()._ended(status)
            return
        pack(self._tree, self.flash)
        if status == EXIT_RESET:
            super()._ended(status)
            return
        assert status in (1, -signal.SIGINT), f"the node ended with {status}: {self.printed[-800:]}"
        self._is_node = False
        self._start_console("prompt")


def mounted(flash: Path) -> LittleFS | None:
    """The file system of a board; None while it has none."""
    files = LittleFS(block_size=BLOCK, block_count=BLOCKS, mount=False)
    files.context.buffer = bytearray(flash.read_bytes())
    try:
        files.mount()
    except LittleFSError:
        return None
    return files


def unpack(files: LittleFS, tree: Path) -> None:
    """All of it as a folder."""
    for folder, _folders, names in files.walk("/"):
        target = tree / folder.strip("/")
        target.mkdir(parents=True, exist_ok=True)
        for name in names:
            with files.open(f"{folder.rstrip('/')}/{name}", "rb") as file:
                (target / name).write_bytes(file.read())


def pack(tree: Path, flash: Path) -> None:
    """Write the node's changed files back into the image."""
    files = mounted(flash)
    assert files is not None
    there = {f"{folder.rstrip('/')}/{n}" for folder, _f, names in files.walk("/") for n in names}
    here = {f"/{path.relative_to(tree)}": path for path in tree.rglob("*") if path.is_file()}
    for path in there - here.keys():
        files.remove(path)
    for path, source in here.items():
        files.makedirs(str(Path(path).parent), exist_ok=True)
        with files.open(path, "wb") as file:
            file.write(source.read_bytes())
    flash.write_bytes(files.context.buffer)
