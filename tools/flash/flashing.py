# SPDX-License-Identifier: MIT
"""What `groundwatch node flash` does: MicroPython, firmware, key and proof; it can be repeated."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from gateway.model.place.position import Position
from gateway.model.place.site import SERIAL
from tools.bundle import signer, write_tree
from tools.compiled import loaded_by, mpy_for
from tools.errors import UserError
from tools.flash import images, job, micropython
from tools.flash.board import Board
from tools.flash.boards import BoardKind, kind_named
from tools.flash.enrol import Enrolled, Mode
from tools.flash.heartbeat import await_heartbeat, sentence
from tools.flash.install import compare, put_files, put_start, tree_files
from tools.flash.job import Job
from tools.flash.options import BoardOptions
from tools.flash.repl import CableError
from tools.flash.screen import Screen
from tools.flash.wiring import print_wiring
from tools.node_images import NodeImages, installed


@dataclass(frozen=True)
class FlashOptions:
    """The command's options."""

    shared: BoardOptions
    drive: Path | None
    image: Path | None
    image_key: Path | None
    reinstall: bool
    replace: bool
    dry_run: bool
    heartbeat_s: float


def run(options: FlashOptions) -> int:
    """Make a board a node of the site. 1 when its first heartbeat does not come."""
    shared = options.shared
    signed = installed(options.image_key)
    mode = Mode.REPLACE if options.replace else Mode.ENROL
    wanted = job.read_job(shared, mode, "board lost" if options.replace else "flashed")
    screen = Screen(quiet=shared.as_json)
    found = micropython.look(shared.port, options.drive)
    named = found.kind or (kind_named(shared.board) if shared.board else None)
    if named is None and not wanted.node.board:
        found.chip = micropython.chip_of(found)
    kind = wanted.kind(named, found.chip)
    flash = Flash(wanted, kind, options, screen, signed)
    screen.show(f"found {found.describe()}")
    if warning := wanted.unreachable():
        screen.show(f"warning: {warning}")
    with tempfile.TemporaryDirectory(prefix="groundwatch-") as folder, screen:
        if options.dry_run:
            steps = flash.plan(found, Path(folder))
            if found.board is not None:
                found.board.start()
        else:
            try:
                board = flash.ready(found)
                since_s = time.monotonic()
                enrolled = flash.make_node(board, Path(folder))
            except CableError as error:
                raise UserError(f"{error}; plug it in and run this again: it goes on") from None
    if options.dry_run:
        flash.print_plan(found, steps)
        return 0
    return flash.report(board, enrolled, since_s)


