# SPDX-License-Identifier: MIT
"""`groundwatch node configure|identify|log` against a gateway and a node under real MicroPython."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

from gateway import keys
from gateway.model import node_settings
from tests.node.conftest import walker
from tests.node.yard import Yard, until
from tests.node_commands.conftest import Verb


@pytest.fixture
def yard(micropython: Path, tmp_path: Path) -> Yard:
    return Yard(tmp_path, micropython)


def values(out: str) -> dict[str, str]:
    """What `configure` printed: the first two words of each line of a setting."""
    rows = [line.split() for line in out.splitlines()]
    return {row[0]: row[1] for row in rows if row[0] in node_settings.DEFAULTS}


async def comes(verb: Verb, wanted: dict[str, str]) -> bool:
    """Whether these settings are shown within some seconds: the picture is some moments behind."""
    for _ in range(50):
        if values((await verb("configure", "n01"))[1]) == wanted:
            return True
        await asyncio.sleep(0.1)
    return False


async def test_configure_changes_a_node_and_the_gateway_shows_what_it_runs(
    yard: Yard, verb: Verb
) -> None:
    async with yard.gateway() as gateway:
        with yard.node(walker(200, 0, 0)) as node:
            views = gateway.service.stages.intake.registry.views
            await until(lambda: views["n01"].board, 60, node)
            first = {"heartbeat_s": "60", "radio": "always", "threshold_x10": "0"}
            first["sampling"] = "continuous"
            assert await comes(verb, first)

            words = ("heartbeat_s=300", "threshold_x10=-5", "--reason", "windy place")
            code, out, _ = await verb("configure", "n01", *words)
            assert (code, out.split()[:3]) == (0, ["n01", "configure", "done"])
            changed = {"heartbeat_s": "300", "radio": "always", "threshold_x10": "-5"}
            changed["sampling"] = "continuous"
            assert values(out) == changed
            await until(lambda: (views["n01"].settings or {})["heartbeat_s"] == 300, 10, node)
            assert views["n01"].lost_after_us == 900_000_000
            assert await comes(verb, changed)
            code, out, _ = await verb("show", "n01", "--json")
            assert json.loads(out)["settings"]["threshold_x10"] == -5

            boot = views["n01"].boot
            assert (await verb("reboot", "n01", "--reason", "test"))[0] == 0
            # The node restarts by itself and has its settings from flash.
            await until(lambda: views["n01"].boot > boot, 60, node)
            assert (views["n01"].settings or {})["heartbeat_s"] == 300
    db = sqlite3.connect(yard.folder / "data" / "groundwatch.db")
    rows = db.execute("SELECT action, reason, detail_json FROM audit ORDER BY id").fetchall()
    ordered = next(row for row in rows if row[0] == "command.configure")
    assert ordered[1] == "windy place"
    assert json.loads(ordered[2])["settings"] == {"heartbeat_s": 300, "threshold_x10": -5}
    assert any("300" in row[2] for row in rows if row[0] == "command.done")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("heartbeat_s=5",), "from 30 to 3600"),
        (("heartbeat_s=1e3",), "from 30 to 3600"),
        (("heartbeat_s=\u0663\u0660",), "from 30 to 3600"),
        (("threshold_x10=41",), "from -20 to 40"),
        (("radio=never",), "always or burst"),
        (("radio=1",), "always or burst"),
        (("gain=3",), "there are heartbeat_s, radio, threshold_x10"),
        (("heartbeat_s",), "NAME=VALUE"),
        (("heartbeat_s=",), "NAME=VALUE"),
        (("heartbeat_s=60", "heartbeat_s=61"), "given twice"),
        (("x" * 5000 + "=1",), "there is no setting"),
    ],
)
async def test_configure_with_a_bad_value_is_one_line_and_exit_2(
    verb: Verb, tmp_path: Path, words: tuple[str, ...], expected: str
) -> None:
    (tmp_path / "gateway.toml").write_text('[gateway]\ndata_dir = "data"\nsite = "site.toml"\n')
    (tmp_path / "site.toml").write_text("")
    code, out, err = await verb("configure", "n01", *words, "--reason", "x")
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert expected in err
    assert len(err) < 300


async def test_commands_with_words_of_another_are_one_line_and_exit_2(
    yard: Yard, verb: Verb
) -> None:
    async with yard.gateway():
        for words, expected in (
            (("configure", "n01", "heartbeat_s=60"), "give a reason"),
            (("configure", "n99", "heartbeat_s=60", "--reason", "x"), "no node 'n99'"),
            (("configure", "n01", "radio=burst", "--reason", "x"), "on a wire"),
            (("configure", "n01"), "has not stated its settings"),
            (("ping", "n01", "heartbeat_s=60"), "extra argument"),
            (("show", "n01", "heartbeat_s=60"), "extra argument"),
            (("identify", "n01", "--seconds", "61"), "1<=x<=60"),
            (("identify", "n01", "--seconds", "0"), "1<=x<=60"),
            (("identify", "n01", "--seconds", "x"), "not a valid int"),
            (("log", "n01", "--seconds", "3"), "--seconds"),
            (("log", "n01", "--out", "x"), "--out"),
            (("log",), "groundwatch node log n07"),
        ):
            code, _, err = await verb(*words)
            assert code == 2, words
            assert expected in err, err
            assert "Traceback" not in err


async def test_identify_blinks_for_as_long_as_asked_and_ends_by_itself(
    yard: Yard, verb: Verb
) -> None:
    async with yard.gateway() as gateway:
        with yard.node(walker(200, 0, 0)) as node:
            views = gateway.service.stages.intake.registry.views
            await until(lambda: views["n01"].board, 60, node)
            code, out, _ = await verb("identify", "n01", "--seconds", "3")
            assert (code, out.split()[:3]) == (0, ["n01", "identify", "done"])
            code, out, _ = await verb("identify", "n01", "--seconds", "3")
            assert (code, "busy with another" in out) == (1, True)
            await asyncio.sleep(4)
            leds = [line for line in node.lines if line.startswith("sim: led")]
            assert leds == ["sim: led 1", "sim: led 0"] * 6
            await asyncio.sleep(1)
            assert len([line for line in node.lines if line.startswith("sim: led")]) == 12


async def test_log_has_the_last_lines_and_the_traceback_and_no_secret(
    yard: Yard, verb: Verb
) -> None:
    (yard.tree / "failure").write_text("pump: ValueError()\nTraceback (most recent call last):\n")
    async with yard.gateway() as gateway:
        with yard.node(walker(200, 0, 0)) as node:
            views = gateway.service.stages.intake.registry.views
            await until(lambda: views["n01"].board, 60, node)
            boot = views["n01"].boot
            assert (await verb("reboot", "n01", "--reason", "test"))[0] == 0
            await until(lambda: views["n01"].boot > boot, 60, node)
            code, out, err = await verb("log", "n01")
            assert (code, err) == (0, ""), "\n".join([out, *node.lines[-30:]])
            before, _, now = out.partition("-- this boot")
            assert "node restarts" in before and "detail=command" in before
            assert "node started node=n01" in now and "cause=reboot" in now
            assert "link up" in now
            assert "pump: ValueError()" in now.partition("-- last failure")[2]
            code, out, _ = await verb("log", "n01", "--json")
            log = json.loads(out)
            assert (code, log["parts_missing"]) == (0, 0)
            assert len("\n".join(log["lines"])) < 3_000
    key = keys.node_key((yard.folder / "fleet.key").read_bytes(), "yard", "n01")
    table = json.loads((yard.tree / "node.json").read_text())
    secrets = [key.hex(), table["key"], "eight or more", keys.derive(key).mqtt_password]
    for text in ("\n".join(log["lines"]), "\n".join(node.lines)):
        assert not [one for one in secrets if one in text]


async def test_commands_are_done_on_the_heap_of_a_board(
    micropython_i386: Path, tmp_path: Path, verb: Verb
) -> None:
    yard = Yard(tmp_path, micropython_i386, link="wifi")
    async with yard.gateway() as gateway:
        with yard.node(walker(200, 0, 0), board_heap=True) as node:
            views = gateway.service.stages.intake.registry.views
            await until(lambda: views["n01"].settings, 60, node)
            (start,) = [line for line in node.lines if line.startswith("node started")]
            assert int(start.rpartition("=")[2]) < 150_000  # of a board; a PC has over a megabyte
            for words in (
                ("identify", "n01", "--seconds", "20"),
                ("log", "n01"),
                ("configure", "n01", "radio=burst", "heartbeat_s=30", "--reason", "test"),
                ("configure", "n01", "radio=always", "threshold_x10=3", "--reason", "test"),
                ("log", "n01"),
                ("snippet", "n01", "--reason", "test", "--out", str(tmp_path / "n01.wav")),
            ):
                code, out, err = await verb(*words)
                assert code == 0, (words, out, err, node.lines[-5:])
            assert not [line for line in node.lines if "failed" in line]
