# SPDX-License-Identifier: MIT
"""The block "A first real node" of README.md: from a blank board to an alarm, as printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs_commands.blocks import blocks_of, commands
from tests.guide import test_guide as guide
from tests.terminal import ROOT


def first_node() -> list[str]:
    """The lines of the block, without comments."""
    text = (ROOT / "README.md").read_text()
    (found,) = [
        commands(one)
        for one in blocks_of("README.md", text)
        if one.language == "sh" and "groundwatch init" in one.text
    ]
    return [line.partition("  #")[0].rstrip() for line in found]


@pytest.mark.long
def test_block_of_the_first_node_leads_to_an_alarm(micropython: Path, tmp_path: Path) -> None:
    lines = first_node()
    assert lines.pop(0).startswith("export PATH=")  # the folder of programs is in PATH here
    gateway = lines.index("groundwatch gateway run")
    # The gateway has a terminal of its own, in the folder where it was started.
    lines[gateway : gateway + 1] = ["```", "", "```sh", "cd north", "groundwatch gateway run"]
    lines[gateway + 5 : gateway + 5] = ["```", "", "```sh"]
    page = "```sh\n" + "\n".join(lines) + "\n```\n"
    shown = "\n".join(guide.walk_through(page, tmp_path, micropython))
    assert "n07 is a node of north: a new key" in shown
    assert "first heartbeat of n07" in shown