@dataclass
class Flash:
    """One run of the command."""

    job: Job
    kind: BoardKind
    options: FlashOptions
    screen: Screen
    signed: NodeImages | None = None
    done: dict[str, Any] = field(default_factory=dict)

    def files(self, folder: Path, board: Board | None) -> dict[str, Path]:
        """The firmware for the MicroPython on the board, without node.json."""
        mpy = loaded_by(board.facts.mpy) if board else mpy_for(self.kind.name)
        write_tree(self.job.node_config(self.kind), folder / "tree", mpy, self.signed)
        by = self.done["signed_by"] = signer(self.signed, self.kind.name, mpy)
        origin = f"signed by the release key {by}" if by else "compiled here, without a signature"
        self.screen.show(f"firmware: {origin}")
        return tree_files(folder / "tree")

    def ready(self, found: micropython.Found) -> Board:
        """A board at the prompt of a MicroPython that the firmware supports."""
        if found.board is not None and found.is_ready and not self.options.reinstall:
            return found.board
        return self.install(found)

    def install(self, found: micropython.Found) -> Board:
        """Install MicroPython."""
        if self.options.image:
            image = images.given(self.kind, self.options.image)
        else:
            self.screen.begin("fetching MicroPython", 0)
            image = images.pinned(self.kind, self.screen.advance)
        known = f"MicroPython {image.release}" if image.release else "an unknown image"
        self.screen.show(f"installing {image.path.name}: {known}, SHA-256 {image.sha256}")
        self.done["micropython"] = image.sha256
        erase = found.board is None
        return micropython.install(found, self.kind, image, self.screen, erase)

    def make_node(self, board: Board, folder: Path) -> Enrolled:
        """Write firmware, key and proof, and main.py last."""
        if board.facts.heap < self.kind.heap_least:
            raise UserError(
                f"this board has {board.facts.heap // 1000} KB of memory for the node, a "
                f"{self.kind.name} at least {self.kind.heap_least // 1000}: docs/boards has which "
                "module it must be"
            )
        files = self.files(folder, board)
        wish = self.job.wish(self.kind)
        provisioner = self.job.provisioner()
        provisioner.check(board, wish)
        board.hold()
        work = put_files(board, files, self.screen)
        self.done |= {"sent": len(work.send), "removed": len(work.remove), "bytes": work.total}
        self.job.enter_in_site(self.kind)
        self.screen.show("giving the board its key")
        enrolled = provisioner.enrol(board, wish)
        put_start(board, files)
        board.start()
        return enrolled

    def plan(self, found: micropython.Found, folder: Path) -> list[str]:
        """The steps of a run without --dry-run."""
        steps = []
        kept = found.board if found.is_ready and not self.options.reinstall else None
        files = self.files(folder, kept)
        if kept is None:
            if not self.options.image:
                images.check_pinned(self.kind)
            named = self.options.image.name if self.options.image else self.kind.image_name
            steps.append(f"install MicroPython from {named}")
            steps.append(f"send {len(files)} files")
        else:
            work = compare(kept, files)
            steps.append(f"send {len(work.send)} files ({work.total} bytes)")
            steps.append(f"remove {len(work.remove)} files")
        if self.job.is_new:
            steps.append(f"add {self.job.node.id} to {self.job.config.site}")
        steps.append(f"give it a key as {self.job.site.name}/{self.job.node.id} and challenge it")
        return steps

    def print_plan(self, found: micropython.Found, steps: list[str]) -> None:
        """Of a dry run."""
        if self.options.shared.as_json:
            print(json.dumps({"dry_run": True, "found": found.describe(), "steps": steps}))
            return
        for step in steps:
            print(f"would {step}")

    def report(self, board: Board, enrolled: Enrolled, since_s: float) -> int:
        """Print the result, the wiring and the first heartbeat; 1 when that does not come."""
        facts = self.facts(board, enrolled)
        if not self.options.shared.as_json:
            self.show(facts)
        port = "" if self.job.node.link == SERIAL else board.port
        beat = await_heartbeat(self.job, port, since_s, self.options.heartbeat_s, self.screen.show)
        if self.options.shared.as_json:
            seen = None if beat.node is None else msgspec.to_builtins(beat.node)
            print(json.dumps({**facts, "heartbeat": seen, "note": beat.note}))
        else:
            print(beat.note if beat.node is None else sentence(beat.node))
        return int(beat.is_late)

    def facts(self, board: Board, enrolled: Enrolled) -> dict[str, Any]:
        """The result."""
        return {
            "node": self.job.node.id,
            "site": self.job.site.name,
            "board": self.kind.name,
            "id": board.facts.id,
            "port": board.port,
            "generation": enrolled.generation,
            "new_key": enrolled.is_new,
            "new_node": self.job.is_new,
            **self.done,
        }

    def show(self, facts: dict[str, Any]) -> None:
        """Print the result and the wiring."""
        key = "a new key" if facts["new_key"] else "its key as before"
        print(f"{facts['node']} is a node of {facts['site']}: {key}, proven by a challenge")
        if self.job.is_new:
            node, file = self.job.node, self.job.config.site
            where = self.job.position or Position(node.x_m, node.y_m)
            print(f"{node.id} was added to {file}: {where} in sector {node.sector}")
        print_wiring(self.kind)
