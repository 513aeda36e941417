# SPDX-License-Identifier: MIT
"""The emulated Pico W on a USB cable: its serial console as a port that any program opens.

The emulator lives in an event loop of its own thread; the pseudo-terminal is relayed in both
directions. A reset of the guest takes the port away for a moment, as on a real one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import select
import threading
import tty
from pathlib import Path
from typing import Self

from tests.picow.emulated import EmulatedPico, Waveform, quiet

_LOOK_S = 0.005
_ROOM = 256  # bytes handed over at once; the host side of the emulator holds 512
_START_S = 120.0


class PicoOnCable:
    """`with PicoOnCable(uf2, tree, folder) as pico:` at `pico.port`."""

    def __init__(self, uf2: Path, tree: Path, folder: Path, waveform: Waveform = quiet) -> None:
        self.port = folder / "ttyACM0"
        self.pico: EmulatedPico
        self._made_of = uf2, tree, folder, waveform
        self._up, self._down = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._live, name="pico", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._up.wait(_START_S) or self._error:
            raise RuntimeError("the emulated board did not come up") from self._error
        return self

    def __exit__(self, *_error: object) -> None:
        self._down.set()
        self._thread.join()

    @property
    def flash(self) -> bytes:
        """All of its flash, as a thief would read it."""
        return bytes(self.pico.device.mcu.flash)

    def _live(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:
            self._error = error
            self._up.set()
            raise

    async def _run(self) -> None:
        self.pico = EmulatedPico(*self._made_of)
        device = self.pico.device
        to_host = device.cdc.on_serial_data
        master = self._plug()

        def from_guest(data: bytes) -> None:
            to_host(data)
            with contextlib.suppress(OSError):
                os.write(master, bytes(data))

        device.cdc.on_serial_data = from_guest
        async with self.pico:
            self._up.set()
            while not self._down.is_set():
                await asyncio.sleep(_LOOK_S)
                room = min(_ROOM, 500 - device.cdc.tx_fifo.item_count)
                if room > 0 and select.select([master], [], [], 0)[0]:
                    for byte in os.read(master, room):
                        device.cdc.send_serial_byte(byte)
        self.port.unlink(missing_ok=True)

    def _plug(self) -> int:
        master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port.symlink_to(os.ttyname(self._slave))
        return master
