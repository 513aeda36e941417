# SPDX-License-Identifier: MIT
"""Power cuts during an update: at every operation on a real littlefs, no boot finds half a tree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.on_node import run_on_node

SCRIPT = Path(__file__).parent / "on_node" / "power_cut.py"


@pytest.mark.parametrize("release", ["good", "bad"])
def test_update_with_power_cut_at_any_operation_never_starts_half_a_tree(
    release: str, micropython: Path
):
    # The interpreter itself complains of files left open by the cut; the last line is ours.
    *_, line = run_on_node(micropython, SCRIPT, release, "0", "1", heap="8m", timeout_s=300)
    match = re.fullmatch(r"cuts (\d+) operations (\d+)", line)
    assert match is not None
    # Torn three ways at each operation but the last, which only notes that the node is well.
    assert int(match[1]) == 3 * (int(match[2]) - 1)
    assert int(match[2]) > 100


def test_update_longer_than_the_free_flash_reads_its_manifest_to_the_end(micropython: Path):
    # littlefs lets go of the block that a reader still holds open when the file is appended to.
    *_, line = run_on_node(micropython, SCRIPT, "long", "0", "1", heap="8m", timeout_s=60)
    match = re.fullmatch(r"cuts 0 operations (\d+)", line)
    assert match is not None
    assert int(match[1]) > 200
