# SPDX-License-Identifier: MIT
"""From a bare board to a trusted node and out of service again: the commands of the guides, each as
a process, and nothing else typed. The board is simulated at its USB cable and in the field."""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from littlefs import LittleFS

from sim_hardware.usb.board import UsbBoard
from sim_hardware.usb.bootsel import Bootsel
from tests.gateway.played_node import free_port
from tests.node.conftest import walker
from tests.update.field import LiveNode, firmware, hurry
from tests.usb.rig import SITE, uf2_image

BLOCK, BLOCKS = 4096, 212
PASSPHRASE = "a passphrase for tests"


class Site:
    """A folder with a gateway's files, and the commands given in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "site.toml").write_text(SITE)
        (folder / "gateway.toml").write_text(
            '[gateway]\ndata_dir = "data"\nsite = "site.toml"\nfleet_key = "fleet.key"\n'
            'release_key = "release.pub"\n'
            f"[broker]\nport = {free_port()}\n[console]\nport = 0\n"
            '[nodes]\nssid = "field"\npassphrase = "eight or more"\nhost = "127.0.0.1"\n'
            "port = {}\n"
        )
        text = (folder / "gateway.toml").read_text()
        port = re.search(r"\[broker\]\nport = (\d+)", text)
        assert port
        (folder / "gateway.toml").write_text(text.replace("port = {}", f"port = {port[1]}"))
        (folder / "data").mkdir()
        secret = folder / "passphrase"
        secret.write_text(PASSPHRASE)
        secret.chmod(0o600)

    async def run(self, *words: str, status: int = 0) -> str:
        """One command; what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tools.cli",
            *words,
            cwd=self.folder,
            env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await asyncio.wait_for(process.communicate(), 900)
        assert process.returncode == status, f"groundwatch {' '.join(words)}: {out!r} {error!r}"
        return out.decode()

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[list[dict[str, Any]]]:
        """`groundwatch gateway --json` while it runs; its lines so far."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tools.cli",
            "gateway",
            "--json",
            cwd=self.folder,
            env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"},
            stdout=asyncio.subprocess.PIPE,
            stderr=(self.folder / "gateway.log").open("wb"),
        )
        lines: list[dict[str, Any]] = []

        async def read() -> None:
            assert process.stdout is not None
            while line := await process.stdout.readline():
                lines.append(json.loads(line))

        reader = asyncio.create_task(read())
        try:
            await self.until(lambda: lines, "a ready gateway")
            yield lines
        finally:
            process.terminate()
            await process.wait()
            await reader

    async def until(self, is_so: Any, what: str, timeout_s: float = 120) -> None:
        """Wait for something to become true."""
        for _ in range(int(timeout_s * 10)):
            if is_so():
                return
            await asyncio.sleep(0.1)
        log = self.folder / "gateway.log"
        raise AssertionError(f"not within {timeout_s} s: {what}\n{log.read_text()[-2000:]}")


def unpack(flash: Path, tree: Path) -> None:
    """What is on a board's littlefs, as a folder for the simulated field."""
    files = LittleFS(block_size=BLOCK, block_count=BLOCKS, mount=False)
    files.context.buffer = bytearray(flash.read_bytes())
    files.mount()
    for folder, _folders, names in files.walk("/"):
        target = tree / folder.strip("/")
        target.mkdir(parents=True, exist_ok=True)
        for name in names:
            with files.open(f"{folder.rstrip('/')}/{name}", "rb") as file:
                (target / name).write_bytes(file.read())


@pytest.mark.slow
async def test_bare_board_becomes_a_node_is_updated_and_is_revoked(
    micropython: Path, tmp_path: Path
):
    site = Site(tmp_path)
    secretly = ("--passphrase-file", "passphrase")

    # The installer: keys of the site, then a bare board on the cable.
    await site.run("release", "key", *secretly)
    await site.run("provision", "--new-root")
    image = tmp_path / "micropython.uf2"
    image.write_bytes(uf2_image(random.Random(1).randbytes(40_000)))
    cable = tmp_path / "cable"
    cable.mkdir()
    board = UsbBoard(cable, micropython)
    with Bootsel(cable, lambda _program: board.plug()) as rom:
        await site.run(
            "flash",
            "n07",
            *("--at", "75,12.5", "--sector", "gate", "--board", "pico_w"),
            *("--port", str(board.port), "--drive", str(rom.path), "--image", str(image)),
        )
    board.unplug()
    unpack(board.flash, tmp_path / "n07")
    hurry(tmp_path / "n07")

    async with site.gateway() as lines:
        # In the field: it joins, hears somebody, and the operator is told.
        feed = walker(600, 12, 60)
        node = LiveNode(tmp_path, micropython, "n07", feed)
        node.start()
        await site.until(lambda: any(x["type"] == "detection" for x in lines), "a detection")
        await site.until(lambda: any(x["type"] == "alarm" for x in lines), "an alarm")

        # Releases: signed offline, brought by the gateway. The second one cannot start.
        firmware(tmp_path / "good")
        firmware(tmp_path / "bad", lambda f: (f / "ugs" / "pump.py").write_text("1 / 0\n"))
        for name, version in (("good", "0.2.0"), ("bad", "0.3.0")):
            await site.run(
                *("release", "sign", "--board", "pico_w", "--version", version, *secretly),
                *("--firmware", name, "--out", f"{name}.gwr"),
            )
        told = json.loads(await site.run("update", "good.gwr", "--wave", "n07", "--json"))
        assert (told["ended"], told["nodes"][0]["stage"]) == ("done", "done")
        told = json.loads(await site.run("update", "bad.gwr", "--wave", "n07", "--json", status=1))
        assert told["ended"] == "stopped by itself: n07 failed"
        assert "the old one is back" in told["nodes"][0]["reason"]
        text = node.text()
        assert "update kept version=2000" in text
        assert text.count("node stops cause=") == 3

        # Stolen: its key is revoked, and what it sends is refused and told.
        await site.run("provision", "n07", "--revoke", "--why", "stolen")
        await site.until(
            lambda: any("was revoked and still sends" in json.dumps(x) for x in lines),
            "an alarm of the revoked node",
        )
        await node.stop()
