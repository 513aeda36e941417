# SPDX-License-Identifier: MIT
"""A command or a shell on a pseudo-terminal, whose other end the test operates."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[1]
EOT = "\x04"  # Ctrl-D
_STATUS = re.compile(r"@status (\d+)@")

Answers = list[tuple[str, str]]  # a part of each question, in order, and what is typed


class Pseudo:
    """A process on a terminal of its own; `shown` is all that it has printed."""

    def __init__(self, folder: Path, command: list[str], path: str, limit_s: float) -> None:
        self.shown = ""
        self._seen = 0  # up to where questions are answered
        self._limit_s = limit_s
        self._ours, theirs = pty.openpty()
        environment = {
            "PATH": path,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'firmware'}",
            "HOME": str(Path.home()),
            "TERM": "dumb",
            "COLUMNS": "500",
            "USER": "eva",
            "LOGNAME": "eva",
            "PS1": "\\n@status $?@ ",
        }
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
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
        self.close()

    def close(self) -> None:
        """End the process and give the terminal back."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def type(self, text: str) -> None:
        """A line, or a control character."""
        is_control = len(text) == 1 and not text.isprintable()
        os.write(self._ours, text.encode() if is_control else text.encode() + b"\n")

    def wait_for(self, text: str) -> None:
        """Raises AssertionError when it does not come."""
        end_s = time.monotonic() + self._limit_s
        while (at := self.shown.find(text, self._seen)) < 0:
            assert self._read(end_s), f"no {text!r} in {self.shown!r}"
        self._seen = at + len(text)

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


class Terminal(Pseudo):
    """`with Terminal(folder, "init") as terminal:` runs `groundwatch init` there."""

    def __init__(self, folder: Path, *words: str, limit_s: float = 120) -> None:
        command = [sys.executable, "-m", "tools.cli", *words]
        super().__init__(folder, command, os.defpath, limit_s)

    def answer(self, question: str, text: str) -> None:
        """Wait for the question, then type the answer."""
        self.wait_for(question)
        self.type(text)

    def end(self) -> int:
        """Read to the end; the exit status."""
        end_s = time.monotonic() + self._limit_s
        while self._read(end_s):
            pass
        status = self._process.wait(self._limit_s)
        while self._read(time.monotonic() + 1.0):  # on a slow machine it wrote after the limit
            pass
        return status


class Shell(Pseudo):
    """bash, with the programs of a folder before all others."""

    def __init__(self, folder: Path, programs: Path, limit_s: float) -> None:
        command = ["bash", "--noprofile", "--norc", "--noediting", "-i"]
        super().__init__(folder, command, f"{programs}:{os.environ['PATH']}", limit_s)
        self._status()

    def close(self) -> None:
        """The foreground process is interrupted first, as by Ctrl-C."""
        try:
            self.type("\x03")
            self._process.poll()
            self.wait_for("@status ")
        except (AssertionError, OSError):
            pass
        try:
            os.killpg(os.tcgetpgrp(self._ours), signal.SIGKILL)
        except OSError:
            pass  # it has ended
        super().close()

    def run(self, line: str, answers: Answers) -> str:
        """Type a line and the answers to its questions, which are taken from the list; what was
        shown. Raises AssertionError when it fails."""
        start = self._seen
        self.type(line)
        status = self._status(answers)
        shown = self.shown[start : self._seen]
        assert status == 0, f"exit status {status} of {line!r}: {shown[-3000:]}"
        return shown

    def run_until(self, line: str, text: str) -> str:
        """The line again and again, until it prints the text."""
        end_s = time.monotonic() + self._limit_s
        while text not in (shown := self.run(line, [])[len(line) :]):
            assert time.monotonic() < end_s, f"{line!r} never printed {text!r}: {shown}"
            time.sleep(1)
        return shown

    def start(self, line: str, text: str) -> str:
        """A line that stays in the foreground; it runs when it has printed the text."""
        start = self._seen
        self.type(line)
        self.wait_for(text)
        return self.shown[start : self._seen]

    def _status(self, answers: Answers | None = None) -> int:
        end_s = time.monotonic() + self._limit_s
        while True:
            status = _STATUS.search(self.shown, self._seen)
            at = self.shown.find(answers[0][0], self._seen) if answers else -1
            if answers and at >= 0 and (status is None or at < status.start()):
                question, text = answers.pop(0)
                self._seen = at + len(question)
                self.type(text)
            elif status is not None:
                self._seen = status.end()
                return int(status[1])
            else:
                assert self._read(end_s), f"no end within {self._limit_s} s: {self.shown[-3000:]}"


def _own_terminal(terminal: int) -> None:
    """getpass opens /dev/tty: that must be this one."""
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
