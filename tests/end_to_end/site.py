# SPDX-License-Identifier: MIT
"""A site as its people have it: a folder with a gateway's files, and the commands of the guides
given in it, each as a process. The journeys of simulated and of emulated boards share it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.ports import free_port
from tests.processes import end
from tests.usb.boards import SITE

ROOT = Path(__file__).parents[2]
PASSPHRASE = "a passphrase for tests"
SECRETLY = ("--passphrase-file", "passphrase")
GATEWAY = """\
[gateway]
data_dir = "data"
site = "site.toml"
fleet_key = "fleet.key"
release_key = "release.pub"
[broker]
port = {port}
[console]
port = 0
[nodes]
ssid = "{ssid}"
passphrase = "eight or more"
host = "{host}"
port = {port}
"""


class Site:
    """Nodes join the Wi-Fi `ssid` and find the broker at `host`; a command may take `limit_s`."""

    def __init__(
        self, folder: Path, ssid: str = "field", host: str = "127.0.0.1", limit_s: float = 900
    ) -> None:
        self.folder = folder
        self._limit_s = limit_s
        (folder / "site.toml").write_text(SITE)
        self.port = free_port()  # of its broker
        text = GATEWAY.format(port=self.port, ssid=ssid, host=host)
        (folder / "gateway.toml").write_text(text)
        (folder / "data").mkdir()
        secret = folder / "passphrase"
        secret.write_text(PASSPHRASE)
        secret.chmod(0o600)

    async def run(self, *words: str, status: int = 0) -> str:
        """One command; what it printed."""
        process = await self._start(*words, stderr=asyncio.subprocess.PIPE)
        out, error = await asyncio.wait_for(process.communicate(), self._limit_s)
        assert process.returncode == status, f"groundwatch {' '.join(words)}: {out!r} {error!r}"
        return out.decode()

    async def keys(self) -> None:
        """What a site has once: the key that releases are signed with, the root of node keys."""
        await self.run("release", "key", *SECRETLY)
        await self.run("provision", "--new-root")

    async def release(self, firmware: Path, version: str, *more: str) -> str:
        """A signed release for the Pico W of a firmware's folder; its file's name."""
        name = f"{firmware.name}.gwr"
        await self.run(
            *("release", "sign", "--board", "pico_w", "--version", version, *SECRETLY),
            *("--firmware", firmware.name, "--out", name, *more),
        )
        return name

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[list[dict[str, Any]]]:
        """`groundwatch gateway run --json` while it runs; its lines so far."""
        with (self.folder / "gateway.log").open("wb") as log:
            process = await self._start("gateway", "--json", stderr=log)
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
            await end(process)
            await reader

    async def until(self, is_so: Callable[[], Any], what: str, timeout_s: float = 120) -> None:
        """Wait for something to become true."""
        for _ in range(int(timeout_s * 10)):
            if is_so():
                return
            await asyncio.sleep(0.1)
        log = self.folder / "gateway.log"
        raise AssertionError(f"not within {timeout_s} s: {what}\n{log.read_text()[-2000:]}")

    async def _start(self, *words: str, stderr: Any) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tools.cli",
            *words,
            cwd=self.folder,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
