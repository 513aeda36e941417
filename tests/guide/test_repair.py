# SPDX-License-Identifier: MIT
"""A node that cannot join its Wi-Fi is repaired at its cable by one command of the guide."""

from __future__ import annotations

import random

import pytest

from sim_hardware.usb.bootsel import Bootsel
from tests.guide.bench import IMAGE, program
from tests.guide.board import AccessPoint, FieldBoard
from tests.guide.test_guide import LIMIT_S, PAGES, WIFI, blocks
from tests.ports import free_port
from tests.terminal import Shell
from tests.usb.boards import uf2_image

REPAIR = "groundwatch node flash n07"


@pytest.mark.long
def test_node_with_a_wrong_wifi_passphrase_is_repaired_by_one_command(micropython, tmp_path):
    assert [REPAIR] in blocks(PAGES[0].read_text())
    machine, site = tmp_path / "machine", tmp_path / "site"
    machine.mkdir()
    (machine / IMAGE).write_bytes(uf2_image(random.Random(1).randbytes(20_000)))
    for name, text in (("wrong", "not the right one"), ("right", WIFI)):
        secret = tmp_path / name
        secret.write_text(text + "\n")
        secret.chmod(0o600)
    board = FieldBoard(machine, micropython, AccessPoint("field", WIFI))
    rom = Bootsel(machine, lambda _program: board.plug())
    path = program(tmp_path / "bin", machine)
    init = f"groundwatch init {site} --yes --wifi field --wifi-passphrase-file {tmp_path}"
    ports = f"--broker-port {free_port()} --console-port {free_port()}"
    with Shell(tmp_path, path, LIMIT_S) as first, Shell(tmp_path, path, LIMIT_S) as second:
        try:
            first.run(f"{init}/wrong --site north --address 127.0.0.1 {ports}", [])
            second.run(f"cd {site}", [])
            second.start("groundwatch gateway run", "console http")
            rom.plug()
            first.run(f"cd {site}", [])
            with pytest.raises(AssertionError, match="exit status 1") as failed:
                first.run(f"{REPAIR} --at 0,0 --heartbeat-s 60", [])
            assert "no heartbeat of n07" in str(failed.value)
            assert "'field'" in str(failed.value)
            first.run(f"{init}/right", [])
            shown = first.run(REPAIR, [])
        finally:
            rom.unplug()
            if board.plugged:
                board.unplug()
    assert "its key as before" in shown
    assert "first heartbeat of n07" in shown
