# SPDX-License-Identifier: MIT
"""The image the emulated board boots, checked by hash before it runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sim_hardware.emulated.image import release_of


@pytest.fixture(scope="session")
def pico_w_image() -> Path:
    """The file PICO_W_UF2 names (tests that need it are skipped where it names none)."""
    path = Path(os.environ["PICO_W_UF2"])
    if not path.is_file():
        pytest.fail(f"PICO_W_UF2 names {path}, which is no file")
    release = release_of(path)
    if release is None:
        pytest.fail(f"{path.name} is no image known by its hash (sim_hardware/emulated/image.py)")
    print(f"\nPico W image: MicroPython {release}")
    return path
