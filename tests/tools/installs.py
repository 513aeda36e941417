# SPDX-License-Identifier: MIT
"""Installations by pip of this checkout and of earlier commits, and their gateways."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.architecture.tree import ROOT

_READY_S = 120.0
_LOOK = """
import json
from importlib.metadata import distributions
found = {one.metadata["Name"].lower(): sum(file.locate().stat().st_size for file in one.files or ()
    if file.locate().is_file()) for one in distributions()}
print(json.dumps(found))
"""


def build_wheel(tree: Path, folder: Path) -> Path:
    """The wheel of a checkout, built by this environment's back end."""
    words = ("wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, tree)
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, capture_output=True)
    return next(folder.glob("groundwatch-*.whl"))


def fresh(wheel: Path, folder: Path, extra: str = "") -> Path:
    """The interpreter of a new environment that holds a wheel and what pip adds to it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    # The versions of the lock file, so that a later release of a package cannot fail the test.
    pins = re.findall(r"^([\w.\-]+==\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    (folder / "pins.txt").write_text("\n".join(pins))
    words = ("--python", python, "install", "-q", "-c", folder / "pins.txt", f"{wheel}{extra}")
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    return python


def sizes(python: Path) -> dict[str, int]:
    """Bytes of each package of an environment."""
    ran = subprocess.run([python, "-P", "-c", _LOOK], capture_output=True, text=True, check=True)
    found: dict[str, int] = json.loads(ran.stdout)
    return found


def tree_of(commit: str, folder: Path) -> Path:
    """The files of an earlier commit, from the history of this checkout."""
    folder.mkdir()
    archive = subprocess.run(
        ["git", "-C", ROOT, "archive", commit], capture_output=True, check=False
    )
    assert archive.returncode == 0, f"the history lacks {commit}: git fetch --unshallow"
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    return folder


def install(wheel: Path, folder: Path) -> Path:
    """A wheel without its dependencies in a folder, which PYTHONPATH then names."""
    words = ("install", "-q", "--no-deps", "--no-compile", "--target", folder, wheel)
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, capture_output=True)
    return folder


@dataclass
class Running:
    """A gateway that is ready; `summary` is there once it has ended, or `problem`."""

    port: int = 0
    console: str = ""
    summary: dict[str, Any] = field(default_factory=dict)
    status: int = 0
    problem: str = ""


@asynccontextmanager
async def gateway(
    python: Sequence[str | Path], config: Path, environment: dict[str, str]
) -> AsyncIterator[Running]:
    """The gateway by this interpreter; one that refuses to start has a problem."""
    process: Process = await asyncio.create_subprocess_exec(
        *(*map(str, python), "-P", "-m", "tools.cli", "gateway", "--config", str(config), "--json"),
        cwd=config.parent,
        env={**os.environ, **environment},
        stdout=PIPE,
        stderr=PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    errors = asyncio.create_task(process.stderr.read())
    running = Running()
    try:
        first = await asyncio.wait_for(process.stdout.readline(), _READY_S)
        if first:
            ready = json.loads(first)
            running.port, running.console = ready["broker_port"], ready["console"]
        yield running
    finally:
        running.status = await _ended(process, running)
        running.problem = (await errors).decode()


async def _ended(process: Process, running: Running) -> int:
    """Its exit status. A second signal is not sent: the process may have gone by then."""
    if running.port:
        process.terminate()
    assert process.stdout is not None
    async with asyncio.timeout(_READY_S):
        lines = [json.loads(line) for line in (await process.stdout.read()).splitlines()]
        # A step that ends while the gateway stops may print a line after the summary.
        running.summary = next((one for one in lines if one.get("type") == "summary"), {})
        return await process.wait()
