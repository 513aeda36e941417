# SPDX-License-Identifier: MIT
"""A wheel of this tree, as a user installs it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.terminal import ROOT


def unpacked(folder: Path) -> Path:
    """Build the wheel in a folder; return where its packages are."""
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "-w", folder, ROOT], check=True, capture_output=True)
    site = folder / "site-packages"
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(site)
    return site
