# SPDX-License-Identifier: MIT
"""The installer's guide, run as printed: from an empty folder to an alarm.

A person at two terminals types each block and answers what is asked. The board is simulated, behind
a serial port and in a simulated Wi-Fi. `groundwatch` is the real program; tests/guide/bench.py
plugs that board into its machine. `make guide` runs exactly this.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from sim_hardware.usb.bootsel import Bootsel
from tests.guide.bench import DRIVE, IMAGE, program
from tests.guide.board import AccessPoint, FieldBoard
from tests.ports import free_port
from tests.terminal import ROOT, Answers, Shell
from tests.usb.boards import uf2_image

PAGES = (ROOT / "docs" / "installers-guide.md", ROOT / "docs" / "es" / "installers-guide.md")
WIFI, OPERATOR = "correct horse battery", "four words are long"
LIMIT_S = 300.0  # wall time, for what hangs, on a busy machine
# What the installer answers, by a part of each question.
ANSWERS = [
    ("name of the site", ""),
    ("where on Earth", "none"),
    ("SSID", "field"),
    ("passphrase of the Wi-Fi", WIFI),
    ("the same again", WIFI),
    ("time zone", ""),
    ("name of the first operator", "eva"),
    ("passphrase of eva", OPERATOR),
    ("the same again", OPERATOR),
    ("notifications", "none"),
    ("where n07 is", ""),
    ("sector", "gate"),
]


def blocks(page: str) -> list[list[str]]:
    """The command blocks, each as its lines."""
    found = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [block.splitlines() for block in found]


def walk_through(page: str, folder: Path, micropython: Path) -> list[str]:
    """Every block in order, by a person at two terminals; what they showed, by line."""
    machine = folder / "machine"
    machine.mkdir()
    (machine / IMAGE).write_bytes(uf2_image(random.Random(1).randbytes(20_000)))
    board = FieldBoard(machine, micropython, AccessPoint("field", WIFI))
    rom = Bootsel(machine, lambda _program: board.plug())
    assert rom.path.name == DRIVE
    work = folder / "work"
    work.mkdir()
    path = program(folder / "bin", machine)
    shown, answers = [], list(ANSWERS)
    with Shell(work, path, LIMIT_S) as first, Shell(work, path, LIMIT_S) as second:
        try:
            rom.plug()  # its BOOTSEL button was held
            for block in blocks(page):
                # The gateway has a terminal of its own, and stays in its foreground.
                shell = second if "groundwatch gateway run" in block else first
                for line in block:
                    shown.append(typed(shell, line, answers))
        finally:
            rom.unplug()
            if board.plugged:
                board.unplug()
            (folder / "node.log").write_text(board.printed)
            (folder / "terminal.log").write_text(first.shown + second.shown)
    assert not answers, f"not asked: {answers}"
    return shown


def typed(shell: Shell, line: str, answers: Answers) -> str:
    """One line, its questions answered; raises AssertionError when it fails."""
    if line == "groundwatch gateway run":
        return shell.start(line, "console http")
    if line == "groundwatch alarm list":
        return shell.run_until(line, "gate")
    # This machine stands for the Wi-Fi: nodes find the gateway on it.
    ports = f"--broker-port {free_port()} --console-port {free_port()}"
    line = line.replace("init north", f"init north --address 127.0.0.1 {ports}")
    return shell.run(line, answers)


@pytest.mark.long
def test_guide_leads_from_an_empty_folder_to_an_alarm(micropython: Path, tmp_path: Path) -> None:
    shown = "\n".join(walk_through(PAGES[0].read_text(), tmp_path, micropython))
    assert "n07 is a node of north: a new key" in shown
    assert "its key as before" in shown
    assert shown.count("first heartbeat of n07") == 2
    assert WIFI not in shown and OPERATOR not in shown


@pytest.mark.parametrize(
    ("right", "broken"),
    [
        ("groundwatch init north", "groundwatch initt north"),
        ("groundwatch node flash n07", "groundwatch node flash N07"),
    ],
)
@pytest.mark.long
def test_guide_with_a_broken_command_fails(micropython, tmp_path, right, broken) -> None:
    page = PAGES[0].read_text()
    assert right in page
    with pytest.raises(AssertionError, match="exit status"):
        walk_through(page.replace(right, broken, 1), tmp_path, micropython)


def test_guide_pages_have_the_same_commands_and_no_other_block() -> None:
    english, spanish = (page.read_text() for page in PAGES)
    assert blocks(english) == blocks(spanish)
    assert len(blocks(english)) == 6
    for page in (english, spanish):
        assert re.findall(r"^```.*$", page, re.MULTILINE) == ["```sh", "```"] * 6
