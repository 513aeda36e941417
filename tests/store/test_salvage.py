# SPDX-License-Identifier: MIT
"""A damaged store: a new one goes on with what can be read, and the audit records the loss."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from gateway.audit.checkpoint import Signer
from gateway.audit.keys import load_or_create
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.intake.downlinks import _BEYOND_LOST
from gateway.service.stages import Stages
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


def damage(folder: Path, seed: int, pages: int) -> None:
    path, chance = folder / "data" / "groundwatch.db", random.Random(seed)
    data = bytearray(path.read_bytes())
    for page in chance.sample(range(1, len(data) // PAGE), pages):
        data[page * PAGE : (page + 1) * PAGE] = chance.randbytes(PAGE)
    path.write_bytes(bytes(data))


def schema_is_readable(folder: Path) -> bool:
    db = sqlite3.connect(folder / "data" / "groundwatch.db")
    try:
        return bool(db.execute("SELECT name FROM sqlite_master").fetchall())
    except sqlite3.DatabaseError:
        return False
    finally:
        db.close()


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
    assert after == {**before, "audit": before["audit"] + 1, "checkpoint": before["checkpoint"] + 1}
    assert main(["audit", "verify", "data/groundwatch.db"]) == 0
    assert len(list((folder / "data").glob("damaged-*.db"))) == 1
    goes_on(folder)


@pytest.mark.parametrize("seed", range(8))
def test_salvage_of_a_damaged_store_keeps_most_rows_and_the_gateway_goes_on(
    seed: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sum(counts(folder / "data" / "groundwatch.db").values())
    damage(folder, seed, 3)
    if not schema_is_readable(folder):
        assert main(["salvage", "--by", "eva"]) == 2
        assert "nothing can be read" in capsys.readouterr().err
        return
    assert main(["salvage", "--by", "eva"]) == 0
    after = counts(folder / "data" / "groundwatch.db")
    assert sum(after.values()) > before / 4
    goes_on(folder)
    # The loss in the audit is reported, and the entry about the salvage is the newest.
    capsys.readouterr()
    assert main(["audit", "verify", "data/groundwatch.db"]) in (0, 1)
    assert "entries" in capsys.readouterr().out


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


def test_salvage_under_a_running_gateway_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = SqliteStore(folder / "data" / "groundwatch.db")
    store.open()
    assert main(["salvage", "--by", "eva"]) == 2
    assert "another gateway uses it" in capsys.readouterr().err
    store.close()
