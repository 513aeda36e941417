# SPDX-License-Identifier: MIT
"""The client of the control channel: sends requests to a running board and returns answers."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sim_hardware.errors import SimError

_ANSWER_BYTES_MAX = 1 << 24


class Client:
    """`with Client(path) as board: board.ask("time")`. One thread at a time.

    An answer may take `timeout_s` of wall time; None is without limit.
    """

    def __init__(self, path: Path, timeout_s: float | None = None) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise SimError(f"no emulated board at {path}: {error.strerror or error}") from None
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self._socket.close()

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """The answer to one request. Raises SimError with the board's reason."""
        return self.ask_line(json.dumps({"do": do, **fields}))

    def ask_line(self, line: str) -> dict[str, Any]:
        """Like `ask`, for a request in JSON."""
        try:
            self._socket.sendall(" ".join(line.splitlines()).encode() + b"\n")
            answer = self._file.readline(_ANSWER_BYTES_MAX)
        except OSError as error:
            raise SimError(f"no answer from the board at {self._path}: {error}") from None
        if not answer.endswith(b"\n"):
            raise SimError(f"the board at {self._path} has ended")
        found: dict[str, Any] = json.loads(answer)
        if "error" in found:
            raise SimError(found["error"])
        return found
