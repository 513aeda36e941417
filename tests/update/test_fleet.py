# SPDX-License-Identifier: MIT
"""Updates over the air, whole: real gateway, real nodes under MicroPython, real signatures."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from gateway.updates import package
from gateway.updates.rollout import DONE, Stage
from tests.trees import HEAD_LINES
from tests.update.field import RELEASE_KEY, Field, made
from tools.cli import main


def mark(folder: Path) -> None:
    """A change as small as can be seen."""
    node = folder / "ugs" / "node.py"
    node.write_text(node.read_text() + "MARK = 1\n")


def break_start(folder: Path) -> None:
    """Firmware that cannot start."""
    module = folder / "ugs" / "sampling.py"
    assert module.is_file()
    module.write_text("1 / 0\n")


def release_of(data: bytes) -> package.Release:
    return package.parse(data, RELEASE_KEY.public_key(), "it")


@pytest.mark.long
async def test_update_ordered_by_the_command_reaches_every_node_in_waves(
    micropython: Path, tmp_path: Path, capsys
):
    names = ["n01", "n02", "n03"]
    async with Field(tmp_path, micropython, names) as field:
        await field.connected()
        data = made(tmp_path, "0.2.0", mark, "good")
        (tmp_path / "good.gwr").write_bytes(data)
        (tmp_path / "release.pub").write_text(
            RELEASE_KEY.public_key().public_bytes_raw().hex() + "\n"
        )
        (tmp_path / "gateway.toml").write_text(
            '[gateway]\ndata_dir = "data"\nsite = "site.toml"\nfleet_key = "fleet.key"\n'
            'release_key = "release.pub"\n'
        )
        words = ["update", str(tmp_path / "good.gwr"), "--config", str(tmp_path / "gateway.toml")]
        words += ["--wave", "n02", "--wave", "rest", "--soak", "0", "--json"]
        code = await asyncio.to_thread(main, words)
        printed = capsys.readouterr()
        assert code == 0, printed
        report = json.loads(printed.out)
        views = field.gateway.service.stages.intake.registry.views
        assert report["ended"] == DONE
        assert {one["node"]: one["wave"] for one in report["nodes"]} == {
            "n02": 0,
            "n01": 1,
            "n03": 1,
        }
        assert {one["stage"] for one in report["nodes"]} == {"done"}
        lines = release_of(data).manifest.decode().splitlines()[HEAD_LINES:]
        changed = {
            number
            for number, line in enumerate(lines, 1)
            if line.endswith((" ugs/node.mpy", " ugs/version.mpy", " ugs/update/self_test.mpy"))
        }
        for name in names:
            assert views[name].fw == "0.2.0"
            text = field.nodes[name].text()
            assert "update kept version=2000" in text
            # It holds the release as it was signed, of which most was copied, not fetched.
            assert (field.nodes[name].tree / "b.fw").read_bytes() == data
            sent = [c.file for c in field.chunks if c.command_id == report["command"]]
            assert set(sent) == {0, *changed}
        # The same version once more has nothing to do.
        assert await asyncio.to_thread(main, words) == 0


@pytest.mark.slow
async def test_update_cut_off_again_and_again_goes_on_where_it_was(
    micropython: Path, tmp_path: Path
):
    def change_much(folder: Path) -> None:
        for path in (folder / "ugs").rglob("*.py"):
            path.write_text(path.read_text() + "CHANGED = 1\n")

    async with Field(tmp_path, micropython, ["n01"]) as field:
        await field.connected()
        node = field.nodes["n01"]
        await field.update(release_of(made(tmp_path, "0.2.0", change_much, "big")), [["n01"]])
        files: list[int] = []
        for _ in range(6):
            asked = field.rollout.nodes[0].file
            await field.until(
                lambda asked=asked: field.rollout.nodes[0].file > asked or not field.rollout.active,
                60,
                "progress",
            )
            await asyncio.sleep(0.3)
            files.append(field.rollout.nodes[0].file)
            if not field.rollout.active:
                break
            await node.cut()
        rollout = await field.ended()
        assert rollout.ended == DONE
        assert files == sorted(files), "a cut must not send it back to the beginning"
        assert node.boots > 5
        assert field.gateway.service.stages.intake.registry.views["n01"].fw == "0.2.0"


@pytest.mark.long
async def test_update_that_cannot_start_is_taken_back_and_stops_the_waves(
    micropython: Path, tmp_path: Path
):
    async with Field(tmp_path, micropython, ["n01", "n02"]) as field:
        await field.connected()
        release = release_of(made(tmp_path, "0.2.0", break_start, "bad"))
        await field.update(release, [["n01"], ["n02"]])
        rollout = await field.ended()
        assert rollout.ended == "stopped by itself: n01 failed"
        first, second = rollout.nodes
        assert first.stage is Stage.FAILED
        assert "failed its self-test; the old one is back" in first.reason
        assert second.stage is Stage.WAITING
        text = field.nodes["n01"].text()
        assert text.count("node stops cause=") == 3
        views = field.gateway.service.stages.intake.registry.views
        await field.until(lambda: views["n01"].fw == "0.1.0", 30, "the old version")
        await field.until(
            lambda: any("did not take the update" in reason for _kind, reason in field.alarms()),
            10,
            "the alarm, which the monitor makes of the log",
        )
        assert "update begins" not in field.nodes["n02"].text()
        # It is not offered again, and a mended release is taken.
        await asyncio.sleep(1)
        assert text.count("update whole") == 1
        await field.update(release_of(made(tmp_path, "0.2.1", mark, "good")), [["n01"], ["n02"]])
        rollout = await field.ended()
        assert rollout.ended == DONE
