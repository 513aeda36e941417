# SPDX-License-Identifier: MIT
"""From a bare board to a node and out of service again: the commands of the guides, each as a
process, and no others. The board is simulated at its USB cable and in the field."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from littlefs import LittleFS

from sim_hardware.usb.board import UsbBoard
from sim_hardware.usb.bootsel import Bootsel
from tests.end_to_end.site import Site
from tests.node.conftest import walker
from tests.update.field import LiveNode, firmware, hurry
from tests.usb.boards import uf2_image
from tools.compiled import architecture_of, mpy_of_interpreter

BLOCK, BLOCKS = 4096, 212


def unpack(flash: Path, tree: Path) -> None:
    """What is on a board's littlefs, as a folder for the simulated field."""
    files = LittleFS(block_size=BLOCK, block_count=BLOCKS, mount=False)
    files.context.buffer = bytearray(flash.read_bytes())
    files.mount()
    for folder, _folders, names in files.walk("/"):
        target = tree / folder.strip("/")
        target.mkdir(parents=True, exist_ok=True)
        for name in names:
            with files.open(f"{folder.rstrip('/')}/{name}", "rb") as file:
                (target / name).write_bytes(file.read())


@pytest.mark.slow
async def test_bare_board_becomes_a_node_is_updated_and_is_revoked(
    micropython: Path, tmp_path: Path
):
    site = Site(tmp_path)

    # The installer: keys of the site, then a bare board on the cable.
    await site.keys()
    image = tmp_path / "micropython.uf2"
    image.write_bytes(uf2_image(random.Random(1).randbytes(40_000)))
    cable = tmp_path / "cable"
    cable.mkdir()
    board = UsbBoard(cable, micropython)
    with Bootsel(cable, lambda _program: board.plug()) as rom:
        await site.run(
            "flash",
            "n07",
            *("--at", "75,12.5", "--sector", "gate", "--board", "pico_w"),
            *("--port", str(board.port), "--drive", str(rom.path), "--image", str(image)),
        )
    board.unplug()
    unpack(board.flash, tmp_path / "n07")
    hurry(tmp_path / "n07")

    async with site.gateway() as lines:
        # In the field: it joins and detects a person, and an alarm is raised.
        feed = walker(600, 12, 60)
        node = LiveNode(tmp_path, micropython, "n07", feed)
        node.start()
        await site.until(lambda: any(x["type"] == "detection" for x in lines), "a detection")
        await site.until(lambda: any(x["type"] == "alarm" for x in lines), "an alarm")

        # Releases: signed offline, delivered by the gateway. The second one cannot start.
        firmware(tmp_path / "good")
        firmware(tmp_path / "bad", lambda f: (f / "ugs" / "sampling.py").write_text("1 / 0\n"))
        here = ("--architecture", architecture_of(mpy_of_interpreter(micropython)))
        good = await site.release(tmp_path / "good", "0.2.0", *here)
        bad = await site.release(tmp_path / "bad", "0.3.0", *here)
        shown = json.loads(await site.run("update", good, "--wave", "n07", "--json"))
        assert (shown["ended"], shown["nodes"][0]["stage"]) == ("done", "done")
        shown = json.loads(await site.run("update", bad, "--wave", "n07", "--json", status=1))
        assert shown["ended"] == "stopped by itself: n07 failed"
        assert "the old one is back" in shown["nodes"][0]["reason"]
        text = node.text()
        assert "update kept version=2000" in text
        assert text.count("node stops cause=") == 3

        # Stolen: its key is revoked, its messages are refused and reported.
        await site.run("provision", "n07", "--revoke", "--why", "stolen")
        await site.until(
            lambda: any("was revoked and still sends" in json.dumps(x) for x in lines),
            "an alarm of the revoked node",
        )
        await node.stop()
