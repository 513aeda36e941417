# SPDX-License-Identifier: MIT
"""`groundwatch record`: a simulated node, keys at a terminal, a real prompt, invalid options."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sim_hardware import recordings, take
from sim_hardware.usb.board import UsbBoard
from tests.usb.boards import until
from tools.cli import main
from tools.errors import UserError
from tools.flash.repl import Repl
from tools.record import cable
from tools.record.people import FILE
from tools.record.recording import read_recording, read_take_marks

RECORD = [sys.executable, "-m", "tools.cli", "record", "n01", "--scenario", "bench_walker"]


def test_record_without_a_terminal_takes_marks_of_a_file(tmp_path: Path) -> None:
    marks = tmp_path / "marks.txt"
    marks.write_text(
        "# seconds and label\n0 background\n4.5 walks@-10:4\n9 walks@10:4\n10 end\n900 walks@0:0\n"
    )
    (tmp_path / FILE).write_text('[[person]]\nid = "p03"\nname = "Ben"\n')
    out = tmp_path / "take"
    words = ["--seconds", "12", "--label", "Ben walks 5-40 m", "--people", "p03", "--soil", "loam"]
    done = subprocess.run(
        [*RECORD, *words, "--marks", str(marks), "--out", str(out), "--json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert (summary["type"], summary["marks"], summary["samples_lost"]) == ("summary", 4, 0)
    assert summary["marks_after_end"] == 1
    assert summary["label"] == "p03 walks 5-40 m"  # the name stays in people.toml
    assert read_recording(out).soil == "loam"
    made = take.load(out)
    assert made.duration_s == pytest.approx(12, abs=0.6)
    assert made.truth is not None
    (actor,) = made.truth["actors"]
    assert actor["path"] == [[4.5, -10.0, 4.0], [9.0, 10.0, 4.0]]
    assert abs(made.t0_utc_s - time.time()) < 300
    # The file of the node serves as a recording, for example as the ambient of a scenario.
    assert recordings.load(out / "n01.npz").duration_s == made.duration_s


def test_record_keys_at_a_terminal_make_marks_and_q_ends(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    out = tmp_path / "take"
    words = ["--keys", "1=walks,2=stands,space=passes", "--label", "walks", "--out", str(out)]
    with subprocess.Popen(
        [*RECORD, *words, "--json", "--seconds", "120"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as record:
        assert record.stdout is not None
        assert json.loads(record.stdout.readline())["type"] == "start"
        shown = []
        for key in ("1", "2", "u", " ", "x"):
            time.sleep(0.4)
            os.write(ours, key.encode())
            shown.append(json.loads(record.stdout.readline()))
        os.write(ours, b"q")
        rest = record.stdout.read()
    os.close(ours)
    os.close(theirs)
    assert record.returncode == 0, rest
    assert [one["label"] for one in shown[:2]] == ["walks", "stands"]
    assert shown[2]["label"] == "undone: stands"
    assert "is no key" in shown[4]["label"]
    summary = json.loads(rest.splitlines()[-1])
    assert (summary["ended"], summary["marks"]) == ("asked", 2)
    found = read_take_marks(out)
    assert [mark.label.text for mark in found] == ["walks", "passes"]
    assert 0.9 < found[1].t_s - found[0].t_s < 30
    assert take.load(out).truth is None  # it is not known where the person was


@pytest.fixture
def board(tmp_path: Path, micropython: Path):
    """MicroPython at its prompt on a cable, with the files of a node that the tests read."""
    with UsbBoard(tmp_path, micropython) as plugged:
        repl = Repl(str(plugged.port))
        repl.enter()
        repl.run(
            "import os\nos.mkdir('state')\nf=open('node.json','w')\n"
            'f.write(\'{"node": "n07"}\')\nf.close()'
        )
        repl.leave()
        repl.close()
        yield plugged


def _request(board: UsbBoard) -> bytes:
    repl = Repl(str(board.port))
    repl.enter()
    try:
        return repl.run(
            "try:print(open('state/stream').read())\nexcept OSError:print('none')"
        ).strip()
    finally:
        repl.close()


def test_record_asks_the_node_at_its_prompt_and_restarts_it(board: UsbBoard) -> None:
    cable.ask_to_stream(str(board.port), "n07", 90)
    until(lambda: board.resets == 1)
    until(board.port.exists)
    assert _request(board) == b"90"


def test_record_at_another_node_changes_nothing_on_it(board: UsbBoard) -> None:
    with pytest.raises(UserError, match="is n07, not n08"):
        cable.ask_to_stream(str(board.port), "n08", 90)
    until(lambda: board.resets == 1)
    until(board.port.exists)
    assert _request(board) == b"none"


def test_record_of_a_node_in_the_field_points_at_the_cable(
    monkeypatch: pytest.MonkeyPatch, one_line: Callable[[int], str]
) -> None:
    monkeypatch.setattr("tools.record.cli.ports", list)
    line = one_line(main(["record", "n07", "--label", "walks"]))
    assert "record at its USB cable" in line
    assert "radio" in line


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "name a node"),
        (["N 7"], "name a node"),
        (["n01"], "--label takes"),
        (["n01", "--label", "x" * 300], "--label takes"),
        (["n01", "--label", "a\nb"], "--label takes"),
        (["n01", "--label", "x", "--people", "Ben"], "must be pseudonyms"),
        (["n01", "--label", "x", "--people", "p01,p01"], "twice"),
        (["n01", "--background", "--people", "p01"], "without people"),
        (["n01", "--label", "x", "--seconds", "0"], "--seconds must be"),
        (["n01", "--label", "x", "--seconds", "nan"], "--seconds must be"),
        (["n01", "--label", "x", "--at", "here"], "--at"),
        (["n01", "--label", "x", "--count", "0"], "--count"),
        (["n01", "--label", "x", "--out", "/"], "exists already"),
        (["n01", "--label", "x", "--keys", "q=quits"], "q is taken"),
        (["n01", "--label", "x", "--keys", "12=quits"], "KEY=LABEL"),
        (["n01", "--label", "x", "--keys", "1=walks@5"], "X:Y"),
        (["n01", "--label", "x", "--keys", "1=walks@nan:1"], "X:Y"),
        (["n01", "--label", "x", "--keys", "1=a,1=b"], "given twice"),
        (["n01", "--label", "x", "--marks", "/nowhere"], "cannot be read"),
        (["n01", "--label", "x", "--scenario", "nowhere"], "no scenario"),
        (["n99", "--label", "x", "--scenario", "bench_walker"], "has no node n99"),
        (["n01", "--label", "x", "--scenario", "bench_walker", "--seed", "-1"], "--seed"),
        (["n01", "--label", "x", "--port", "/dev/no-such-port"], "cannot open"),
        (["n01", "--label", "x", "--class", "ghost"], "ghost"),
    ],
)
def test_record_with_invalid_options_is_one_line(
    words: list[str],
    complaint: str,
    one_line: Callable[[int], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert complaint in one_line(main(["record", *words]))


@pytest.mark.parametrize("line", ["walks", "-1 walks", "nan walks", "3", "4 " + "x" * 70])
def test_marks_file_that_is_invalid_is_refused_with_its_line(
    line: str, tmp_path: Path, one_line: Callable[[int], str]
) -> None:
    path = tmp_path / "marks.txt"
    path.write_text(f"1 walks\n{line}\n")
    words = ["record", "n01", "--label", "x", "--marks", str(path), "--out", str(tmp_path / "t")]
    assert "line 2" in one_line(main([*words, "--scenario", "bench_walker"]))
