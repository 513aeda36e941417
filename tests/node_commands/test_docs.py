# SPDX-License-Identifier: MIT
"""Each `groundwatch node` command that the documents print works as printed."""

from __future__ import annotations

import asyncio
import re
import shlex
from pathlib import Path

import pytest

from tests.node.conftest import walker
from tests.node.yard import Yard, until
from tools.cli import main

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/api.md", "docs/operations.md", "docs/power.md")
_VERBS = "list|show|log|identify|ping|reboot|configure|snippet"
_PRINTED = re.compile(rf"groundwatch (node (?:{_VERBS})\b(?:[^`#|\n\"]|\"[^\"\n]*\")*)")
LAST = ("radio=burst", "reboot")  # what the others would have to wait for
SENTINEL = "sampling=sentinel"  # another board does it, see below


def printed_commands(is_sentinel: bool = False) -> list[list[str]]:
    """All of them, once each, those that take the node away last; those of sentinel mode apart."""
    found = {}
    for page in PAGES:
        for match in _PRINTED.finditer((ROOT / page).read_text()):
            words = shlex.split(match[1].replace("n07", "n01"))
            if (SENTINEL in words) is not is_sentinel:
                continue
            found[" ".join(words)] = words
    return sorted(found.values(), key=lambda words: [last in words for last in LAST[::-1]])


async def test_commands_to_nodes_work_as_printed(
    micropython: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    commands = printed_commands()
    assert len(commands) >= 9
    monkeypatch.chdir(tmp_path)
    yard = Yard(tmp_path, micropython, link="wifi")
    async with yard.gateway() as gateway:
        with yard.node(walker(400, 0, 0)) as node:
            views = gateway.service.stages.intake.registry.views
            await until(lambda: views["n01"].settings, 60, node)
            await asyncio.sleep(2)  # the picture is some moments behind
            for words in commands:
                code = await asyncio.to_thread(main, [*words, "--config", "gateway.toml"])
                shown = capsys.readouterr()
                assert code == 0, (words, shown)


@pytest.mark.long
async def test_commands_of_sentinel_mode_work_as_printed_where_a_pin_wakes_the_board(
    micropython: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (words,) = printed_commands(is_sentinel=True)
    monkeypatch.chdir(tmp_path)
    for board in ("esp32_s3", "pico_w"):
        folder = tmp_path / board
        folder.mkdir()
        yard = Yard(folder, micropython, link="wifi", board=board)
        config = ["--config", str(folder / "gateway.toml")]
        async with yard.gateway() as gateway:
            with yard.node(walker(400, 0, 0), board=board) as node:
                view = gateway.service.stages.intake.registry.views["n01"]
                await until(lambda view=view: view.settings, 60, node)
                await asyncio.sleep(2)
                code = await asyncio.to_thread(main, [*words, *config])
                shown = capsys.readouterr()
                if board == "pico_w":
                    assert (code, shown.out.count("\n")) == (1, 1)
                    assert "firmware or board does not support it" in shown.out
                    continue
                assert (code, shown.err) == (0, "") and "sentinel" in shown.out
                await until(lambda view=view: view.is_sentinel, 20, node)
                await asyncio.sleep(2)
                assert await asyncio.to_thread(main, ["node", "list", *config]) == 0
                assert "sentinel, next within 73 min" in capsys.readouterr().out
