# SPDX-License-Identifier: MIT
"""Room on a Pico W: both trees, the safe_mode tree, a full ledger and a tree in the making."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from littlefs import LittleFS

from gateway.updates import package
from tests.node.conftest import config
from tools.bundle import SAFE_MODE, TREE, write_tree

# MicroPython's filesystem on a Pico W: 2 MiB of flash less 1,200 KiB (ports/rp2/boards/RPI_PICO_W).
BLOCK, BLOCKS = 4096, 212
LEDGER_SEGMENTS = 20  # ugs.ledger.ledger


def test_two_trees_safe_mode_and_a_full_ledger_fit_the_flash_of_a_pico_w(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "n07"
    write_tree(config("pico_w"), out)
    files = LittleFS(block_size=BLOCK, block_count=BLOCKS, prog_size=256, disk_version=0x00020000)

    def put(name: str, data: bytes) -> None:
        files.makedirs(str(Path(name).parent), exist_ok=True)
        with files.open(name, "wb") as file:
            file.write(data)

    used = {}

    def note(what: str) -> None:
        before = sum(used.values())
        used[what] = files.used_block_count - before

    for path in out.iterdir():
        if path.suffix != ".fw":
            put(path.name, path.read_bytes())
    note("fixed files")
    for name in (TREE, SAFE_MODE):
        put(name, (out / name).read_bytes())
        note(name)
    put("b.fw", bytes(package.MAX_CONTENT_BYTES))
    note("b.fw at its largest")
    for number in range(LEDGER_SEGMENTS + 1):
        put(f"state/{number:08}.seg", bytes(BLOCK))
    note("ledger")
    total = sum(used.values())
    with capsys.disabled():
        sys.stdout.write(f"\nblocks of {BLOCK} B on a Pico W: {used}; {total} of {BLOCKS} ")
    # And a.fw may grow as large as b.fw; copy on write needs some free blocks.
    largest = total - used[TREE] + used["b.fw at its largest"]
    assert largest <= BLOCKS * 95 // 100
