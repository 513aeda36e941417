# SPDX-License-Identifier: MIT
"""`groundwatch sim board` as the tests use it: a process, its port, its control channel.

Waits count emulated time, which the board is asked for: how fast it passes depends on the machine.
Wall time only ends what hangs.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from sim_hardware.emulated.client import Client
from sim_hardware.errors import SimError
from tools.flash.repl import Repl

HUNG_S = 600.0  # without any emulated time passing, or for one answer
SCRIPT_S = 3600.0
_START_S = 600.0  # the first start on a machine compiles the emulator
_LOOK_S = 0.2
_ENUMERATE_S = 5.0  # emulated; MicroPython needs 20 ms


class PicoW:
    """`with PicoW(image, folder, ...) as pico:` with `words` more on its command line.

    `pico.port` is its serial port. Without `files` its file system is blank.
    """

    def __init__(self, image: Path, folder: Path, *words: str, files: Path | None = None) -> None:
        self.port = folder / "ttyACM0"
        self.folder = folder
        self._control = folder / "control"
        self._words = ["--image", str(image), *words]
        if files is not None:
            self._words += ["--files", str(files)]
        self._start_s = time.monotonic()
        self._process: subprocess.Popen[bytes]
        self._client: Client
        self._lock = threading.Lock()
        self._seen: list[tuple[int, str]] = []

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tools.cli", "sim", "board", "pico_w", *self._words]
        places = ["--serial", str(self.port), "--control", str(self._control)]
        with (self.folder / "board.log").open("wb") as log:
            self._process = subprocess.Popen([*command, *places], stdout=log, stderr=log)
        try:
            self._started()
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        self._client = Client(self._control, HUNG_S)
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()
        self._process.terminate()
        status = self._process.wait(HUNG_S)
        assert status == 0, f"the board ended with {status}: {self._log()}"

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """One request on the control channel (docs/emulated-board.md)."""
        with self._lock:
            try:
                return self._client.ask(do, **fields)
            except SimError as error:
                raise AssertionError(f"{do}: {error}; {self._log()[-2000:]}") from None

    @property
    def emulated_us(self) -> int:
        """Emulated time since its process started."""
        return int(self.ask("time")["emulated_us"])

    @property
    def wall_s(self) -> float:
        """Wall time since this was made."""
        return time.monotonic() - self._start_s

    @property
    def flash(self) -> bytes:
        """All of its flash, as a thief would read it."""
        path = self.folder / "dump.bin"
        self.ask("flash", file=str(path))
        return path.read_bytes()

    @property
    def lines(self) -> list[tuple[int, str]]:
        """All it has printed: emulated time and text of each line."""
        while True:
            answer = self.ask("lines", after=len(self._seen))
            assert answer["lost"] == 0
            self._seen += [(at, text) for at, text in answer["lines"]]
            if not answer["lines"]:
                return self._seen

    async def until(self, is_so: Callable[[], Any], what: str, within_s: float) -> Any:
        """What `is_so` gives once it is true, within emulated time; the error holds the console."""
        end_us = await asyncio.to_thread(lambda: self.emulated_us) + int(within_s * 1e6)
        moved_us, moved_s = -1, time.monotonic()
        while True:
            now_us, lines = await asyncio.to_thread(lambda: (self.emulated_us, self.lines))
            if found := is_so():
                return found
            printed = "\n".join(text for _at, text in lines[-30:])
            assert now_us < end_us, f"{what}: not within {within_s} s; printed:\n{printed}"
            if now_us > moved_us:
                moved_us, moved_s = now_us, time.monotonic()
            assert time.monotonic() - moved_s < HUNG_S, f"the board hangs; printed:\n{printed}"
            await asyncio.sleep(_LOOK_S)

    async def line(self, pattern: str, within_s: float) -> re.Match[str]:
        """The first line that matches of all it has printed or prints within emulated time."""
        done = 0

        def first() -> re.Match[str] | None:
            nonlocal done
            for _at, text in self._seen[done:]:
                done += 1
                if match := re.search(pattern, text):
                    return match
            return None

        found: re.Match[str] = await self.until(first, f"a line like {pattern!r}", within_s)
        return found

    def plugged(self, boots: int = 0) -> None:
        """Until its port is there, after so many starts."""
        end_us = self.emulated_us + int(_ENUMERATE_S * 1e6)
        while not (now := self.ask("time"))["plugged"] or now["boots"] < boots:
            assert now["emulated_us"] < end_us, "it does not enumerate"
            time.sleep(0.02)

    def run(self, script: str) -> str:
        """What a script prints, run over its serial port as our own tools do."""
        self.plugged()
        repl = Repl(str(self.port))
        try:
            repl.enter()
            return repl.run(script, SCRIPT_S).decode().replace("\r\n", "\n")
        finally:
            repl.close()

    def _started(self) -> None:
        end_s = time.monotonic() + _START_S
        while not self._log().endswith("ready\n"):
            assert self._process.poll() is None, f"the board ended: {self._log()}"
            assert time.monotonic() < end_s, f"the board does not start: {self._log()}"
            time.sleep(0.05)

    def _log(self) -> str:
        return (self.folder / "board.log").read_text()
