# SPDX-License-Identifier: MIT
"""The emulated Pico W on a USB cable: its serial console as a port that any program opens.

The emulator lives in an event loop of its own thread; the pseudo-terminal is relayed in both
directions. A reset of the guest takes the port away until it enumerates again, as on a real one.
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
    """`with PicoOnCable(uf2, tree, folder) as pico:` at `pico.port`; without a tree its file system
    is blank. `error` is what the emulator died of."""

    def __init__(
        self, uf2: Path, tree: Path | None, folder: Path, waveform: Waveform = quiet
    ) -> None:
        self.port = folder / "ttyACM0"
        self.pico: EmulatedPico
        self.error: BaseException | None = None
        self._made_of = uf2, tree, folder, waveform
        self._program = b""
        self._master = self._slave = -1
        self._up, self._down = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._live, name="pico", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._up.wait(_START_S) or self.error:
            raise RuntimeError("the emulated board did not come up") from self.error
        return self

    def __exit__(self, *_error: object) -> None:
        self._down.set()
        self._thread.join()

    def holding(self, program: bytes) -> Self:
        """With this at the start of its flash, as its boot ROM puts a UF2 there."""
        self._program = program
        return self

    @property
    def flash(self) -> bytes:
        """All of its flash, as a thief would read it."""
        return bytes(self.pico.device.mcu.flash)

    def _live(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:
            self.error = error
            self._up.set()
            raise

    async def _run(self) -> None:
        self.pico = EmulatedPico(*self._made_of)
        device = self.pico.device
        if self._program:
            flash = device.mcu.flash
            flash[:] = self._program.ljust(len(flash), b"\xff")
        to_host, on_reset = device.cdc.on_serial_data, device.mcu.usb_ctrl.on_reset

        def from_guest(data: bytes) -> None:
            to_host(data)
            self._plug()  # it has enumerated
            # What nobody reads is lost: a board does not wait for its host either.
            with contextlib.suppress(OSError):
                os.write(self._master, bytes(data))

        def reset() -> None:
            on_reset()
            self._unplug()

        device.cdc.on_serial_data = from_guest
        device.mcu.usb_ctrl.on_reset = reset
        async with self.pico:
            self._plug()
            self._up.set()
            while not self._down.is_set():
                await asyncio.sleep(_LOOK_S)
                if device.cdc.dtr:
                    self._plug()
                self._relay()
        self._unplug()

    def _relay(self) -> None:
        cdc = self.pico.device.cdc
        room = min(_ROOM, 500 - cdc.tx_fifo.item_count)
        if self._master >= 0 and room > 0 and select.select([self._master], [], [], 0)[0]:
            for byte in os.read(self._master, room):
                cdc.send_serial_byte(byte)

    def _plug(self) -> None:
        if self._master >= 0:
            return
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port.symlink_to(os.ttyname(self._slave))

    def _unplug(self) -> None:
        if self._master >= 0:
            self.port.unlink(missing_ok=True)
            os.close(self._master)
            os.close(self._slave)
            self._master = -1
