# SPDX-License-Identifier: MIT
"""Code on a board through MicroPython's raw REPL, with raw-paste flow control.

The protocol is that of MicroPython (docs/reference/repl.rst). It is not mpremote (ADR 0011): every
wait has a limit, noise is an error, and nothing that was sent is printed.
"""

from __future__ import annotations

import binascii
import errno
import json
import time
from collections.abc import Callable
from typing import Any

import serial

from tools.errors import UserError

BAUD = 115_200
_RAW = b"raw REPL; CTRL-B to exit\r\n>"
_ANSWER_S = 30.0
_READ_S = 0.05
_LOCKED_S = 3.0
_MAX_OUTPUT = 1 << 20
_TRIES = 3
WINDOW = 256  # bytes a board takes at once when it is fed


class CableError(UserError):
    """The board is gone, does not answer, or sent an invalid answer; a retry may help."""


class BoardError(UserError):
    """Code on the board raised an exception; the message is the last line of its traceback."""


class Repl:
    """A board on a serial port, in its raw REPL between `enter` and `leave`."""

    def __init__(self, port: str) -> None:
        self.port = port
        try:
            self._line = _opened(port)
        except (OSError, ValueError) as error:
            raise CableError(f"cannot open {port}: {_words(error)}") from None

    def enter(self) -> None:
        """Interrupt the running program and enter the raw prompt. Raises CableError."""
        for _ in range(_TRIES):
            self._write(b"\r\x03")
            self._quiet()
            self._write(b"\x03\x02\r\x01")
            try:
                self._until(_RAW, 2.0)
            except CableError:
                # It may wait for the rest of the bytes of a sender that was ended.
                self._write(b"\x03" * (WINDOW + 4))
                continue
            self._quiet()
            return
        raise CableError(f"no MicroPython prompt on {self.port}: is it a board, and running?")

    def leave(self) -> None:
        """Return to the friendly prompt; a missing board is ignored."""
        try:
            self._write(b"\r\x02")
        except CableError:
            pass

    def close(self) -> None:
        """Close the port."""
        try:
            self._line.close()
        except OSError:
            pass  # it was unplugged

    def run(self, code: str, timeout_s: float = _ANSWER_S) -> bytes:
        """The output of the code. Raises BoardError, CableError."""
        self._begin(code)
        return self._end(timeout_s)

    def _begin(self, code: str) -> None:
        self._write(b"\x05A\x01")
        answer = self._exactly(2)
        if answer == b"R\x01":
            self._paste(code.encode())
        elif answer == b"R\x00":
            self._write(code.encode() + b"\x04")
            if self._exactly(2) != b"OK":
                raise CableError(f"the board on {self.port} does not take code")
        else:
            raise CableError(f"the board on {self.port} does not answer as MicroPython does")

    def _end(self, timeout_s: float) -> bytes:
        printed = self._until(b"\x04", timeout_s)[:-1]
        trace = self._until(b"\x04", _ANSWER_S)[:-1]
        if self._exactly(1) != b">":
            raise CableError(f"the board on {self.port} lost its place")
        if trace:
            lines = trace.decode("utf-8", "replace").split("\n")
            raise BoardError(f"the board reports: {_plain([t for t in lines if t.strip()][-1])}")
        return printed

    def feed(self, code: str, data: bytes, sent: Callable[[int], None]) -> None:
        """Run code that requests the bytes window by window, each with one 0x06.

        The bytes are not compiled, and a board without flow control does not lose any.
        """
        self._begin(code)
        for at in range(0, len(data), WINDOW):
            if self._exactly(1) != b"\x06":
                raise CableError(f"the board on {self.port} broke off")
            self._write(data[at : at + WINDOW])
            sent(len(data[at : at + WINDOW]))
        self._end(_ANSWER_S)

    def value(self, code: str, timeout_s: float = _ANSWER_S) -> Any:
        """The value that the code passed to _reply (on_board.HELPERS): a CRC-32 and a line of JSON.
        The CRC finds a changed byte that leaves valid JSON. Raises BoardError, CableError."""
        check, _, text = self.run(code, timeout_s).strip().partition(b" ")
        try:
            if int(check) == binascii.crc32(text):
                return json.loads(text)
        except ValueError:
            pass
        raise CableError(f"noise on the line of {self.port}")

    def let_go(self, code: str) -> None:
        """Run code that does not return, such as machine.reset()."""
        try:
            self.run(code, 0.5)
        except CableError:
            return

    def _paste(self, code: bytes) -> None:
        window = int.from_bytes(self._exactly(2), "little")
        if not 0 < window <= 65_535:
            raise CableError(f"noise on the line of {self.port}")
        room, at = window, 0
        while at < len(code):
            while room == 0 or self._line.in_waiting:
                word = self._exactly(1)
                if word == b"\x01":
                    room += window
                elif word == b"\x04":
                    self._write(b"\x04")
                    raise CableError(f"the board on {self.port} broke off")
                else:
                    raise CableError(f"noise on the line of {self.port}")
            part = code[at : at + room]
            self._write(part)
            at += len(part)
            room -= len(part)
        self._write(b"\x04")
        self._until(b"\x04", _ANSWER_S)  # windows granted late may come before

    def _write(self, data: bytes) -> None:
        self._try(lambda: self._line.write(data))

    def _quiet(self) -> None:
        """Discard the remaining output of the program."""
        end_s = time.monotonic() + 1.0
        while self._try(lambda: self._line.read(4096)) and time.monotonic() < end_s:
            pass

    def _exactly(self, size: int) -> bytes:
        data, end_s = b"", time.monotonic() + _ANSWER_S
        while len(data) < size:
            data += self._try(lambda: self._line.read(size - len(data)))  # noqa: B023  # used at once
            self._in_time(end_s)
        return data

    def _until(self, mark: bytes, timeout_s: float) -> bytes:
        data, end_s = bytearray(), time.monotonic() + timeout_s
        while not data.endswith(mark):
            # Byte by byte: what follows the mark belongs to the next read.
            data += self._try(lambda: self._line.read(1))
            self._in_time(end_s)
            if len(data) > _MAX_OUTPUT:
                raise CableError(f"the board on {self.port} prints without end")
        return bytes(data)

    def _in_time(self, end_s: float) -> None:
        if time.monotonic() > end_s:
            raise CableError(f"the board on {self.port} does not answer")

    def _try(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except (OSError, TypeError) as error:  # pyserial: TypeError on a port closed meanwhile
            raise CableError(f"lost the board on {self.port}: {_words(error)}") from None


def _opened(port: str) -> serial.Serial:
    """The port, locked: or a terminal program would read some of the bytes. A lock may last a
    moment longer than its owner: ModemManager looks at each new port, and a process that is being
    started still has the descriptors of its parent."""
    until = time.monotonic() + _LOCKED_S
    while True:
        try:
            return serial.Serial(
                port, BAUD, timeout=_READ_S, write_timeout=_ANSWER_S, exclusive=True
            )
        except OSError as error:
            if error.errno != errno.EAGAIN or time.monotonic() >= until:
                raise
        time.sleep(_READ_S)


def _words(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or str(error) or type(error).__name__)


def _plain(text: str) -> str:
    """Output of a board that is safe on a terminal: no control characters, limited length."""
    return "".join(sign if sign.isprintable() else "?" for sign in text.strip())[:200]
