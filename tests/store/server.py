# SPDX-License-Identifier: MIT
"""A PostgreSQL server of its own for the tests: an unprivileged user, a UNIX socket, no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_PORT = 54_329  # part of the socket's name only: nothing listens on it
_USER = "postgres"  # as Debian's package makes it; the server refuses to run as root


def programs() -> Path:
    """Where Debian keeps the newest server's programs, or those on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    named = shutil.which("initdb")
    if found or named:
        return found[-1].parent if found else Path(str(named)).resolve().parent
    raise FileNotFoundError(
        "no PostgreSQL server: run `make ready-for-tests` as root, or install it"
    )


class Server:
    """`start` and `stop` may be called again: the data stays until `remove`."""

    def __init__(self) -> None:
        self._bin = programs()
        # Not below pytest's folder, which only its owner may enter.
        self._folder = Path(tempfile.mkdtemp(prefix="groundwatch-postgresql-"))
        self._as = {"user": _USER, "group": _USER} if os.geteuid() == 0 else {}
        if self._as:
            shutil.chown(self._folder, _USER, _USER)
        self._run("initdb", "-D", "data", "-U", "gateway", "-A", "trust", "-E", "UTF8", "-N",
                  "--locale=C")  # fmt: skip

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://gateway@/{database}?host={self._folder}&port={_PORT}"

    def start(self) -> None:
        # Whether the server survives a power cut is its makers' test; ours begins it fifteen times.
        options = f"-c fsync=off -c listen_addresses='' -p {_PORT} -k {self._folder}"
        self._run("pg_ctl", "-D", "data", "-o", options, "-l", "log", "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", "data", "-m", mode, "-w", "stop")

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *words: str) -> None:
        subprocess.run(
            [self._bin / program, *words], cwd=self._folder, check=True, timeout=120,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._as,
        )  # fmt: skip
