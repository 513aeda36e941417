# SPDX-License-Identifier: MIT
"""The USB cable, simulated: the serial boot loader in an ESP32's ROM, over a NOR flash.

It has the functions that the real esptool needs to detect the chip, write flash and compare MD5
sums: SLIP frames and commands of Espressif's "Serial Protocol" (esptool documentation, advanced
topics), registers of the ESP32's ROM and eFuses, and the flash's JEDEC id behind the SPI registers.
The stub loader that esptool uploads is Xtensa code, which does not run here: this module answers
its commands after the call of its entry point. A pseudo-terminal has no DTR and RTS, so the chip is
in its boot loader from the moment it is plugged in until the host closes the port.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pty
import select
import struct
import threading
import tty
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

END, ESCAPE = 0xC0, 0xDB
_SECTOR = 4096
FLASH_BYTES = 4 << 20
# Registers (ESP32 technical reference manual; ROM magic as esptool knows it).
_MAGIC_REG, _MAGIC_ESP32 = 0x40001000, 0x00F01D83
_SPI_CMD, _SPI_W0 = 0x3FF42000, 0x3FF42080
_SPI_USR2 = 0x3FF42024
_SPI_USR = 1 << 18
_READ_JEDEC_ID = 0x9F
_JEDEC_ID = 0x1640EF  # Winbond, 4 MB
_EFUSE_MAC_LOW, _EFUSE_MAC_HIGH = 0x3FF5A004, 0x3FF5A008
_MAC = 0x240AC4123456

_MD5 = 0x13
_BAD_COMMAND = 0x05  # of a stub and a ROM: "received message is invalid"
_BAD_CHECKSUM = 0x07


class RomLoader:
    """`with RomLoader(folder) as chip:` a chip in its boot loader at `chip.port`.

    `cut_after` unplugs the cable when the host has sent so many bytes; `flash` is its content;
    `on_run` is called once the host has written, compared and closed the port.
    """

    def __init__(self, folder: Path) -> None:
        self.port = folder / "ttyUSB0"
        self.flash = bytearray(b"\xff" * FLASH_BYTES)
        self.cut_after: int | None = None
        self.on_run: Callable[[], None] | None = None
        self.taken = 0
        self.in_stub = False
        self.commands: list[int] = []
        self._registers: dict[int, int] = {
            _MAGIC_REG: _MAGIC_ESP32,
            _EFUSE_MAC_LOW: _MAC & 0xFFFFFFFF,
            _EFUSE_MAC_HIGH: _MAC >> 32,
        }
        self._frame = bytearray()
        self._escaped = False
        self._write_at = 0
        self._inflate: Any = None
        self._master = -1
        self._pulled = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, *_error: object) -> None:
        self.unplug()

    def plug(self) -> None:
        """Start the boot loader; the port exists on return."""
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(os.ttyname(slave))
        os.close(slave)  # so that the host's closing is seen
        self._frame.clear()
        self.commands.clear()
        self.in_stub = False
        self._pulled.clear()
        self._thread = threading.Thread(target=self._carry, name="rom", daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Unplug: power is off and the port removed on return; the flash keeps its content."""
        self._pulled.set()
        if self._thread not in (None, threading.current_thread()):
            self._thread.join()

    def _carry(self) -> None:
        try:
            while not self._pulled.is_set():
                ready, _, _ = select.select([self._master], [], [], 0.02)
                if ready and not self._read():
                    break
        finally:
            self.port.unlink(missing_ok=True)
            os.close(self._master)
        if not self._pulled.is_set() and self.on_run is not None:
            self.on_run()

    def _read(self) -> bool:
        """False when the host has finished and closed the port."""
        try:
            self._take(os.read(self._master, 4096))
        except OSError:  # EIO: no process has the other end open
            if _MD5 in self.commands:
                return False
            self._pulled.wait(0.02)
        return True

    def _take(self, data: bytes) -> None:
        if self.cut_after is not None and self.taken + len(data) >= self.cut_after:
            data = data[: self.cut_after - self.taken]
            self._pulled.set()
        self.taken += len(data)
        for byte in data:
            if byte == END:
                if self._frame:
                    self._command(bytes(self._frame))
                self._frame.clear()
            elif self._escaped:
                self._escaped = False
                self._frame.append({0xDC: END, 0xDD: ESCAPE}.get(byte, byte))
            elif byte == ESCAPE:
                self._escaped = True
            elif len(self._frame) < 64 * 1024:
                self._frame.append(byte)

    def _command(self, frame: bytes) -> None:
        if len(frame) < 8 or frame[0] != 0:
            return
        op, size, check = frame[1], *struct.unpack_from("<HI", frame, 2)
        body = frame[8:]
        if len(body) != size:
            return
        self.commands.append(op)
        work = _COMMANDS.get(op)
        if work is None:
            self._answer(op, status=_BAD_COMMAND)
        elif op in _WITH_DATA and _checksum(body[16:]) != check & 0xFF:
            self._answer(op, status=_BAD_CHECKSUM)
        else:
            work(self, op, body)

    def _answer(self, op: int, value: int = 0, data: bytes = b"", status: int = 0) -> None:
        # A stub's status has two bytes, an ESP32 ROM's four.
        data += bytes((int(status > 0), status)) + (b"" if self.in_stub else bytes(2))
        frame = struct.pack("<BBHI", 1, op, len(data), value) + data
        packed = frame.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
        with contextlib.suppress(OSError):
            os.write(self._master, b"\xc0" + packed + b"\xc0")

    def _sync(self, op: int, _body: bytes) -> None:
        for _ in range(8):
            self._answer(op, 0x20120707)

    def _read_register(self, op: int, body: bytes) -> None:
        (address,) = struct.unpack_from("<I", body)
        self._answer(op, self._registers.get(address, 0))

    def _write_register(self, op: int, body: bytes) -> None:
        for at in range(0, len(body), 16):
            address, value = struct.unpack_from("<II", body, at)
            self._registers[address] = value
            if address == _SPI_CMD and value & _SPI_USR:
                self._registers[_SPI_CMD] = 0  # done
                is_id = self._registers.get(_SPI_USR2, 0) & 0xFF == _READ_JEDEC_ID
                self._registers[_SPI_W0] = _JEDEC_ID if is_id else 0
        self._answer(op)

    def _nothing(self, op: int, _body: bytes) -> None:
        self._answer(op)

    def _memory_end(self, op: int, _body: bytes) -> None:
        self._answer(op)
        self.in_stub = True
        os.write(self._master, b"\xc0OHAI\xc0")

    def _begin(self, op: int, body: bytes) -> None:
        size, blocks, block, offset = struct.unpack_from("<IIII", body)
        self._write_at = offset
        self._inflate = zlib.decompressobj() if op == 0x10 else None
        # The ROM erases first; a stub while it writes, which ends the same.
        span = size if op == 0x10 else blocks * block
        self._erase(offset, span)
        self._answer(op)

    def _data(self, op: int, body: bytes) -> None:
        data = body[16:]
        if self._inflate is not None:
            data = self._inflate.decompress(data)
        end = self._write_at + len(data)
        # NOR flash: writing can only clear bits.
        old = int.from_bytes(self.flash[self._write_at : end], "big")
        new = old & int.from_bytes(data, "big")
        self.flash[self._write_at : end] = new.to_bytes(len(data), "big")
        self._write_at = end
        self._answer(op)

    def _erase(self, offset: int, size: int) -> None:
        first, last = offset // _SECTOR, -(-(offset + size) // _SECTOR)
        self.flash[first * _SECTOR : last * _SECTOR] = b"\xff" * ((last - first) * _SECTOR)

    def _erase_all(self, op: int, _body: bytes) -> None:
        self.flash[:] = b"\xff" * len(self.flash)
        self._answer(op)

    def _md5(self, op: int, body: bytes) -> None:
        address, size = struct.unpack_from("<II", body)
        digest = hashlib.md5(self.flash[address : address + size])
        self._answer(op, data=digest.digest() if self.in_stub else digest.hexdigest().encode())


def _checksum(data: bytes) -> int:
    value = 0xEF
    for byte in data:
        value ^= byte
    return value


_COMMANDS = {
    0x02: RomLoader._begin,
    0x03: RomLoader._data,
    0x04: RomLoader._nothing,  # flash end
    0x05: RomLoader._nothing,  # memory begin: the stub's code, which is discarded
    0x06: RomLoader._memory_end,
    0x07: RomLoader._nothing,  # memory data
    0x08: RomLoader._sync,
    0x09: RomLoader._write_register,
    0x0A: RomLoader._read_register,
    0x0B: RomLoader._nothing,  # SPI parameters
    0x0D: RomLoader._nothing,  # SPI attach
    0x0F: RomLoader._nothing,  # baud rate: a pseudo-terminal has none
    0x10: RomLoader._begin,
    0x11: RomLoader._data,
    0x12: RomLoader._nothing,
    _MD5: RomLoader._md5,
    0xD0: RomLoader._erase_all,
}
_WITH_DATA = (0x03, 0x07, 0x11)
