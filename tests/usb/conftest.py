# SPDX-License-Identifier: MIT
"""Boards on a simulated cable, and a site for their enrolment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.enrolment import EnrolmentLog
from sim_hardware.usb.board import UsbBoard
from tools.bundle import NodeConfig, write_tree
from tools.compiled import mpy_of_interpreter
from tools.flash.enrol import Mode, Person, Provisioner, Wish
from tools.flash.install import tree_files

ROOT = bytes(range(32))
SITE = "north"


class Quiet:
    """A progress display without output."""

    def begin(self, what: str, total: int) -> None:
        pass

    def advance(self, size: int) -> None:
        pass


@dataclass
class Laptop:
    """The files of the installer's laptop."""

    journal: EnrolmentLog
    provisioner: Provisioner
    tree: Path

    @property
    def files(self) -> dict[str, Path]:
        return tree_files(self.tree)

    def wish(self, node: str = "n07", mode: Mode = Mode.ENROL, floor: int = 0, **other) -> Wish:
        config = NodeConfig(
            site=SITE,
            node=node,
            board="pico_w",
            key=bytes(32),
            ssid="groundwatch",
            passphrase="correct horse",
            host="192.168.4.1",
            port=1883,
            x_m=75,
            y_m=12.5,
            **other,
        )
        return Wish(config, mode, Person("anna", "first placed"), floor)


@pytest.fixture
def laptop(tmp_path: Path, micropython: Path) -> Laptop:
    journal = EnrolmentLog(tmp_path / "data" / "enrolment.jsonl", ROOT)
    made = Laptop(journal, Provisioner(journal, ROOT), tmp_path / "tree")
    # The simulated board runs the MicroPython of this machine.
    write_tree(made.wish().config, made.tree, mpy_of_interpreter(micropython))
    return made


@pytest.fixture
def plug(tmp_path: Path, micropython: Path):
    """Boards by name, each with a flash of its own; unplugged at the end."""
    boards: list[UsbBoard] = []

    def make(name: str = "board", **options) -> UsbBoard:
        folder = tmp_path / name
        folder.mkdir()
        board = UsbBoard(folder, micropython, **options)
        board.plug()
        boards.append(board)
        return board

    yield make
    for board in boards:
        if board.plugged:
            board.unplug()
