# SPDX-License-Identifier: MIT
"""The emulated board on a USB cable: a pseudo-terminal behind a name that stays the same.

The port disappears with each reset of the board and comes back after enumeration, as on a Pico.
Bytes that no program reads are dropped and counted, as on a real host.
"""

from __future__ import annotations

import os
import pty
import select
import tty
from pathlib import Path

from sim_hardware.emulated.board import Board
from sim_hardware.errors import SimError

_READ_BYTES = 256
_HELD_BYTES_MAX = 1 << 16  # for a program that has the port open and is slow


class Cable:
    """Relays between a board and `port`. Raises SimError where `port` is something else already."""

    def __init__(self, board: Board, port: Path) -> None:
        if port.exists() or (port.is_symlink() and not _is_dead(port)):
            raise SimError(f"{port} exists already; remove it, or give another name with --serial")
        port.unlink(missing_ok=True)
        self.port = port
        self.to_host = self.from_host = self.dropped = 0
        self._board = board
        self._master = -1
        self._held = bytearray()
        board.on_usb = self._on_usb
        board.on_serial = self._on_serial
        board.on_turn = self._on_turn

    @property
    def is_plugged(self) -> bool:
        """Whether the port exists."""
        return self._master >= 0

    def close(self) -> None:
        """Unplug the cable."""
        self._on_usb(False)

    def _on_usb(self, is_there: bool) -> None:
        if is_there and self._master < 0:
            self._master, slave = pty.openpty()
            tty.setraw(slave)
            os.set_blocking(self._master, False)
            self.port.symlink_to(os.ttyname(slave))
            os.close(slave)  # so that it is known whether a program has the port open
        elif not is_there and self._master >= 0:
            self.port.unlink(missing_ok=True)
            os.close(self._master)
            self._master = -1
            self._held.clear()

    def _on_serial(self, data: bytes) -> None:
        self._held += data
        self._write()

    def _on_turn(self) -> None:
        if self._master < 0:
            return
        if self._held:
            self._write()
        room = min(_READ_BYTES, self._board.room)
        if room and self._events() & select.POLLIN:
            try:
                data = os.read(self._master, room)
            except OSError:  # the program closed the port just now
                return
            self.from_host += len(data)
            self._board.send(data)

    def _write(self) -> None:
        """Write as many of the held bytes as the port takes."""
        if self._master < 0 or self._events() & select.POLLHUP:
            self.dropped += len(self._held)
            self._held.clear()
            return
        try:
            written = os.write(self._master, self._held)
        except BlockingIOError:
            written = 0
        self.to_host += written
        del self._held[:written]
        if (over := len(self._held) - _HELD_BYTES_MAX) > 0:
            self.dropped += over
            del self._held[-over:]

    def _events(self) -> int:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        return sum(events for _file, events in poll.poll(0))


def _is_dead(port: Path) -> bool:
    """A name that an earlier run left behind points at a pseudo-terminal that is gone."""
    return not port.exists() and str(port.readlink()).startswith("/dev/pts/")
