# SPDX-License-Identifier: MIT
"""A Raspberry Pi Pico W in an emulator: official firmware, our files on its flash, our ground.

Two clocks run here and neither follows the other: waveform and PIR edges go by emulated time,
everything the host does by wall time. Emulated time passes at 0.03 to 1.2 times wall time.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from littlefs import LittleFS
from rp2040py.boards import resolve_board_spec
from rp2040py.device import MicroPythonDevice
from rp2040py.external.cyw43 import Cyw43439, nat
from rp2040py.utils.firmware_retrieve import MICROPYTHON

# The network the emulated radio finds; any passphrase of 8 characters will do.
SSID = "RP2040PY-GUEST"
# The guest's gateway: what it connects to there is handed to this machine's loopback.
HOST = "10.0.0.1"
GEOPHONE_CHANNEL = 0  # GP26
BATTERY_CHANNEL = 2  # GP28
PIR_GPIO = 15
TAMPER_GPIO = 14
REST_CODE = 2048 + 175  # mid-rail of 12 bits, and what the sense current through the coil adds
BATTERY_CODE = 2358  # 3.8 V over two equal resistors, of 3.3 V full scale
# Host-side packets answering an armed endpoint: every 10 us as shipped, which costs the guest
# 35,000 interrupts per second and makes its code look 1.5 to 3 times too slow.
USB_READ_DELAY_US = 1_000

KEEPALIVE_S = 300

Waveform = Callable[[int], int]


def quiet(t_us: int) -> int:
    """Ground that does not move: ADC code at any emulated time, with the converter's noise."""
    return REST_CODE - 1 + (t_us * 2_654_435_761 >> 13 & 3)


def filesystem_image(tree: Path, block_count: int, block_size: int) -> bytes:
    """Return a littlefs image (disk version 2.0, as MicroPython mounts) of everything in `tree`."""
    files = LittleFS(
        block_size=block_size, block_count=block_count, prog_size=256, disk_version=0x00020000
    )
    for path in sorted(tree.rglob("*")):
        name = str(path.relative_to(tree))
        if path.is_dir():
            files.makedirs(name, exist_ok=True)
        else:
            with files.open(name, "wb") as target:
                target.write(path.read_bytes())
    files.unmount()
    return bytes(files.context.buffer)


