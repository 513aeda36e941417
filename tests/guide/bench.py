# SPDX-License-Identifier: MIT
"""`groundwatch` on a machine into which a simulated board is plugged.

    python -m tests.guide.bench MACHINE VERB ...

The folder MACHINE replaces the operating system's lists of serial ports and mounted drives,
and the published image of MicroPython is replaced by one for the simulated board.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from tests.terminal import ROOT
from tools import cli
from tools.flash import images, ports
from tools.flash.boards import BoardKind
from tools.flash.images import Image
from tools.flash.ports import Port

DRIVE, PORT, IMAGE = "RPI-RP2", "ttyACM0", "simulated.uf2"


def program(folder: Path, machine: Path) -> Path:
    """A folder for PATH with a `groundwatch` that runs on this machine."""
    folder.mkdir()
    script = folder / "groundwatch"
    words = [sys.executable, "-m", "tests.guide.bench", str(machine)]
    path = f"{ROOT}:{ROOT / 'firmware'}"
    script.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(path)} exec {shlex.join(words)} "$@"\n')
    script.chmod(0o755)
    return folder


def main(machine: Path, words: list[str]) -> int:
    """The program, with the board of this machine on its bus."""

    def plugged(*_listed: object) -> list[Port]:
        port = machine / PORT
        return [Port(str(port), "Raspberry Pi")] if port.exists() else []

    def drives(*_volumes: object) -> list[Path]:
        return [machine / DRIVE] if (machine / DRIVE).exists() else []

    def image(kind: BoardKind, _progress: object) -> Image:
        return images.given(kind, machine / IMAGE)

    ports.ports = plugged
    ports.boot_drives = drives
    images.pinned = image  # type: ignore[assignment]  # the same
    return cli.main(words)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
