# SPDX-License-Identifier: MIT
"""A serial port that another process has locked: for a moment, and for good."""

from __future__ import annotations

import fcntl
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.flash.repl import CableError, Repl

# Locks the port, reports it, and unlocks it `argv[2]` seconds after its input ends.
_OWNER = """
import fcntl, os, sys, time
line = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(line, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def port() -> Iterator[str]:
    primary, secondary = pty.openpty()
    yield os.ttyname(secondary)
    os.close(primary)
    os.close(secondary)


def owner(port: str, lasts_s: float) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", _OWNER, port, str(lasts_s)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"locked\n"
    return process


def test_port_that_is_locked_for_a_moment_is_opened(port: str) -> None:
    with owner(port, 0.3) as process:
        assert process.stdin is not None
        process.stdin.close()
        board = Repl(port)
    with Path(port).open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the lock is ours now
    board.close()


def test_port_that_stays_locked_is_named(port: str) -> None:
    with owner(port, 0.0) as process:
        with pytest.raises(CableError, match=f"cannot open {port}: .*lock"):
            Repl(port)
        assert process.stdin is not None
        process.stdin.close()