class _LoopbackReflector(nat.TcpReflector):
    """Guest connections end at this machine's loopback, never on a network."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, connect_fn=_connect_loopback, **kwargs)


async def _connect_loopback(
    _host: str, port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    relay = writer.write

    def write_connect(data: bytes) -> None:
        relay(with_patient_keepalive(data))
        writer.write = relay

    writer.write = write_connect
    return reader, writer


def with_patient_keepalive(connect: bytes) -> bytes:
    """Return the node's MQTT CONNECT with a keepalive that emulated time can keep.

    30 s on the node are minutes here, and a broker counts by the wall (MQTT 3.1.1, 3.1.2.10).
    """
    if connect[:1] != b"\x10":
        return connect
    body = 1 + next(i for i, octet in enumerate(connect[1:], 1) if octet < 0x80)
    at = body + 8  # after the protocol's name (6 bytes), its level and the flags
    return connect[:at] + KEEPALIVE_S.to_bytes(2, "big") + connect[at + 2 :]


class _NoUdp(nat.UdpRelay):
    """No datagram of the guest leaves this machine (DHCP is answered before)."""

    def maybe_handle(self, eth: object) -> bool:
        return True


class EmulatedPico:
    """One board from power-on to the end of `async with`. `lines` is all it has printed, `line_us`
    the emulated time of each.

    Without a `tree` its file system is blank flash, as a board comes; MicroPython makes one.
    """

    def __init__(
        self, uf2: Path, tree: Path | None, scratch: Path, waveform: Waveform = quiet
    ) -> None:
        self.lines: list[str] = []
        self.line_us: list[int] = []
        self.adc_reads = 0
        self._waveform = waveform
        self._partial = b""
        self._news = asyncio.Event()
        self._began_s = time.monotonic()
        nat.TcpReflector = _LoopbackReflector
        nat.UdpRelay = _NoUdp
        # Both names are looked up when the board is built.
        board = resolve_board_spec("pico_w", MICROPYTHON, str(uf2))
        image = None
        if tree is not None:
            image = scratch / "flash.img"
            image.write_bytes(
                filesystem_image(tree, board.layout.fs_blockcount, board.layout.fs_blocksize)
            )
        radio = Cyw43439()
        others = [extra for extra in board.extras if extra is not Cyw43439]
        board = dataclasses.replace(board, extras=(*others, lambda: radio))
        self.device = MicroPythonDevice(board=board, filesystem=image)
        self._reset_bus = self.device.mcu.usb_ctrl.on_reset
        self.device.mcu.usb_ctrl.on_reset = lambda: self._on_reset(radio)
        self.device.cdc.on_serial_data = self._on_serial
        self._wire_inputs()

    async def __aenter__(self) -> Self:
        await self.device.astart(timeout=60)
        self.device.mcu.usb_ctrl.read_delay_microseconds = USB_READ_DELAY_US
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self.device.stop()
        await asyncio.sleep(0)

    @property
    def emulated_us(self) -> int:
        """Emulated time since power-on."""
        return int(self.device.simulator.clock.nanos) // 1000

    @property
    def wall_s(self) -> float:
        """Wall time since the board was made."""
        return time.monotonic() - self._began_s

    def at(self, t_us: int, action: Callable[[], None]) -> None:
        """Do something at an emulated time."""
        delay_us = max(0, t_us - self.emulated_us)
        self.device.simulator.clock.create_alarm(action).schedule(delay_us * 1000)

    def pir(self, level: bool) -> None:
        """Drive the PIR's output."""
        self.device.mcu.gpio[PIR_GPIO].set_input_value(level)

    async def line(self, pattern: str, timeout_s: float) -> re.Match[str]:
        """Wait for a printed line that matches; the error holds what was printed instead."""
        seen = 0
        deadline = time.monotonic() + timeout_s
        while True:
            for text in self.lines[seen:]:
                seen += 1
                if match := re.search(pattern, text):
                    return match
            self._news.clear()
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                told = "\n".join(self.lines[-30:])
                raise AssertionError(f"no line like {pattern!r} in {timeout_s} s; printed:\n{told}")
            try:
                await asyncio.wait_for(self._news.wait(), min(left_s, 1.0))
            except TimeoutError:
                error = self.device.simulator.engine_room_error
                if error is not None:
                    raise error from None

    def _wire_inputs(self) -> None:
        adc = self.device.mcu.adc
        adc.channel_values[BATTERY_CHANNEL] = BATTERY_CODE

        def read(channel: int) -> None:
            if channel == GEOPHONE_CHANNEL:
                self.adc_reads += 1
                adc.channel_values[channel] = self._waveform(self.emulated_us)
            adc._default_on_adc_read(channel)

        adc.on_adc_read = read
        self.device.mcu.gpio[TAMPER_GPIO].set_input_value(False)  # the case is closed
        self.pir(False)

    def _on_reset(self, radio: Cyw43439) -> None:
        """The chip resets. rp2040py 0.3.6 lets go of WL_ON without telling the radio, which then
        keeps its registers and does not start again (GPIOPin.reset calls no listener)."""
        self._reset_bus()
        radio.bus.power_off()
        self._partial = b""

    def _on_serial(self, data: bytes) -> None:
        self._partial += bytes(data)
        *whole, self._partial = self._partial.split(b"\n")
        self.line_us += [self.emulated_us] * len(whole)
        self.lines += [line.decode("utf-8", "replace").rstrip("\r") for line in whole]
        if whole:
            self._news.set()
