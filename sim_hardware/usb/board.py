# SPDX-License-Identifier: MIT
"""The USB cable, simulated: a board that runs MicroPython, as a serial port.

The interpreter is the real one (unix port), its filesystem the real littlefs on an image of flash,
and its console protocol that of `shims/run_console.py`. The cable powers the
board: unplugging it is a power cut, and the image keeps what was written before.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import threading
import time
import tty
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

_CONSOLE = Path(__file__).resolve().parent.parent / "shims" / "run_console.py"
_BLOCK = 4096
_EXIT_RESET, _EXIT_BOOTLOADER = 3, 4
# SIGINT interrupts the unix port anywhere, even in an allocation. So only code that has run for a
# while, and probably waits, is interrupted. Two interrupts at once would end the process.
_INTERRUPT_S = 0.5
_BYTES, _BREAKS = b"\x1c", b"\x1d"  # whether Ctrl-C is only a byte
_RUNS, _READS = b"\x1e", b"\x1f"  # run_console.py: code runs, or the console reads


@dataclass(frozen=True)
class Identity:
    """The identity that the board reports. `mpy`: its .mpy version, 0 for the interpreter's."""

    machine: str = "Raspberry Pi Pico W with RP2040"
    platform: str = "rp2"
    version: tuple[int, int, int] = (1, 25, 0)
    unique_id: str = "e66164084319392c"
    mpy: int = 0


class UsbBoard:
    """`with UsbBoard(...) as board:` plugged in at `board.port`, a name that stays the same.

    With `native_usb` the port goes and comes back at each reset, as on a Pico; behind a UART
    bridge, as on most ESP32 boards, it stays. `noise` may change bytes in both directions;
    `cut_after` unplugs the cable when the host has sent so many bytes; `on_bootloader` is called
    after `machine.bootloader()`.
    """

    def __init__(
        self,
        folder: Path,
        micropython: Path,
        identity: Identity | None = None,
        flash_blocks: int = 212,
        native_usb: bool = True,
    ) -> None:
        self.port = folder / "ttyACM0"
        self.flash = folder / "flash.img"
        self.noise: Callable[[bytes], bytes] = bytes
        self.cut_after: int | None = None
        self.on_bootloader: Callable[[], None] | None = None
        self.taken = 0  # bytes from the host since it was first plugged in
        self.resets = 0
        self._micropython = micropython
        self._blocks = flash_blocks
        self._native_usb = native_usb
        self._identity = folder / "identity.json"
        self._identity.write_text(json.dumps(asdict(identity or Identity())))
        if not self.flash.exists():
            self.flash.write_bytes(b"\xff" * _BLOCK * flash_blocks)
        self._master = -1
        self._slave = -1
        self._child: subprocess.Popen[bytes] | None = None
        self._relay: threading.Thread | None = None
        self._pulled = threading.Event()
        self._listens = self._runs = self._raw = False
        self._interrupt_due = False
        self._since_s = 0.0

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, *_error: object) -> None:
        self.unplug()

    @property
    def plugged(self) -> bool:
        """Whether it has power and a port."""
        return self._relay is not None and self._relay.is_alive()

    def plug(self) -> None:
        """Power on; the port exists on return."""
        self._enumerate()
        self._pulled.clear()
        self._boot()
        self._relay = threading.Thread(target=self._carry, name="usb", daemon=True)
        self._relay.start()

    def unplug(self) -> None:
        """Unplug the cable: power is off and the port removed on return."""
        self._pulled.set()
        if self._relay is not None:
            self._relay.join()

    def _enumerate(self) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(os.ttyname(self._slave))

    def _vanish(self) -> None:
        self.port.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)

    def _boot(self) -> None:
        self._start_console()

    def _start_console(self, *more: str) -> None:
        self._listens = self._runs = self._raw = False
        self._child = subprocess.Popen(
            [self._micropython, _CONSOLE, self.flash, str(self._blocks), self._identity, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def _carry(self) -> None:
        try:
            while not self._pulled.is_set():
                child = self._child
                assert child is not None
                assert child.stdout is not None
                # A board that starts does not listen yet.
                sources: list[Any] = [child.stdout, *([self._master] if self._listens else [])]
                ready, _, _ = select.select(sources, [], [], 0.01)
                self._interrupt()
                if self._master in ready:
                    self._from_host(os.read(self._master, 256))
                if child.stdout in ready and not self._to_host(os.read(child.stdout.fileno(), 256)):
                    self._ended(child.wait())
        finally:
            self._power_off()

    def _from_host(self, data: bytes) -> None:
        if self.cut_after is not None and self.taken + len(data) >= self.cut_after:
            data = data[: self.cut_after - self.taken]
            self._pulled.set()
        self.taken += len(data)
        assert self._child is not None
        assert self._child.stdin is not None
        data = self.noise(data)
        for index, part in enumerate([data] if self._raw else data.split(b"\x03")):
            if index and self._runs:
                self._interrupt_due = True
            elif index:
                part = b"\x03" + part
            with contextlib.suppress(BrokenPipeError):
                self._child.stdin.write(part)

    def _interrupt(self) -> None:
        assert self._child is not None
        if not self._runs:
            self._interrupt_due = False  # what was to be interrupted has ended
        elif self._interrupt_due and time.monotonic() - self._since_s > _INTERRUPT_S:
            self._interrupt_due = False
            self._since_s = time.monotonic()
            self._child.send_signal(signal.SIGINT)

    def _to_host(self, data: bytes) -> bool:
        # A board's console sends CR LF.
        for mark in (_RUNS, _READS):
            self._listens = self._listens or mark in data
        if (at := max(data.rfind(_RUNS), data.rfind(_READS))) >= 0:
            self._runs = data[at : at + 1] == _RUNS
            self._since_s = time.monotonic()
        if (at := max(data.rfind(_BYTES), data.rfind(_BREAKS))) >= 0:
            self._raw = data[at : at + 1] == _BYTES
        ended = not data
        for mark in (_RUNS, _READS, _BYTES, _BREAKS):
            data = data.replace(mark, b"")
        if data:
            os.write(self._master, self.noise(data.replace(b"\n", b"\r\n")))
        return not ended

    def _ended(self, status: int) -> None:
        if status == _EXIT_BOOTLOADER and self.on_bootloader is not None:
            self._pulled.set()
            threading.Thread(target=self.on_bootloader, daemon=True).start()
            return
        self.resets += 1
        if status not in (0, _EXIT_RESET):
            os.write(self._master, f"simulated board died with status {status}\r\n".encode())
        if self._native_usb:
            self._vanish()
            self._enumerate()
        self._boot()

    def _power_off(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for stream in (self._child.stdin, self._child.stdout):
                if stream is not None:
                    stream.close()
        self._vanish()
