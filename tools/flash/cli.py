# SPDX-License-Identifier: MIT
"""`groundwatch node flash`: MicroPython, firmware, key and proof; it can be repeated."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

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
from tools.flash.repl import CableError
from tools.flash.screen import Screen
from tools.flash.wiring import print_wiring
from tools.node_images import NodeImages, installed

_HEARTBEAT_S = 90.0  # a Pico W starts in 4 s, and joins a Wi-Fi within 30
_DAY_S = 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `groundwatch node flash`."""
    parser.add_argument("node", help="the node's id, as in n07")
    job.add_arguments(parser)
    parser.add_argument("--drive", type=Path, help="the boot ROM's drive (default: found)")
    parser.add_argument("--image", type=Path, help="a MicroPython image instead of the known one")
    parser.add_argument(
        "--image-key", type=Path, help="public key that must have signed the firmware"
    )
    parser.add_argument("--reinstall", action="store_true", help="MicroPython anew, even if there")
    parser.add_argument("--replace", action="store_true", help="the node's old board is lost")
    parser.add_argument("--dry-run", action="store_true", help="only show what would be done")
    parser.add_argument(
        "--heartbeat-s",
        type=float,
        default=_HEARTBEAT_S,
        help=f"wait so long for its first heartbeat at a running gateway; 0: not at all "
        f"(default: {_HEARTBEAT_S:g})",
    )


def run(args: argparse.Namespace) -> int:
    """A board becomes a node of the site, or stays what it was but for what was wrong with it."""
    if not 0 <= args.heartbeat_s <= _DAY_S:
        raise UserError("--heartbeat-s must be 0 to 86400 seconds, as in --heartbeat-s 90")
    images = installed(args.image_key)
    mode = Mode.REPLACE if args.replace else Mode.ENROL
    wanted = job.read_job(args, mode, "board lost" if args.replace else "flashed")
    screen = Screen(quiet=args.json)
    found = micropython.look(args.port, args.drive)
    named = found.kind or (kind_named(args.board) if args.board else None)
    if named is None and not wanted.node.board:
        found.chip = micropython.chip_of(found)
    kind = wanted.kind(named, found.chip)
    flash = Flash(wanted, kind, args, screen, images)
    screen.say(f"found {found.tells()}")
    if warning := wanted.unreachable():
        screen.say(f"warning: {warning}")
    with tempfile.TemporaryDirectory(prefix="groundwatch-") as folder, screen:
        if args.dry_run:
            steps = flash.plan(found, Path(folder))
            if found.board is not None:
                found.board.start()
        else:
            try:
                board = flash.ready(found)
                since_us = time.time_ns() // 1000
                enrolled = flash.make_node(board, Path(folder))
            except CableError as error:
                raise UserError(f"{error}; plug it in and run this again: it goes on") from None
    if args.dry_run:
        flash.tell_plan(found, steps)
        return 0
    return flash.report(board, enrolled, since_us)


@dataclass
class Flash:
    """One run of the command."""

    job: Job
    kind: BoardKind
    args: argparse.Namespace
    screen: Screen
    images: NodeImages | None = None
    done: dict[str, Any] = field(default_factory=dict)

    def files(self, folder: Path, board: Board | None) -> dict[str, Path]:
        """The firmware for the MicroPython on the board, but for node.json."""
        mpy = loaded_by(board.facts.mpy) if board else mpy_for(self.kind.name)
        write_tree(self.job.node_config(self.kind), folder / "tree", mpy, self.images)
        by = self.done["signed_by"] = signer(self.images, self.kind.name, mpy)
        origin = f"signed by the release key {by}" if by else "compiled here, without a signature"
        self.screen.say(f"firmware: {origin}")
        return tree_files(folder / "tree")

    def ready(self, found: micropython.Found) -> Board:
        """A board at the prompt of a MicroPython that our firmware runs on."""
        if found.board is not None and found.is_ready and not self.args.reinstall:
            return found.board
        return self.install(found)

    def install(self, found: micropython.Found) -> Board:
        """MicroPython onto the board."""
        if self.args.image:
            image = images.given(self.kind, self.args.image)
        else:
            self.screen.begin("fetching MicroPython", 0)
            image = images.pinned(self.kind, self.screen.advance)
        known = f"MicroPython {image.release}" if image.release else "an image we do not know"
        self.screen.say(f"installing {image.path.name}: {known}, SHA-256 {image.sha256}")
        self.done["micropython"] = image.sha256
        erase = found.board is None
        return micropython.install(found, self.kind, image, self.screen, erase)

    def make_node(self, board: Board, folder: Path) -> Enrolled:
        """Firmware, key, proof, and only then the file that starts it."""
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
        self.screen.say("giving the board its key")
        enrolled = provisioner.enrol(board, wish)
        put_start(board, files)
        board.start()
        return enrolled

    def plan(self, found: micropython.Found, folder: Path) -> list[str]:
        """What a run without --dry-run would do."""
        steps = []
        kept = found.board if found.is_ready and not self.args.reinstall else None
        files = self.files(folder, kept)
        if kept is None:
            if not self.args.image:
                images.check_pinned(self.kind)
            named = self.args.image.name if self.args.image else self.kind.image_name
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

    def tell_plan(self, found: micropython.Found, steps: list[str]) -> None:
        """Only told, nothing was changed."""
        if self.args.json:
            print(json.dumps({"dry_run": True, "found": found.tells(), "steps": steps}))
            return
        for step in steps:
            print(f"would {step}")

    def report(self, board: Board, enrolled: Enrolled, since_us: int) -> int:
        """What was done, what to wire, and the first heartbeat; 1 when that does not come."""
        facts = self.facts(board, enrolled)
        if not self.args.json:
            self.show(facts)
        port = "" if self.job.node.link == SERIAL else board.port
        beat = await_heartbeat(self.job, port, since_us, self.args.heartbeat_s, self.screen.say)
        if self.args.json:
            seen = None if beat.node is None else msgspec.to_builtins(beat.node)
            print(json.dumps({**facts, "heartbeat": seen, "note": beat.note}))
        else:
            print(beat.note if beat.node is None else sentence(beat.node))
        return int(beat.is_late)

    def facts(self, board: Board, enrolled: Enrolled) -> dict[str, Any]:
        """What was done."""
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
        """What was done, and what to wire."""
        key = "a new key" if facts["new_key"] else "its key as before"
        print(f"{facts['node']} is a node of {facts['site']}: {key}, proven by a challenge")
        if self.job.is_new:
            node, file = self.job.node, self.job.config.site
            print(
                f"{node.id} was added to {file}: {node.x_m:g},{node.y_m:g} in sector {node.sector}"
            )
        print_wiring(self.kind)
