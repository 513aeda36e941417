# SPDX-License-Identifier: MIT
"""The names that MicroPython's official image for the Pico W has built in, and so cost no heap.

`python -m tools.builtin_names IMAGE` writes tools/builtin_names.txt. They stand in pools in
flash (qstr_pool_t of py/qstr.h), each with the place of the one before it: that of the .mpy format,
the image's own, and that of its frozen modules.
"""

from __future__ import annotations

import argparse
import struct
from functools import cache
from pathlib import Path

from sim_hardware.emulated.image import program_of

LIST = Path(__file__).with_suffix(".txt")
_FLASH = 0x10000000
_HEAD = 24  # previous pool, names before it, room, names in it, hashes, sizes
_ROOM = 10  # of pools in flash
_SORTED = 0x8000_0000


@cache
def builtin_names() -> tuple[str, ...]:
    """All of them; frozen modules' come last, behind an empty line in the list."""
    return tuple(LIST.read_text().split())


@cache
def borrowable_names() -> tuple[str, ...]:
    """Those that hold in other images too: not of frozen modules."""
    return tuple(LIST.read_text().split("\n\n")[0].split())


def read_pools(program: bytes) -> list[list[str]]:
    """Names of each pool in a program, that of the .mpy format first. Raises ValueError."""
    pools: list[list[str]] = []
    place, count = 0, 0
    while (at := _find(program, place, count)) >= 0:
        *_, size, _hashes, _sizes = struct.unpack_from("<6I", program, at)
        starts = struct.unpack_from(f"<{size}I", program, at + _HEAD)
        pools.append([_text(program, start - _FLASH) for start in starts])
        place, count = _FLASH + at, count + size
    if not pools:
        raise ValueError("no pool of names")
    return pools


def _find(program: bytes, before: int, count: int) -> int:
    """Where the pool lies that follows another one, -1 without."""
    for flag in (0, _SORTED):
        head = struct.pack("<3I", before, count | flag, _ROOM)
        at = program.find(head)
        while at >= 0:
            size, hashes, sizes = struct.unpack_from("<3I", program, at + 12)
            ends = (hashes - _FLASH + size, sizes - _FLASH + size)
            if 0 < size < 4096 and all(size <= end <= len(program) for end in ends):
                return at
            at = program.find(head, at + 4)
    return -1


def _text(program: bytes, at: int) -> str:
    return program[at : program.index(b"\0", at)].decode()


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path)
    pools = read_pools(program_of(parser.parse_args().image))
    names = [sorted({name for name in pool if name.isidentifier()}) for pool in pools]
    own = sorted({*names[0], *names[1]})
    LIST.write_text("\n".join(own) + "\n\n" + "\n".join(sorted(names[2])) + "\n")


if __name__ == "__main__":
    _main()
