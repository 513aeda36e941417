# SPDX-License-Identifier: MIT
"""One emulated board as a process: its port, its network and its control channel."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sim_hardware.emulated import flash
from sim_hardware.emulated.board import Board
from sim_hardware.emulated.cable import Cable
from sim_hardware.emulated.control import Control
from sim_hardware.emulated.image import FLASH_BYTES, program_of, release_of
from sim_hardware.emulated.names import NameServer
from sim_hardware.emulated.network import HOST, SSID, Air, Traffic, Wifi
from sim_hardware.usb.bootsel import Bootsel

_PARENT_S = 0.5
_LOOK_S = 0.01
_ENUMERATE_US = 2_000_000  # MicroPython needs about 20 ms; another program may have no USB


@dataclass(frozen=True)
class Options:
    """The options of `groundwatch sim board`. `routes`: port of 10.0.0.1 to host and port."""

    image: Path
    serial: Path
    control: Path
    files: Path | None = None
    flash: Path | None = None
    bootsel: Path | None = None
    routes: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    names: NameServer = field(default_factory=NameServer)
    as_json: bool = False  # the announcement is one line of JSON


class Program:
    """Runs until SIGTERM, SIGINT, the end of its parent, or an error of the emulator."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._started_s = time.monotonic()
        self._end = asyncio.Event()
        self._runs: asyncio.Task[None] | None = None
        air = Air(options.routes, options.names, Wifi.ON, Traffic())
        self._board = Board(options.image, _first_flash(options), air)
        self._cable = Cable(self._board, options.serial)
        self._control = Control(self._board, self._cable, self._power, self._started_s)

    async def run(self) -> None:
        """Run until the end. Raises SimError, or the error of the emulator."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end.set)
        parent = os.getppid()
        async with AsyncExitStack() as stack:
            stack.callback(self._cable.close)
            server = await self._control.listen(self._options.control)
            stack.callback(self._options.control.unlink, missing_ok=True)
            stack.callback(server.close)
            stack.push_async_callback(self._finish)
            if self._options.bootsel is None:
                self._start()
                await self._enumerated()
            else:
                stack.enter_context(Bootsel(self._options.bootsel, self._program(loop)))
            self._announce()
            while not self._end.is_set() and os.getppid() == parent:
                try:
                    await asyncio.wait_for(self._end.wait(), _PARENT_S)
                except TimeoutError:
                    continue

    async def _enumerated(self) -> None:
        """Wait until the port exists, the program ends or too much emulated time has passed."""
        while not self._cable.is_plugged and self._board.emulated_us < _ENUMERATE_US:
            if self._end.is_set():
                return
            await asyncio.sleep(_LOOK_S)

    async def _finish(self) -> None:
        await self._board.power_off()
        if self._options.flash is not None:
            flash.save(self._options.flash, self._board.flash)
        if self._runs is not None:
            self._runs.result()  # raises the error of the emulator

    async def _power(self, is_on: bool) -> None:
        if is_on:
            self._start()
        else:
            await self._board.power_off()

    def _start(self) -> None:
        self._runs = self._board.power_on()
        self._runs.add_done_callback(self._on_stopped)

    def _on_stopped(self, task: asyncio.Task[None]) -> None:
        if task.exception() is not None:
            self._end.set()

    def _program(self, loop: asyncio.AbstractEventLoop) -> Callable[[bytes], None]:
        """The callback of the boot ROM for a program; it runs in another thread."""

        def start(program: bytes) -> None:
            self._board.flash_at_rest = flash.content(program, None)
            self._start()

        def on_program(program: bytes) -> None:
            loop.call_soon_threadsafe(start, program)

        return on_program

    def _announce(self) -> None:
        options = self._options
        release = release_of(options.image)
        if options.as_json:
            routes = {str(port): f"{host}:{to}" for port, (host, to) in options.routes.items()}
            drive = None if options.bootsel is None else str(options.bootsel / "RPI-RP2")
            facts = {"image": str(options.image), "micropython": release or None, "drive": drive}
            places = {"serial": str(options.serial), "control": str(options.control)}
            network = {"ssid": SSID, "host": HOST, "routes": routes}
            line = json.dumps({"type": "ready", **facts, **places, "network": network})
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
            return
        _show(f"pico_w: MicroPython {release or 'of an unknown build'} ({options.image.name})")
        if options.bootsel is not None:
            _show(f"in its boot ROM: the drive is {options.bootsel / 'RPI-RP2'}")
        _show(f"serial port {options.serial}, control channel {options.control}")
        for port, (host, to_port) in sorted(options.routes.items()):
            _show(f"Wi-Fi {SSID}: {HOST}:{port} is {host}:{to_port}")
        _show("ready")


def _first_flash(options: Options) -> bytes:
    if options.flash is not None and options.flash.exists():
        return flash.load(options.flash)
    if options.bootsel is not None:
        return b"\xff" * FLASH_BYTES
    return flash.content(program_of(options.image), options.files)


def _show(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run(options: Options) -> None:
    """Run the process. Raises SimError for an error that the user can correct."""

    async def live() -> None:
        await Program(options).run()

    asyncio.run(live())
