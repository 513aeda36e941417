# SPDX-License-Identifier: MIT
"""Shared by all tests: the interpreters, and the selection of tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools.micropython import MicropythonMissingError, find

# Left out unless asked for by -m: they take too long for every change.
LONG_MARKERS = ("long", "slow", "soak", "faults", "installs")


@pytest.fixture(scope="session")
def micropython() -> Path:
    """The executable of a MicroPython unix port for this machine."""
    return find()


@pytest.fixture(scope="session")
def micropython_i386() -> Path:
    """The 32-bit build: object sizes and tick wrap of the boards."""
    try:
        return find("i386")
    except MicropythonMissingError as error:
        pytest.skip(str(error))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect long tests unless -m names them; skip or refuse picow tests without an image."""
    expression = config.getoption("-m")
    unasked = [marker for marker in LONG_MARKERS if marker not in expression]
    long = [item for item in items if any(item.get_closest_marker(m) for m in unasked)]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
    if os.environ.get("PICO_W_UF2"):
        return
    if os.environ.get("REQUIRE_PICO_W") == "1":
        raise pytest.UsageError("REQUIRE_PICO_W=1 but PICO_W_UF2 names no image")
    absent = pytest.mark.skip(reason="PICO_W_UF2 names no Pico W image (see docs/operations.md)")
    for item in items:
        if item.get_closest_marker("picow"):
            item.add_marker(absent)
