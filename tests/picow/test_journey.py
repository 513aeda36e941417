# SPDX-License-Identifier: MIT
"""From a blank board to a trusted node and out of service again, on official firmware: the commands
of the guides, each as a process, and nothing else typed. Board, USB and radio are emulated."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from sim_hardware.emulated.network import HOST, SSID
from tests.end_to_end.site import Site
from tests.picow.board import PicoW
from tests.picow.ground import write_walk
from tests.update.field import firmware

# By the wall clock, for what hangs: the board's own time decides what is too late.
LIMIT_S = 86_400
# By the board's clock.
LIMIT_EMULATED_S = 600


class Table:
    """What the board did by its own clock, and what it printed meanwhile."""

    def __init__(self, pico: PicoW) -> None:
        self._pico = pico
        self._last_us = 0
        self._rows: list[str] = []

    def row(self, what: str, until: str = "", detail: str = "") -> None:
        """From the row before to now, or to the last line that matches."""
        at_us = self.last(until) if until else self._pico.emulated_us
        board_s, self._last_us = (at_us - self._last_us) / 1e6, at_us
        self._rows.append(f"{what:<34}{board_s:>7.1f} s   {detail}".rstrip())

    def last(self, pattern: str) -> int:
        """The emulated time of the last line that matches."""
        found = [at for at, line in self._pico.lines if re.search(pattern, line)]
        assert found, pattern
        return found[-1]

    def count(self, pattern: str) -> int:
        """How many lines match."""
        return sum(bool(re.search(pattern, line)) for _at, line in self._pico.lines)

    def show(self) -> None:
        """Emulated seconds of each step, and what was counted; all of it by our clock too."""
        print("\n".join(["", *self._rows]))
        print(f"journey: {self._last_us / 1e6:.0f} s emulated, {self._pico.wall_s:.0f} s wall")


async def _run(site: Site, pico: PicoW, *words: str, status: int = 0) -> dict[str, Any]:
    """One command that works with the board, within the board's time; its JSON."""
    command = asyncio.create_task(site.run(*words, status=status))
    try:
        await pico.until(command.done, words[0], LIMIT_EMULATED_S)
        return dict(json.loads(await command))
    finally:
        command.cancel()


async def _flash(site: Site, pico: PicoW, image: Path) -> dict[str, Any]:
    """A blank board with BOOTSEL held becomes n07; it stays plugged in."""
    return await _run(
        site,
        pico,
        *("flash", "n07", "--at", "75,12.5", "--sector", "gate", "--json"),
        *("--heartbeat-s", "0", "--port", str(pico.port)),
        *("--drive", str(pico.folder / "RPI-RP2"), "--image", str(image)),
    )


async def _update(
    site: Site, pico: PicoW, table: Table, version: int, status: int
) -> dict[str, Any]:
    """The command until it ends; rows of what the node did until it restarted."""
    before = _wants(site)
    update = ("update", f"{version}.gwr", "--wave", "n07", "--node-timeout", str(LIMIT_S), "--json")
    done = await _run(site, pico, *update, status=status)
    table.row(f"update to {version}: ordered", "^update begins")
    table.row("  signature verified", "^update signed")
    pieces = f"{_wants(site) - before} pieces fetched, {done['files']} files in all"
    table.row("  whole in the other tree", f"^update whole version={version}", pieces)
    table.row("  restarted", "^node restarts")
    return done


def _wants(site: Site) -> int:
    """Pieces the node has asked for, as the gateway's store has them."""
    with closing(sqlite3.connect(site.folder / "data" / "groundwatch.db")) as db:
        return int(db.execute("SELECT count(*) FROM message WHERE kind = 'want'").fetchone()[0])


@pytest.mark.picow
async def test_blank_board_becomes_a_node_is_updated_and_is_revoked(pico_w_image, tmp_path):
    site = Site(tmp_path, SSID, HOST, LIMIT_S)
    await site.keys()
    walk = write_walk(tmp_path / "walk")
    cable = tmp_path / "cable"
    cable.mkdir()
    words = ("--bootsel", str(cable), "--network", f"127.0.0.1:{site.port}")
    with PicoW(pico_w_image, cable, *words) as pico, ExitStack() as after:
        table = Table(pico)
        after.callback(table.show)
        async with site.gateway() as lines:

            async def reported(word: str) -> None:
                """The gateway reports it."""
                await pico.until(
                    lambda: any(word in json.dumps(line) for line in lines), word, LIMIT_EMULATED_S
                )

            # The installer, beside a running gateway that does not know this node.
            flashed = await _flash(site, pico, pico_w_image)
            table.row("flashed: files, key, proof", detail=f"{flashed['bytes']} bytes over USB")
            assert (flashed["new_key"], flashed["generation"]) == (True, 1)

            # It starts by itself and joins; a person passes.
            await pico.line("^link up ", LIMIT_EMULATED_S)
            pico.ask("take", folder=str(walk), node="n01")
            await reported('"type": "detection"')
            await reported('"type": "alarm"')
            # What it is may come with an update.
            await pico.line("^detection .*class=person", LIMIT_EMULATED_S)
            table.row("started", "node started")
            table.row("joined, at the broker", "^link up ")
            table.row("a walker alarmed at the gateway", "^detection .*phase=onset")

            # Releases: signed offline, brought by the gateway. The second one cannot start.
            firmware(tmp_path / "2000")
            firmware(tmp_path / "3000", lambda f: (f / "ugs" / "clock.py").write_text("1 / 0\n"))
            await site.release(tmp_path / "2000", "0.2.0")
            await site.release(tmp_path / "3000", "0.3.0")
            done = await _update(site, pico, table, 2000, 0)
            assert (done["ended"], done["nodes"][0]["stage"]) == ("done", "done")
            table.row("  started on trial", "node started")
            table.row("  kept", "^update kept version=2000")
            done = await _update(site, pico, table, 3000, 1)
            assert done["ended"] == "stopped by itself: n07 failed"
            assert "the old one is back" in done["nodes"][0]["reason"]
            table.row("  three starts that fail", "^node stops", "the old tree is back")
            table.row("  started as before", "node started")
            assert table.count("^node stops cause=") == 3

            # Stolen: its key is revoked, and its messages are rejected and reported.
            await site.run("provision", "n07", "--revoke", "--why", "stolen")
            await reported("was revoked and still sends")
            table.row("revoked, refused, alarmed")
            assert table.count("task failed") == 0
