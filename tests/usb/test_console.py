# SPDX-License-Identifier: MIT
"""The simulated board's console: MicroPython's own tool works with it, and so does ours."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time

import pytest

from tests.usb.boards import until
from tools.bundle import FIRMWARE
from tools.flash.board import Board
from tools.flash.repl import BoardError, CableError, Repl


def mpremote(board, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", os.path.realpath(board.port), *words],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout + done.stderr


def test_console_works_with_mpremote(plug, tmp_path) -> None:
    board = plug()
    data = os.urandom(3000)
    (tmp_path / "some.bin").write_bytes(data)
    mpremote(board, "fs", "cp", str(tmp_path / "some.bin"), ":some.bin")
    assert hashlib.sha256(data).hexdigest() in mpremote(board, "fs", "sha256sum", ":some.bin")
    assert "ZeroDivisionError" in mpremote(board, "exec", "1/0")
    assert "Pico W" in mpremote(board, "exec", "import sys; print(sys.implementation._machine)")


def test_console_files_survive_a_reset_and_a_power_cut(plug) -> None:
    board = plug()
    repl = Repl(str(board.port))
    repl.enter()
    repl.run("f=open('kept','w')\nf.write('x'*300)\nf.close()")
    repl.let_go("import machine\nmachine.reset()")
    repl.close()
    until(lambda: board.resets == 1)
    board.unplug()
    board.plug()
    repl = Repl(str(board.port))
    repl.enter()
    assert repl.run("import os\nprint(os.stat('kept')[6])").split() == [b"300"]
    repl.close()


MAIN = """
from boards.console import Console
from ugs.link.frames import FrameReader
line = Console()
reader = FrameReader(print)
line.open()
print("link runs")
try:
 while 1:
  reader.read(line)
except KeyboardInterrupt:
 line.close()
 print("link ends")
 raise
"""
ON_BOARD = (
    "boards/__init__.py",
    "boards/console.py",
    "ugs/__init__.py",
    "ugs/link/__init__.py",
    "ugs/link/frames.py",
)


def test_board_whose_console_carries_frames_is_entered_by_a_break(plug) -> None:
    board = plug()
    held = Board(str(board.port))
    for path in ON_BOARD:
        held.send(path, (FIRMWARE / path).read_bytes())
    held.send("main.py", MAIN.encode())
    held.close()
    board.unplug()
    board.plug()
    until(board.port.exists)
    time.sleep(1)  # until its link runs: before that one Ctrl-C would do
    board.taken = 0
    held = Board(str(board.port))
    assert board.taken > 260  # one try more than at a board that only runs a program
    assert held.facts.platform == "rp2"
    held.close()


def test_repl_long_code_goes_through_the_window(plug) -> None:
    repl = Repl(str(plug().port))
    repl.enter()
    assert repl.run(f"print(len('{'x' * 20_000}'))").split() == [b"20000"]
    repl.close()


def test_repl_running_program_is_interrupted(plug) -> None:
    board = plug()
    repl = Repl(str(board.port))
    repl.enter()
    repl.run(
        "f=open('main.py','w')\nf.write('import time\\nwhile 1:\\n print(1)\\n time.sleep(.01)\\n')"
        "\nf.close()"
    )
    repl.let_go("import machine\nmachine.reset()")
    repl.close()
    until(lambda: board.resets == 1)
    time.sleep(0.3)  # a real program prints meanwhile
    repl = Repl(str(board.port))
    repl.enter()
    assert repl.run("print(7)").split() == [b"7"]
    repl.close()


def test_repl_error_on_the_board_is_one_plain_line(plug) -> None:
    repl = Repl(str(plug().port))
    repl.enter()
    with pytest.raises(BoardError) as raised:
        repl.run("raise ValueError('a\\x1b[31mred\\nsecret')")
    assert "\n" not in str(raised.value)
    assert "\x1b" not in str(raised.value)
    assert repl.run("print(1)").split() == [b"1"]
    repl.close()


def test_repl_unplugged_board_fails_at_once(plug) -> None:
    board = plug()
    repl = Repl(str(board.port))
    repl.enter()
    board.unplug()
    with pytest.raises(CableError, match="lost"):
        repl.run("print(1)")
    repl.close()


def test_repl_silent_port_is_no_board(monkeypatch) -> None:
    monkeypatch.setattr("tools.flash.repl._TRIES", 1)
    ours, theirs = os.openpty()
    with pytest.raises(CableError, match="no MicroPython prompt"):
        Repl(os.ttyname(theirs)).enter()
    os.close(ours)
    os.close(theirs)


def test_repl_port_in_use_is_refused(plug) -> None:
    board = plug()
    first = Repl(str(board.port))
    with pytest.raises(CableError, match="cannot open"):
        Repl(str(board.port))
    first.close()
