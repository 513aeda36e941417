# SPDX-License-Identifier: MIT
"""A command at a real terminal: a pseudo-terminal whose other end types."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[1]
EOT = "\x04"  # Ctrl-D


class Terminal:
    """`with Terminal(folder, "init") as terminal:` runs `groundwatch init` there."""

    def __init__(self, folder: Path, *words: str, limit_s: float = 60) -> None:
        self.shown = ""
        self._seen = 0  # up to where questions are answered
        self._limit_s = limit_s
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.cli", *words],
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "PATH": os.defpath, "TERM": "dumb", "USER": "eva"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: _own_terminal(theirs),
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def answer(self, question: str, text: str) -> None:
        """Wait for the question, then type the line."""
        end_s = time.monotonic() + self._limit_s
        while (at := self.shown.find(question, self._seen)) < 0:
            assert self._read(end_s), f"no {question!r} in {self.shown!r}"
        self._seen = at + len(question)
        os.write(self._ours, text.encode() if text == EOT else text.encode() + b"\n")

    def end(self) -> int:
        """Read to the end; the exit status."""
        end_s = time.monotonic() + self._limit_s
        while self._read(end_s):
            pass
        return self._process.wait(self._limit_s)

    def _read(self, end_s: float) -> bool:
        while time.monotonic() < end_s:
            if not select.select([self._ours], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(self._ours, 4096)
            except OSError:  # EIO: the process has ended
                return False
            self.shown += data.decode("utf-8", "replace")
            return bool(data)
        return False


def _own_terminal(terminal: int) -> None:
    """getpass opens /dev/tty: that must be this one."""
    import fcntl
    import termios

    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
