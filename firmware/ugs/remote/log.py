# SPDX-License-Identifier: MIT
# remote: sends the log lines of the node: those before the restart and the traceback of the last
# failure from flash, and those of this boot. A part lost on the link is missing.

from micropython import const

from ugs import lines
from ugs.wire import schema

_OK = schema.enum_value("result", "status", "ok")
# File for the lines before a restart that the node makes itself.
_PATH = "state/lines"
_PART = const(96)
_FILE_MAX = const(1_200)  # bytes of each file


def keep():
    # Raises OSError.
    with open(_PATH, "wb") as file:
        file.write(_text())


class Job:
    def __init__(self):
        self._pieces = []
        self._command = self._index = self._total = 0
        self._record = None

    def take(self, node, command, _now_ms):
        # None: the result follows the last part.
        self._pieces = [
            b"-- before the restart\n",
            (_PATH, _size(_PATH)),
            b"-- this boot\n",
            _text(),
            b"-- last failure\n",
            ("failure", _size("failure")),
        ]
        size = sum(_length(piece) for piece in self._pieces)
        self._total = (size + _PART - 1) // _PART
        self._command = command["id"]
        self._record = node.journal.record
        node.jobs.append(self)
        return

    def step(self, now_ms):
        # Whether it continues.
        if self._index < self._total:
            return True
        values = {
            "t_ms": now_ms,
            "command_id": self._command,
            "status": _OK,
            "value": self._total,
        }
        self._record("result", values)
        return False

    def next(self, _now_ms):
        # The next message, (name, values), or None.
        if self._index >= self._total:
            return None
        index = self._index
        self._index += 1
        return "log", {
            "command_id": self._command,
            "index": index,
            "total": self._total,
            "data": self._read(index * _PART, (index + 1) * _PART),
        }

    def _read(self, start, end):
        # The bytes between two places of all pieces together.
        data = b""
        at = 0
        for piece in self._pieces:
            length = _length(piece)
            low, high = max(0, start - at), min(length, end - at)
            if low < high:
                data += piece[low:high] if isinstance(piece, bytes) else _of_file(piece, low, high)
            at += length
        return data


def _text():
    # Complete lines of this boot, oldest first.
    at = lines.state[0]
    if at <= lines.SIZE:
        return bytes(lines.ring[:at])
    at %= lines.SIZE
    data = bytes(lines.ring[at:]) + bytes(lines.ring[:at])
    return data[data.find(b"\n") + 1 :]


def _length(piece):
    return len(piece) if isinstance(piece, bytes) else piece[1]


def _of_file(piece, low, high):
    try:
        with open(piece[0], "rb") as file:
            file.seek(low)
            data = file.read(high - low)
    except OSError:
        data = b""
    return data + b"?" * (high - low - len(data))  # overwritten since, or flash failed


def _size(path):
    try:
        with open(path, "rb") as file:
            return min(_FILE_MAX, file.seek(0, 2))
    except OSError:
        return 0
