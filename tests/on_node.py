# SPDX-License-Identifier: MIT
"""Runs a script under real MicroPython with the firmware on its path."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIRMWARE = ROOT / "firmware"


def run_on_node(
    interpreter: Path,
    script: Path,
    *args: str,
    cwd: Path | None = None,
    heap: str = "2m",
    timeout_s: float = 60,
) -> list[str]:
    """Return the lines a script prints; it fails the test by raising or by exceeding the time."""
    done = subprocess.run(
        [interpreter, "-X", f"heapsize={heap}", script, *args],
        cwd=cwd or script.parent,
        env={**os.environ, "MICROPYPATH": f"{FIRMWARE}:.frozen"},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, f"{script.name} {args}:\n{done.stdout[-2000:]}\n{done.stderr}"
    return done.stdout.splitlines()
