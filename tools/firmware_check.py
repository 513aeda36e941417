# SPDX-License-Identifier: MIT
"""Check the node's code without a node: types against each port's stubs, compilation per board.

`python -m tools.firmware_check` runs both for everything in firmware/.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.boards import PORTS as BOARD_PORTS
from tools.boards import of_port, row_of
from tools.compiled import architectures, compiled, mpy_of_architecture
from tools.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
FIRMWARE = ROOT / "firmware"
TYPES = ROOT / "tools" / "node_types"
STUBS = Path(sys.prefix) / "stubs"  # unpacked there by tools/bootstrap.py

# Files without a function on other ports.
ONLY_ON = {"inplace.py": "rp2"}
# `unix` runs the same node under the simulator, with its own machine and network.
PORTS = (*BOARD_PORTS, "unix")


def firmware_files(root: Path = FIRMWARE) -> list[Path]:
    """Return every Python file that runs on some node; manifests run in MicroPython's build."""
    return sorted(path for path in root.rglob("*.py") if path.name != "manifest.py")


def port_files(port: str, root: Path = FIRMWARE) -> Iterator[Path]:
    """Yield the files a node of `port` may hold: the common ones and its boards."""
    for path in firmware_files(root):
        parts = path.relative_to(root).parts
        if parts[0] == "boards" and not _is_for(port, parts[1:]):
            continue
        if path.name in ONLY_ON and ONLY_ON[path.name] != port:
            continue
        if port == "unix" and parts[0] != "ugs":  # no hardware of its own
            continue
        yield path


def _is_for(port: str, parts: tuple[str, ...]) -> bool:
    # Of a file in boards/, by the folders below it. A board without a row is an error, not a gap.
    if len(parts) == 1:
        return of_port(parts[0], port)
    row = row_of(parts[0])
    if row is None:
        raise UserError(f"firmware/boards/{parts[0]} has no row in tools/boards.py")
    return row.port == port


def type_check(port: str, files: Iterable[Path], cwd: Path = FIRMWARE) -> str:
    """Run mypy on `files` with the stubs of `port`; return its complaints, empty when none.

    cwd: the folder imports start from. Raises UserError when the stubs are not unpacked.
    """
    if not (STUBS / port).is_dir():
        raise UserError(f"no type stubs for {port} in {STUBS}: run `make check`")
    environment = {
        **os.environ,
        "GROUNDWATCH_STUBS": str(STUBS),
        "GROUNDWATCH_PORT_STUBS": str(STUBS / port),
    }
    command = [sys.executable, "-m", "mypy", "--config-file", str(TYPES / "mypy.ini")]
    command += ["--cache-dir", str(ROOT / ".mypy_cache" / port), "--no-error-summary"]
    ran = subprocess.run(
        [*command, *map(str, files)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout + ran.stderr if ran.returncode else ""


def compile_file(path: Path, architecture: str, root: Path = FIRMWARE) -> str:
    """Compile one file as for a board of `architecture`; return mpy-cross's complaint or ''."""
    try:
        name = path.relative_to(root).as_posix()
        compiled(name, path.read_bytes(), mpy_of_architecture(architecture))
    except UserError as error:
        return str(error)
    return ""


def compile_all(files: Iterable[Path]) -> list[str]:
    """Compile every file for every architecture; return the complaints."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [
            pool.submit(compile_file, path, architecture)
            for path in files
            for architecture in architectures()
        ]
        return [complaint for job in jobs if (complaint := job.result())]


def main() -> int:
    """Run both checks on firmware/ and print the complaints."""
    try:
        complaints = [type_check(port, port_files(port)).strip() for port in PORTS]
    except UserError as error:
        print(f"groundwatch: {error}", file=sys.stderr)
        return 2
    complaints += compile_all(firmware_files())
    found = [complaint for complaint in complaints if complaint]
    for complaint in found:
        print(complaint)
    if not found:
        count = len(firmware_files())
        ports, boards = " and ".join(PORTS), ", ".join(architectures())
        print(f"firmware: {count} files typed for {ports}; compiled for {boards}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
