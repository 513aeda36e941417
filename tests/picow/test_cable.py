# SPDX-License-Identifier: MIT
"""The cable to official firmware: raw REPL, files by hash, a key and its proof, an unplugging.

Minutes of emulation for seconds of a board: a few small files stand for the firmware.
"""

from __future__ import annotations

import time

import pytest

from gateway import keys
from gateway.enrolment import EnrolmentLog
from tests.picow.board import PicoW
from tools.bundle import NodeConfig, write_tree
from tools.flash.board import Board
from tools.flash.boards import kind_of
from tools.flash.enrol import Mode, Person, Provisioner, Wish
from tools.flash.install import compare, put_files, put_start, tree_files

ROOT = bytes(range(32))
FILES = ("boot.py", "main.py", "slots.mpy", "slot0", "slot1")


class Count:
    """A progress that counts."""

    def __init__(self) -> None:
        self.sent = 0

    def begin(self, what: str, total: int) -> None:
        self.sent = 0

    def advance(self, size: int) -> None:
        self.sent += size


def config(node: str) -> NodeConfig:
    return NodeConfig(
        "bench", node, "pico_w", bytes(32), "groundwatch", "any eight", "10.0.0.1", 1883, 0, 0
    )


@pytest.mark.picow
def test_cable_to_official_firmware_gives_it_files_a_key_and_a_proof(pico_w_image, tmp_path):
    write_tree(config("n01"), tmp_path / "tree")
    files = {path: at for path, at in tree_files(tmp_path / "tree").items() if path in FILES}
    provisioner = Provisioner(EnrolmentLog(tmp_path / "enrolment.jsonl", ROOT), ROOT)
    wish = Wish(config("n01"), Mode.ENROL, Person("anna", "placed"))
    start_s, progress = time.monotonic(), Count()
    with PicoW(pico_w_image, tmp_path) as pico:
        board = Board(str(pico.port))
        assert kind_of(board.facts.platform, board.facts.machine).name == "pico_w"
        assert board.facts.version == (1, 25, 0)
        print(f"\nat its prompt: {time.monotonic() - start_s:.0f} s wall")
        work = put_files(board, files, progress)
        assert len(work.send) == len(FILES)
        print(f"{progress.sent} bytes of files: {time.monotonic() - start_s:.0f} s wall")
        enrolled = provisioner.enrol(board, wish)
        assert (enrolled.generation, enrolled.is_new) == (1, True)
        assert board.answer(bytes(32)) != board.answer(bytes(31) + b"\1")
        print(f"key given and proven: {time.monotonic() - start_s:.0f} s wall")
        put_start(board, files)
        assert compare(board, files).send == ()
        board.close()
        print(f"whole: {time.monotonic() - start_s:.0f} s wall")
        dump = pico.flash
    # What a thief reads: this node's key, and nothing of the fleet.
    assert keys.node_key(ROOT, "bench", "n01").hex().encode() in dump
    for secret in (
        ROOT,
        keys.node_key(ROOT, "bench", "n02"),
        keys.node_key(ROOT, "bench", "n01", 2),
    ):
        assert secret not in dump and secret.hex().encode() not in dump
