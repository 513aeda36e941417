# SPDX-License-Identifier: MIT
"""`groundwatch node monitor`: a node's lines over a cable that is noisy, cut, hostile."""

from __future__ import annotations

import json
import random
import subprocess
import sys

from gateway.links.frames import encode_frame
from tests.usb.boards import until
from tools import cli
from tools.flash.board import Board
from tools.monitor import Health, Lines

MAIN = b"""
import time
print('node started node=n07 board=pico_w boot=4 pending=0 heap_free=100000')
print('link up host=192.168.4.1 port=1883')
n = 0
while 1:
 print('detection boot=4 seq=%d onset_ms=%d phase=onset class=person' % (n, 1000 * n))
 n += 1
 time.sleep(.1)
"""


def watched(board, *more: str) -> subprocess.Popen:
    words = ["monitor", "--port", str(board.port), "--json", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "tools.cli", *words], stdout=subprocess.PIPE, text=True
    )


def test_monitor_shows_lines_and_health_over_an_unplugging(plug) -> None:
    board = plug()
    held = Board(str(board.port))
    held.send("main.py", MAIN)
    held.close()
    board.unplug()
    board.plug()
    with watched(board, "--seconds", "12") as monitor:
        assert monitor.stdout is not None
        kinds = []
        while kinds.count("detection") < 3:
            kinds.append(json.loads(monitor.stdout.readline())["kind"])
        board.unplug()
        board.plug()
        until(board.port.exists)
        rest = [json.loads(line) for line in monitor.stdout]
    assert sum(line["type"] == "line" and line["kind"] == "detection" for line in rest) > 2
    summary = rest[-1]
    assert summary["type"] == "summary"
    assert summary["last"].startswith("person at ")
    assert summary["detection"] >= 5


def test_monitor_port_that_is_not_there_is_one_line_and_exit_2(capsys) -> None:
    assert cli.main(["monitor", "--port", "/dev/no-such-port"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_lines_of_a_hostile_board_are_plain_and_bounded() -> None:
    lines = Lines()
    assert list(lines.feed(b"\x1b[2Jlink up\x07 a=1\r\nnext\n")) == ["?[2Jlink up? a=1", "next"]
    long = [line for _ in range(100) for line in lines.feed(b"\xff" * 1000)]
    assert len(long) == 1 and len(long[0]) <= 300
    assert len(lines._rest) <= 1200
    assert list(lines.feed(b"end\nnew\n")) == ["new"]
    assert lines.cut == 1


def test_health_counts_the_lines_of_faults() -> None:
    health = Health()
    for line in ("node stops cause=memory", "task failed name=pump restarts=2", "hello", "a=b"):
        health.take(line)
    assert health.seen["faults"] == 2
    assert health.take("link failed cause=timeout")["kind"] == "link failed"
    assert health.facts["link"] == "timeout"


def test_monitor_frames_of_a_wired_node_are_counted_and_not_shown() -> None:
    rng = random.Random(6)
    lines, shown = Lines(), []
    stream = b"node started node=n07\r\n"
    for number in range(200):
        frame = bytearray(b"\0" + encode_frame("groundwatch/v1/a/b/up", rng.randbytes(60)))
        if number in (50, 120):
            del frame[-1]  # its end was lost on the way
        stream += frame
        if number % 3 == 0:
            stream += b"detection seq=%d\r\n" % number
    while stream:
        size = rng.randrange(1, 90)
        shown += list(lines.feed(stream[:size]))
        stream = stream[size:]
    detections = [line for line in shown if line.startswith("detection seq=")]
    assert shown[0] == "node started node=n07"
    assert len(detections) >= 65
    assert lines.text.frames >= 195
    assert len(shown) <= 75
