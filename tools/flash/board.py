# SPDX-License-Identifier: MIT
"""One board at the cable: its files by hash, its identity, its answer to a challenge."""

from __future__ import annotations

import binascii
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tools.flash import on_board
from tools.flash.repl import BoardError, CableError, Repl

# main.py under this name does not start the node, so no watchdog runs.
HELD = "main.held"
_MAIN = "main.py"
_TRIES = 4
_RETURN_S = 20.0  # a port that went with a reset comes back within
_SLOW_S = 120.0  # the largest file system there is, read or overwritten


@dataclass(frozen=True)
class Facts:
    """The board's identity. `free` flash and `heap` are in bytes; `mpy` is as in tools.compiled, or
    0 when the board does not report it."""

    platform: str
    machine: str
    version: tuple[int, ...]
    id: str
    free: int
    mpy: int
    heap: int


@dataclass(frozen=True)
class Carried:
    """The node whose settings it holds ("" for none) and the highest boot number in its state."""

    site: str
    node: str
    boot: int


class Board:
    """Opens the port and interrupts what runs. Raises CableError, BoardError."""

    def __init__(self, port: str) -> None:
        self.port = port
        self._repl = self._open(port)
        self.facts = self._facts()

    def close(self) -> None:
        """Release the port; the board is unchanged."""
        self._repl.leave()
        self._repl.close()

    def inventory(self, names: tuple[str, ...]) -> dict[str, str]:
        """Path -> SHA-256 in hex of every file at or below the names."""
        found = self._ask(on_board.INVENTORY.format(names=names), _SLOW_S)
        return {str(path): str(digest) for path, digest in dict(found).items()}

    def send(self, path: str, data: bytes, progress: Callable[[int], None] | None = None) -> None:
        """Write one file beside the old one, then rename it; repeated after noise on the line."""
        for attempt in range(_TRIES):
            try:
                self._send(path, data, progress or _silent)
                return
            except (BoardError, CableError) as error:
                if "OSError: 28" in str(error) or "ENOSPC" in str(error):
                    raise BoardError(f"{path} does not fit: the board's flash is full") from None
                if attempt == _TRIES - 1:
                    raise
                self._repl.enter()

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with its content; a missing one is ignored."""
        self._run(f"_rm({path!r})", _SLOW_S)

    def hold(self) -> None:
        """Rename main.py and restart, so that no watchdog runs meanwhile."""
        if self._ask(f"_reply(_kind({_MAIN!r}))"):
            self._run(f"_rm({HELD!r})\nos.rename({_MAIN!r},{HELD!r})")
            self.reset()

    def release(self) -> None:
        """Undo `hold`."""
        self._run(f"if _kind({HELD!r}):\n _rm({_MAIN!r})\n os.rename({HELD!r},{_MAIN!r})")

    def reset(self) -> None:
        """Restart the board and return to its prompt."""
        self._repl.let_go("import machine\nmachine.reset()")
        self._repl.close()
        self._repl = self._open(self.port)

    def start(self) -> None:
        """Restart the board and release the port."""
        self._repl.let_go("import machine\nmachine.reset()")
        self._repl.close()

    def enter_bootloader(self) -> None:
        """Start the boot ROM, which appears as a drive or as another port."""
        self._repl.let_go("import machine\nmachine.bootloader()")
        self._repl.close()

    def ask(self, code: str, timeout_s: float) -> Any:
        """The one line of JSON that some code prints. Raises BoardError, CableError."""
        return self._ask(code, timeout_s)

    def carried(self) -> Carried:
        """The node whose settings it holds."""
        found = self._ask(on_board.STANDING)
        return Carried(str(found["site"]), str(found["node"]), int(found["boot"]))

    def answer(self, challenge: bytes) -> bytes:
        """Its MAC over a challenge under the node key it holds; empty without one."""
        return bytes.fromhex(str(self._ask(on_board.ANSWER.format(challenge=challenge))))

    def forget_key(self) -> None:
        """Remove the stored state of an earlier key."""
        self.remove("state/key")

    def forget_state(self) -> None:
        """Remove the counters and records of another node."""
        self.remove("state")

    def raise_boot(self, boot: int) -> None:
        """Count boots from this number or a higher one."""
        if self._ask(on_board.BOOT_FLOOR.format(boot=boot)) != boot:
            raise BoardError("the boot counter does not read back from the board's flash")

    def mark_for_scrub(self) -> None:
        """Mark on the board that an older key is being replaced; `scrub` removes the mark."""
        self._run("open('scrub.due','w').close()")

    def scrub(self) -> None:
        """If marked, overwrite every flash block that may hold an older key."""
        self._ask(on_board.SCRUB, _SLOW_S)

    def _send(self, path: str, data: bytes, progress: Callable[[int], None]) -> None:
        self._run(f"_mk({path!r})\nf=open({path + '.new'!r},'wb')")
        self._repl.feed(f"_get(f,{len(data)},{binascii.crc32(data)})", data, progress)
        self._run(f"f.close()\n_end({path!r},'{sha256(data).hexdigest()}')")

    def _open(self, port: str) -> Repl:
        """Open the port. After a reset it may be missing for a while: wait for it."""
        was_here = hasattr(self, "facts")
        end_s, has_answered = time.monotonic() + _RETURN_S, 0
        while True:
            repl = None
            try:
                repl = Repl(port)
                repl.enter()
                has_answered += 1
                repl.run(on_board.HELPERS, _SLOW_S)
                return repl
            except CableError:
                if repl is not None:
                    repl.close()
                # A port that was open before comes back; a board that answered once met noise.
                if (not was_here and has_answered != 1) or time.monotonic() > end_s:
                    raise
                time.sleep(0.1)

    def _facts(self) -> Facts:
        found = self._ask(on_board.IDENTITY)
        if not isinstance(found, Mapping):
            raise CableError(f"noise on the line of {self.port}")
        try:
            version = tuple(int(part) for part in found["version"])
            platform, machine = (str(found[name])[:100] for name in ("platform", "machine"))
            free, mpy, heap = int(found["free"]), int(found["mpy"]), int(found["heap"])
            return Facts(platform, machine, version, str(found["id"])[:64], free, mpy, heap)
        except (KeyError, TypeError, ValueError):
            # One changed byte can leave an answer that parses and names other fields.
            raise CableError(f"noise on the line of {self.port}") from None

    def _run(self, code: str, timeout_s: float = 30.0) -> None:
        self._repl.run(code, timeout_s)

    def _ask(self, code: str, timeout_s: float = 30.0) -> Any:
        """A value. The code only reads, so it is repeated after noise."""
        for attempt in range(_TRIES):
            try:
                return self._repl.value(code, timeout_s)
            except (CableError, BoardError):
                if attempt == _TRIES - 1:
                    raise
                self._repl.enter()
        raise AssertionError  # not reached


def differing(wanted: Mapping[str, Path], there: Mapping[str, str]) -> list[str]:
    """Paths whose file on the board is not the wanted one, in a fixed order."""
    return [
        path
        for path, source in sorted(wanted.items())
        if there.get(path) != sha256(source.read_bytes()).hexdigest()
    ]


def _silent(_size: int) -> None:
    """No progress is shown."""
