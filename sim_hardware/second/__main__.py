# SPDX-License-Identifier: MIT
"""Ground layer: `python -m sim_hardware.second NAME`: writes a take of an evaluation scene."""

import argparse
import sys
from pathlib import Path

from sim_hardware.errors import SimError
from sim_hardware.second.parameters import table
from sim_hardware.second.render import render
from sim_hardware.second.scenes import SECONDS, names, scene
from sim_hardware.take import save

BAD_INPUT = 2


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0, or 2 with one line on standard error for bad input."""
    parser = argparse.ArgumentParser(prog="python -m sim_hardware.second", description=__doc__)
    parser.add_argument("name", nargs="?", help="an evaluation scene, as --list shows them")
    parser.add_argument("--all", action="store_true", help="each scene, in OUT/NAME")
    parser.add_argument("--list", action="store_true", help="show the names and stop")
    parser.add_argument("--parameters", action="store_true", help="show them as a table and stop")
    parser.add_argument("--seed", type=int, default=1, help="draws site, actors and weather")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="length of the take")
    parser.add_argument("--out", type=Path, help="folder of the take")
    given = parser.parse_args(arguments)
    if given.list:
        sys.stdout.write("\n".join(names()) + "\n")
        return 0
    if given.parameters:
        sys.stdout.write(table())
        return 0
    try:
        if given.out is None or (given.name is None) != given.all:
            raise SimError("give the NAME of a scene, or --all, and --out FOLDER; or --list")
        for name in names() if given.all else (given.name,):
            out = given.out / name if given.all else given.out
            save(render(scene(name, given.seed, given.seconds), given.seed), out)
    except (SimError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return BAD_INPUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
