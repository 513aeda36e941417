# SPDX-License-Identifier: MIT
"""`groundwatch gateway backup`: a running gateway in one file, and one that starts from it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from gateway.commands.backups.contents import copy_store
from gateway.commands.backups.restore import EARLIER_PUBLIC
from gateway.keysafe import Rest, open_root, write_root
from tests.backup.verbs import PASSPHRASE, backed_up, contents, done, refused, rows
from tests.gateway.played_node import ROOT, MqttNode, until
from tests.processes import end
from tests.terminal import Terminal
from tools import cli


async def started(folder: Path) -> tuple[asyncio.subprocess.Process, int]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tools.cli", "gateway", "run", "--json"),
        cwd=folder,
        env={"PYTHONPATH": ":".join(sys.path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
    assert ready["type"] == "ready"
    return process, ready["broker_port"]


async def alarms(folder: Path) -> list[dict]:
    words = ("-m", "tools.cli", "alarm", "list", "--json")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *words),
        cwd=folder,
        env={"PYTHONPATH": ":".join(sys.path)},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _err = await process.communicate()
    assert process.returncode == 0
    return [json.loads(line) for line in out.splitlines()]


async def publish_walk(port: int) -> list[MqttNode]:
    """Two nodes detect a walker, and have their receipts."""
    nodes = [MqttNode("n01"), MqttNode("n02")]
    for node in nodes:
        node.connect(port)
    await until(lambda: all(node.subscribed for node in nodes))
    for node in nodes:
        node.publish(node.hello(1000))
        node.publish(node.detection(2000))
    for node in nodes:
        await node.until_received()
    return nodes


async def test_backup_of_a_running_gateway_starts_elsewhere_with_the_same_alarms(
    site: Path, tmp_path: Path, secret: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway, port = await started(site)
    try:
        nodes = await publish_walk(port)
        before = await alarms(site)
        file = tmp_path / "north.gwb"
        words = ("--with-keys", "--passphrase-file", secret)
        made = await asyncio.to_thread(backed_up, capsys, site, file, *words)
        # What comes after the backup is not in it.
        nodes[0].publish(nodes[0].detection(60_000))
        await nodes[0].until_received()
        for node in nodes:
            node.disconnect()
    finally:
        await end(gateway)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert made["with_keys"] and made["bytes"] == file.stat().st_size
    elsewhere = tmp_path / "elsewhere"
    words = ("--config", elsewhere / "gateway.toml", "--passphrase-file", secret)
    restored = await asyncio.to_thread(done, capsys, "restore", file, *words)
    assert restored["missing"] == [] and restored["site"] == "yard"
    found, there = rows(elsewhere), rows(site)
    assert found["alarm"] and len(found["detection"]) == 2
    for name in ("detection", "message"):
        assert found[name] == there[name][: len(found[name])]
    assert len(there["detection"]) == 3
    assert cli.main(["audit", "verify", str(elsewhere / "data" / "groundwatch.db")]) == 0
    gateway, _port = await started(elsewhere)
    try:
        again = await alarms(elsewhere)
        assert [(one["id"], one["nodes"]) for one in again] == [
            (one["id"], one["nodes"]) for one in before
        ]
    finally:
        await end(gateway)


def test_backup_without_keys_holds_no_secret_and_restore_names_what_is_missing(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = backed_up(capsys, site, tmp_path / "b")
    assert not any("key" in name for name in made["files"])
    new = tmp_path / "new"
    restored = done(capsys, "restore", tmp_path / "b", "--config", new / "gateway.toml")
    assert restored["missing"] == ["fleet.key"]
    assert ROOT.hex().encode() not in b"".join(contents(new).values())
    # The audit goes on under a new key; the public half of the earlier one stays to verify with.
    data = new / "data"
    names = ("audit.pub", EARLIER_PUBLIC)
    assert (data / names[0]).read_bytes() != (data / names[1]).read_bytes()
    verify = ["audit", "verify", str(data / "groundwatch.db")]
    assert cli.main([*verify, *(f"--key={data / name}" for name in names)]) == 0


def test_backup_with_keys_shows_no_secret_and_opens_with_its_passphrase_only(
    site: Path, tmp_path: Path, secret: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, new = tmp_path / "b", tmp_path / "new"
    backed_up(capsys, site, file, "--with-keys", "--passphrase-file", secret)
    assert ROOT.hex().encode() not in file.read_bytes()
    wrong = tmp_path / "wrong"
    wrong.write_text("correct horse batterx\n")
    wrong.chmod(0o600)
    words = ("restore", file, "--config", new / "gateway.toml", "--passphrase-file")
    assert "the passphrase does not open" in refused(capsys, *words, wrong)
    assert not new.exists()
    done(capsys, *words, secret)
    assert open_root(new / "fleet.key") == ROOT
    assert stat.S_IMODE((new / "fleet.key").stat().st_mode) == 0o600


def test_backup_with_keys_asks_for_its_passphrase_twice(site: Path, tmp_path: Path) -> None:
    for second, status in ((PASSPHRASE + "x", 2), (PASSPHRASE, 0)):
        with Terminal(site, "gateway", "backup", str(tmp_path / "b"), "--with-keys") as terminal:
            terminal.answer("passphrase of the backup", PASSPHRASE)
            terminal.answer("the same again", second)
            assert terminal.end() == status
            assert PASSPHRASE not in terminal.shown
    new = tmp_path / "new"
    new.mkdir()
    with Terminal(new, "gateway", "restore", str(tmp_path / "b")) as terminal:
        terminal.answer("passphrase of", PASSPHRASE)
        assert terminal.end() == 0
    assert open_root(new / "fleet.key") == ROOT


def test_backup_of_a_wrapped_fleet_key_stays_wrapped(
    site: Path, tmp_path: Path, secret: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_root(site / "fleet.key", ROOT, Rest.PASSPHRASE, lambda _: "another passphrase")
    backed_up(capsys, site, tmp_path / "b", "--with-keys", "--passphrase-file", secret)
    words = ("--config", tmp_path / "new" / "gateway.toml", "--passphrase-file", secret)
    done(capsys, "restore", tmp_path / "b", *words)
    assert open_root(tmp_path / "new" / "fleet.key", lambda _: "another passphrase") == ROOT


def test_backup_of_postgresql_names_its_own_tool(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = site / "gateway.toml"
    config.write_text(config.read_text() + '\n[store]\nurl = "postgresql:///groundwatch"\n')
    assert "pg_dump" in refused(capsys, "backup", tmp_path / "b", "--config", config)
    assert not (tmp_path / "b").exists()


def test_backup_replaces_no_file(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b").write_text("mine")
    words = ("backup", tmp_path / "b", "--config", site / "gateway.toml")
    assert "exists" in refused(capsys, *words)
    assert (tmp_path / "b").read_text() == "mine"


def test_copy_of_a_store_in_the_middle_of_a_commit_has_the_commit_before(
    site: Path, tmp_path: Path
) -> None:
    path = site / "data" / "groundwatch.db"
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("INSERT INTO state VALUES ('a', '1')")
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO state VALUES ('b', '2')")
    copy_store(path, tmp_path / "copy")
    db.execute("COMMIT")
    db.close()
    copied = sqlite3.connect(tmp_path / "copy")
    assert copied.execute("SELECT name FROM state").fetchall() == [("a",)]
    copied.close()
