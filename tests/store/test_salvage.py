# SPDX-License-Identifier: MIT
"""A damaged store: a new one goes on with what can be read, and the audit records the loss."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gateway.audit.checkpoint import Signer
from gateway.audit.keys import load_or_create
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.intake.downlinks import _BEYOND_LOST
from gateway.service.stages import Stages
from gateway.store.interface import CLOCK, SKIP_DUE, LogRow, Writes
from gateway.store.salvage import _TABLES, _fitted, _table, salvage
from gateway.store.sqlite import SqliteStore
from gateway.wire.messages import Receipt
from tests.gateway.played_node import ROOT, PlayedNode, write_config
from tests.gateway.test_pipeline import T0, S
from tests.store.test_contract import lived
from tools.cli import main

PAGE = 4096


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    write_config(folder, 'kind = "embedded"')
    store = SqliteStore(folder / "data" / "groundwatch.db")
    store.open()
    lived(load_site(folder / "site.toml"), store, Signer(load_or_create(folder / "data")))
    store.tidy()
    store.close()
    return folder


@pytest.fixture
def folder(good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = Path(shutil.copytree(good, tmp_path / "site"))
    monkeypatch.chdir(copy)
    return copy


def damage(folder: Path, seed: int, pages: int) -> float:
    """The share of the file that is lost."""
    path, chance = folder / "data" / "groundwatch.db", random.Random(seed)
    data = bytearray(path.read_bytes())
    for page in chance.sample(range(1, len(data) // PAGE), pages):
        data[page * PAGE : (page + 1) * PAGE] = chance.randbytes(PAGE)
    path.write_bytes(bytes(data))
    return pages * PAGE / len(data)


# Rows that the entry about a salvage adds: `state` has the clock, and that counters are skipped.
OF_ENTRY = {"audit": 1, "checkpoint": 1, "state": 2}
STATE_OF_ENTRY = {CLOCK, SKIP_DUE}


def counts(path: Path) -> dict[str, int]:
    db = sqlite3.connect(path)
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    made = {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
    db.close()
    return made


def goes_on(folder: Path) -> Stages:
    """The gateway starts on it, takes a message and keeps it."""
    site = load_site(folder / "site.toml")
    store = SqliteStore(folder / "data" / "groundwatch.db")
    store.open()
    pipeline = Stages(site, site_keys(site, ROOT), store.load())
    node = PlayedNode("n01", boot=77)
    before = store._open_db().execute("SELECT count(*) FROM message").fetchone()[0]
    pipeline.uplink(T0 + 5000 * S, node.up, node.hello(0))
    pipeline.uplink(T0 + 5000 * S, node.up, node.detection(5))
    writes = pipeline.take_writes()
    store.commit(writes)
    pipeline.committed()
    after = store._open_db().execute("SELECT count(*) FROM message").fetchone()[0]
    assert after == before + 2
    assert store._open_db().execute("PRAGMA integrity_check").fetchone() == ("ok",)
    store.close()
    return pipeline


def test_salvage_of_a_sound_store_keeps_every_row_and_its_audit_holds(folder: Path) -> None:
    before = counts(folder / "data" / "groundwatch.db")
    assert main(["salvage", "--by", "eva"]) == 0
    after = counts(folder / "data" / "groundwatch.db")
    assert after == {name: rows + OF_ENTRY.get(name, 0) for name, rows in before.items()}
    assert main(["audit", "verify", "data/groundwatch.db"]) == 0
    assert len(list((folder / "data").glob("damaged-*.db"))) == 1
    goes_on(folder)


@pytest.mark.parametrize("seed", range(8))
def test_salvage_of_a_damaged_store_keeps_what_the_damage_left_and_the_gateway_goes_on(
    seed: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(folder / "data" / "groundwatch.db")
    lost = damage(folder, seed, 3)
    assert main(["salvage", "--by", "eva"]) == 0
    after = contents(folder / "data" / "groundwatch.db")
    assert lost < 0.1
    assert kept_of(before, after) >= 0.6
    goes_on(folder)
    # The loss in the audit is reported, and the entry about the salvage is the newest.
    capsys.readouterr()
    assert main(["audit", "verify", "data/groundwatch.db"]) in (0, 1)
    assert "entries" in capsys.readouterr().out


Contents = dict[str, set[tuple[object, ...]]]


def contents(path: Path) -> Contents:
    with closing(sqlite3.connect(path)) as db:
        names = [
            row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        found = {name: set(db.execute(f"SELECT * FROM {name}").fetchall()) for name in names}
    found["state"] = {row for row in found["state"] if row[0] not in STATE_OF_ENTRY}
    return found


def kept_of(before: Contents, after: Contents) -> float:
    """The share of rows that is left; nothing may be there that was not."""
    for name, rows in after.items():
        new = rows - before[name]
        assert len(new) <= (name in ("audit", "checkpoint")), (name, new)
    kept = sum(len(rows & after[name]) for name, rows in before.items())
    return kept / sum(map(len, before.values()))


def cut(data: bytearray, share: float) -> bytearray:
    return data[: int(len(data) * share)]


def zeros(data: bytearray, first: int, last: int) -> bytearray:
    """These pages as a power cut leaves them: there, and empty."""
    data[first * PAGE : last * PAGE] = bytes((last - first) * PAGE)
    return data


DAMAGES: dict[str, tuple[Callable[[bytearray], bytearray], float]] = {
    "grown by zeros": (lambda data: data + bytes(300_000), 1.0),
    "grown by half a page": (lambda data: data + bytes(PAGE // 2), 1.0),
    "one byte short": (lambda data: data[:-1], 0.9),
    "cut to 90 %": (lambda data: cut(data, 0.9), 0.7),
    "cut to a half": (lambda data: cut(data, 0.5), 0.2),
    "the first page empty": (lambda data: zeros(data, 0, 1), 1.0),
    "the last ten pages empty": (lambda d: zeros(d, len(d) // PAGE - 10, len(d) // PAGE), 0.7),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_salvage_of_a_cut_or_emptied_file_keeps_every_row_that_is_there(
    name: str, folder: Path
) -> None:
    path = folder / "data" / "groundwatch.db"
    before = contents(path)
    change, share = DAMAGES[name]
    path.write_bytes(change(bytearray(path.read_bytes())))
    assert main(["salvage", "--by", "eva"]) == 0
    assert kept_of(before, contents(path)) >= share
    goes_on(folder)


def test_salvage_where_the_root_of_a_table_is_lost_reads_its_leaves(folder: Path) -> None:
    path = folder / "data" / "groundwatch.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany(
            "INSERT INTO message VALUES (?, 'n09', 1, 1, ?, 5, 'health', x'00112233')",
            [(number, number) for number in range(1000, 3000)],
        )
    before = contents(path)
    with closing(sqlite3.connect(path)) as db:
        root = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'message'").fetchone()[0]
    data = zeros(bytearray(path.read_bytes()), root - 1, root)
    path.write_bytes(data)
    with closing(sqlite3.connect(path)) as db, pytest.raises(sqlite3.DatabaseError):
        db.execute("SELECT count(payload) FROM message").fetchone()
    assert main(["salvage", "--by", "eva"]) == 0
    after = contents(path)
    assert {**after, "audit": 0, "checkpoint": 0} == {**before, "audit": 0, "checkpoint": 0}


def test_salvage_of_a_cut_file_reads_its_log_and_long_rows(folder: Path, tmp_path: Path) -> None:
    path = folder / "data" / "groundwatch.db"
    store = SqliteStore(path)
    store.open()
    long = [LogRow(9000 + number, T0, "Start", "system", "x" * 30_000) for number in range(20)]
    store.commit(Writes(log=long))
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    store.close()
    left = copy / "data" / "groundwatch.db"
    left.write_bytes(left.read_bytes()[:PAGE])
    assert left.with_name("groundwatch.db-wal").stat().st_size > 600_000
    fresh = tmp_path / "fresh.db"
    salvage(left, fresh)
    assert {row for row in contents(fresh)["log"] if row[0] >= 9000} == set(long)


def test_salvage_no_two_tables_have_rows_of_the_same_types(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "new.db")
    store.open()
    with closing(sqlite3.connect(tmp_path / "new.db")) as db:
        tables = [_table(db, name) for (name,) in db.execute(_TABLES).fetchall()]
    sample = {int: 1, str: "a", bytes: b"a"}
    for table in tables:
        values = tuple(None if c.is_number else sample[c.type] for c in table.columns)
        assert [t.name for t in tables if _fitted(t, 1, values)] == [table.name]
    store.close()


def test_salvage_without_a_nodes_row_uses_no_down_counter_twice(folder: Path) -> None:
    db = sqlite3.connect(folder / "data" / "groundwatch.db")
    with db:
        db.execute("DELETE FROM node WHERE node = 'n01'")
        db.execute("DELETE FROM state WHERE name = 'down:n01'")
    db.close()
    pipeline = goes_on(folder)
    sealed = pipeline.intake.downlinks.seal("n01", Receipt(upto=(77, 1)))
    assert sealed is not None
    assert pipeline.intake.downlinks.reserved("n01") > _BEYOND_LOST


def test_restored_store_without_a_nodes_row_starts_above_its_floor(folder: Path) -> None:
    floor = 5 << 30
    db = sqlite3.connect(folder / "data" / "groundwatch.db")
    with db:
        db.execute("DELETE FROM node WHERE node = 'n01'")
        db.execute("DELETE FROM state WHERE name = 'down:n01'")
        db.execute("INSERT INTO state VALUES ('down_floor', ?)", (str(floor),))
    db.close()
    pipeline = goes_on(folder)
    assert pipeline.intake.downlinks.reserved("n01") > floor


def test_salvage_of_what_is_no_database_is_one_line_and_leaves_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "data" / "groundwatch.db"
    path.write_bytes(b"\xa5" * 40_000)
    assert main(["salvage", "--by", "eva"]) == 2
    error = capsys.readouterr().err
    assert ("nothing can be read" in error, error.count("\n")) == (True, 1)
    assert path.read_bytes() == b"\xa5" * 40_000


_MOUNT = (
    'mount -t tmpfs -o size=%sk tmpfs "$1" && cp -r "$2"/. "$1" && cd "$1" && '
    "sha256sum data/groundwatch.db && %s -m tools.cli gateway salvage --by eva; "
    "echo status $?; sha256sum data/groundwatch.db"
)


def test_salvage_on_a_full_disk_loses_no_row_in_silence(folder: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    used = sum(-(-path.stat().st_size // PAGE) * 4 for path in folder.rglob("*") if path.is_file())
    script = _MOUNT % (used + 120, sys.executable)
    ran = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", disk, folder],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    if "unshare failed" in ran.stderr:
        pytest.skip(f"this machine does not permit mounts: {ran.stderr.strip()}")
    before, status, after = ran.stdout.splitlines()
    assert (status, before == after) == ("status 2", True), ran.stderr
    assert (ran.stderr.count("\n"), "full" in ran.stderr) == (1, True), ran.stderr


def test_salvage_under_a_running_gateway_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = SqliteStore(folder / "data" / "groundwatch.db")
    store.open()
    assert main(["salvage", "--by", "eva"]) == 2
    assert "another gateway uses it" in capsys.readouterr().err
    store.close()
