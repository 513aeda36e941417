# SPDX-License-Identifier: MIT
"""Board layer, simulated: a node on a serial cable, with a port on the host.

The node is a process whose console is the cable. Unlike a board that the cable powers (board.py) it
has its own supply: the cable can be unplugged and plugged in again while the node runs.
"""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import subprocess
import threading
import tty
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

_EXIT_RESET = 3  # run_node.py: start it again
_READ = 512
_FRAME = re.compile(rb"\0[^\0]+\0")


class WiredNode:
    """`with WiredNode(port, command, tree, environment) as node:` powered and plugged in.

    `noise` may change bytes in both directions. `ended` is the exit code of a process that ended
    without a reset.
    """

    def __init__(
        self, port: Path, command: Sequence[str], tree: Path, environment: Mapping[str, str]
    ) -> None:
        self.port = port
        self.noise: Callable[[bytes], bytes] = bytes
        self.boots = 0
        self.ended: int | None = None
        self._start = (list(command), tree, {**os.environ, **environment})
        self._printed = bytearray()
        self._lock = threading.Lock()
        self._ends: tuple[int, int] | None = None  # ours and the host's
        self._child: subprocess.Popen[bytes]
        self._off = threading.Event()
        self._relay = threading.Thread(target=self._carry, name="wire", daemon=True)

    def __enter__(self) -> Self:
        self.plug()
        self._boot()
        self._relay.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._off.set()
        self._relay.join()
        self._child.kill()
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            assert stream is not None
            stream.close()
        self.unplug()

    @property
    def lines(self) -> list[str]:
        """The printed text between its frames, plugged in or not."""
        with self._lock:
            text = _FRAME.sub(b"", bytes(self._printed)).replace(b"\0", b"")
        return text.decode("utf-8", "replace").splitlines()

    def plug(self) -> None:
        """Plug the cable in: a new port of the same name, as after a USB device came back."""
        ours, host = pty.openpty()
        tty.setraw(host)
        os.set_blocking(ours, False)
        self.port.symlink_to(os.ttyname(host))
        with self._lock:
            self._ends = ours, host

    def unplug(self) -> None:
        """Unplug the cable; the node keeps its power."""
        with self._lock:
            ends, self._ends = self._ends, None
            self.port.unlink(missing_ok=True)
            for end in ends or ():
                os.close(end)

    def cut_power(self) -> None:
        """Cut the power for a moment."""
        self._child.kill()

    def _boot(self) -> None:
        command, tree, environment = self._start
        self.boots += 1
        self._child = subprocess.Popen(
            command,
            cwd=tree,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def _carry(self) -> None:
        while not self._off.is_set():
            child = self._child
            assert child.stdin is not None
            assert child.stdout is not None
            if select.select([child.stdout], [], [], 0.005)[0]:
                data = os.read(child.stdout.fileno(), _READ)
                if not data:
                    if child.wait() not in (_EXIT_RESET, -9):
                        self.ended = child.returncode
                        return
                    self._boot()
                    continue
                self._to_host(data)
            data = self._from_host()
            if data:
                with contextlib.suppress(BrokenPipeError):
                    child.stdin.write(data)

    def _to_host(self, data: bytes) -> None:
        with self._lock:
            self._printed += data
            if self._ends is not None:
                # A host that does not read loses bytes, as on a UART.
                with contextlib.suppress(BlockingIOError):
                    os.write(self._ends[0], self.noise(data))

    def _from_host(self) -> bytes:
        with self._lock:
            if self._ends is None:
                return b""
            try:
                return self.noise(os.read(self._ends[0], _READ))
            except BlockingIOError:
                return b""
