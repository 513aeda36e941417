# SPDX-License-Identifier: MIT
"""`groundwatch gateway restore`: all of a backup or nothing, and nowhere else."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.commands.backups import archive, placing
from gateway.config import load_config
from gateway.intake.authentication.authenticator import Authenticator
from gateway.intake.downlink import SKIPPED
from gateway.intake.downlinks import FLOOR, Downlinks
from gateway.intake.nodes.registry import NodeRegistry
from gateway.store.sqlite import SqliteStore, hold
from tests.backup.verbs import backed_up, contents, done, refused
from tools import cli


def test_restore_skips_counters_of_messages_to_nodes(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = sqlite3.connect(site / "data" / "groundwatch.db")
    with db:
        db.execute("INSERT INTO state VALUES ('down:n01', '1024')")
    db.close()
    backed_up(capsys, site, tmp_path / "b")
    starts = set()
    for name in ("new", "second"):
        done(capsys, "restore", tmp_path / "b", "--config", tmp_path / name / "gateway.toml")
        store = SqliteStore(tmp_path / name / "data" / "groundwatch.db")
        store.open()
        state = store.load().state
        store.close()
        starts.add(int(state["down:n01"]))
        assert int(state["down:n01"]) >= 1024 + SKIPPED
        assert int(state[FLOOR]) >= SKIPPED
    assert len(starts) == 2, "a backup that is restored twice must not use the same counters"


def test_restored_store_starts_an_unknown_node_above_every_counter_of_before() -> None:
    downlinks = Downlinks("north", Authenticator("north", {}), NodeRegistry({}))
    downlinks.restore({}, (), {FLOOR: str(SKIPPED)})
    downlinks.add(["n09"])
    assert downlinks.reserved("n09") == SKIPPED


def test_restore_refuses_a_folder_that_is_not_empty(
    site: Path, target: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backed_up(capsys, site, tmp_path / "b")
    before = contents(target)
    words = ("restore", tmp_path / "b", "--config", target / "gateway.toml")
    assert "--replace" in refused(capsys, *words)
    assert contents(target) == before


def test_restore_with_replace_keeps_the_earlier_store_and_the_keys(
    site: Path, target: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backed_up(capsys, site, tmp_path / "b")
    before = contents(target)
    words = ("restore", tmp_path / "b", "--config", target / "gateway.toml", "--replace")
    made = done(capsys, *words)
    assert made["missing"] == []
    assert Path(made["kept"]).read_bytes() == before["data/groundwatch.db"]
    assert (target / "site.toml").read_bytes() == (site / "site.toml").read_bytes()
    assert (target / "data" / "audit.key").read_bytes() == before["data/audit.key"]
    assert load_config(target / "gateway.toml").site == target / "site.toml"
    assert not list(target.rglob(".*"))
    assert cli.main(["audit", "verify", str(target / "data" / "groundwatch.db")]) == 0


def test_restore_keeps_a_longer_enrolment_log(
    site: Path, target: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backed_up(capsys, site, tmp_path / "b")
    revoke = ("revoke", "n01", "--why", "stolen", "--json")
    assert cli.main(["node", *revoke, "--config", str(target / "gateway.toml")]) == 0
    capsys.readouterr()
    done(capsys, "restore", tmp_path / "b", "--config", target / "gateway.toml", "--replace")
    assert '"revoke"' in (target / "data" / "enrolment.jsonl").read_text()


def test_restore_under_a_running_gateway_changes_nothing(
    site: Path, target: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backed_up(capsys, site, tmp_path / "b")
    before = contents(target)
    words = ("restore", tmp_path / "b", "--config", target / "gateway.toml", "--replace")
    with hold(target / "data" / "groundwatch.db"):
        assert "another gateway uses it" in refused(capsys, *words)
    assert contents(target) == before


@contextmanager
def failing_move(monkeypatch: pytest.MonkeyPatch, number: int) -> Iterator[None]:
    """The disk fails at one move of a file."""
    moves = iter(range(10_000))
    real = placing._move

    def move(source: Path, target: Path) -> None:
        if next(moves) == number:
            raise OSError(5, "Input/output error")
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(placing, "_move", move)
        yield


def test_restore_whose_disk_fails_at_any_move_leaves_all_as_it_was(
    site: Path,
    target: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    backed_up(capsys, site, tmp_path / "b")
    before = contents(target)
    words = ("restore", tmp_path / "b", "--config", target / "gateway.toml", "--replace")
    for number in range(10):
        with failing_move(monkeypatch, number):
            assert "Input/output error" in refused(capsys, *words)
        assert contents(target) == before, number
    done(capsys, *words)


@pytest.mark.parametrize("with_keys", [False, True])
def test_restore_of_a_cut_or_flipped_file_is_one_line_and_changes_nothing(
    with_keys: bool,
    site: Path,
    tmp_path: Path,
    secret: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("--with-keys", "--passphrase-file", secret) if with_keys else ()
    backed_up(capsys, site, tmp_path / "b", *words)
    data = (tmp_path / "b").read_bytes()
    rng = random.Random(5)
    damaged = [data[: rng.randrange(len(data))] for _ in range(40)]
    damaged += [data[:-1], data[:-32], data + b"\0", b""]
    for bit in [rng.randrange(8 * len(data)) for _ in range(60)] + list(range(0, 2400, 11)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        damaged.append(bytes(flipped))
    bad, new = tmp_path / "bad", tmp_path / "new"
    for one in damaged:
        bad.write_bytes(one)
        line = refused(capsys, "restore", bad, "--config", new / "gateway.toml")
        assert str(bad) in line
    assert not new.exists()


@pytest.mark.parametrize("name", ["site/../../evil", "/evil", "evil", "outside/evil", "site/"])
def test_restore_of_a_file_that_names_another_place_writes_nothing_there(
    name: str, site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text"
    text.write_text("x")
    entries = [archive.Entry("site/gateway.toml", site / "gateway.toml")]
    entries.append(archive.Entry(name, text))
    archive.write(tmp_path / "b", archive.Header("yard", "2026", "1"), entries)
    new = tmp_path / "a" / "new"
    refused(capsys, "restore", tmp_path / "b", "--config", new / "gateway.toml")
    assert not new.exists() and not list(tmp_path.rglob("evil"))


def test_restore_of_files_outside_of_the_folder_needs_consent(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "var"
    shutil.move(site / "data", outside)
    text = (site / "gateway.toml").read_text()
    (site / "gateway.toml").write_text(text.replace('"data"', f'"{outside}"'))
    backed_up(capsys, site, tmp_path / "b")
    shutil.rmtree(outside)
    words = ("restore", tmp_path / "b", "--config", tmp_path / "new" / "gateway.toml")
    assert "--outside" in refused(capsys, *words)
    assert not outside.exists()
    done(capsys, *words, "--outside")
    assert (outside / "groundwatch.db").is_file()
