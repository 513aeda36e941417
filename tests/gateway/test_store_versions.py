# SPDX-License-Identifier: MIT
"""A store made by any earlier version opens, with all that is in it; a newer one is refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gateway.alarms import Acknowledge
from gateway.audit.checkpoint import Signer
from gateway.audit.database import evidence
from gateway.audit.keys import load_or_create
from gateway.audit.log import AuditLog
from gateway.audit.verify import by_id, verify
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.errors import StoreError
from gateway.service.stages import Stages
from gateway.store import schema as store_schema
from gateway.store.sqlite import SqliteStore
from tests.gateway.played_node import ROOT, PlayedNode, write_config, write_site
from tools.cli import main

STORES = Path(__file__).with_name("stores")  # each as its version of the gateway wrote it
EARLIER = range(1, store_schema.VERSION)
AFTER_US = 1_790_000_260_000_000


def made_by(version: int, folder: Path) -> Path:
    path = folder / "groundwatch.db"
    db = sqlite3.connect(path)
    db.executescript((STORES / f"v{version}.sql").read_text())
    db.close()
    return path


def schema(path: Path) -> set[tuple[str, str]]:
    db = sqlite3.connect(path)
    rows = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    version = db.execute("PRAGMA user_version").fetchone()[0]
    db.close()
    return {*rows, ("version", version)}


@pytest.mark.parametrize("version", EARLIER)
def test_store_of_an_earlier_version_opens_with_all_that_is_in_it(
    version: int, tmp_path: Path
) -> None:
    write_site(tmp_path)
    site = load_site(tmp_path / "site.toml")
    store = SqliteStore(made_by(version, tmp_path))
    store.open()
    pipeline = Stages(site, site_keys(site, ROOT), store.load())
    counts = (
        pipeline.intake.messages,
        pipeline.intake.detections,
        pipeline.monitor.state.alarms.last_id,
    )
    assert counts == (28, 8, 2)
    assert [alarm.state for alarm in pipeline.monitor.state.alarms.open] == ["active_unacked"]
    assert [event.id for event in pipeline.monitor.state.fusion.events] == ["e2"]
    # It goes on: what was stored is known as a copy, the alarm can be acknowledged and kept.
    played = PlayedNode("n01")
    assert pipeline.uplink(AFTER_US, played.up, played.detection(20_000)).duplicate
    pipeline.take(AFTER_US, "eva", Acknowledge(2, "eva"))
    store.commit(pipeline.take_writes())
    store.close()
    again = SqliteStore(tmp_path / "groundwatch.db")
    again.open()
    assert again.load().audit_head == (pipeline.audit.head)
    again.close()


@pytest.mark.parametrize("version", EARLIER)
def test_store_of_an_earlier_version_gets_seals_from_its_end_on_and_its_audit_holds(
    version: int, tmp_path: Path
) -> None:
    write_site(tmp_path)
    site = load_site(tmp_path / "site.toml")
    signer = Signer(load_or_create(tmp_path))
    store = SqliteStore(made_by(version, tmp_path))
    store.open()
    for turn in range(2):
        log = AuditLog(lambda: b"0123456789abcdef", signer)
        stages = Stages(site, site_keys(site, ROOT), store.load(), audit=log)
        played = PlayedNode("n01", boot=9 + turn)
        stages.uplink(AFTER_US + turn, played.up, played.hello(0))
        stages.uplink(AFTER_US + turn, played.up, played.detection(20_000))
        store.commit(stages.take_writes())
    with evidence(tmp_path / "groundwatch.db") as rows:
        report = verify(rows, by_id([signer.public]))
    problems = [one for one in report.problems if "key that was not given" not in one]
    assert problems == []
    assert (report.unsealed, report.records >= 8) == (28 + 24, True)
    store.close()


@pytest.mark.parametrize("version", EARLIER)
def test_store_of_an_earlier_version_its_open_event_ends_its_alarm(
    version: int, tmp_path: Path
) -> None:
    write_site(tmp_path)
    site = load_site(tmp_path / "site.toml")
    store = SqliteStore(made_by(version, tmp_path))
    store.open()
    stages = Stages(site, site_keys(site, ROOT), store.load())
    (event,) = stages.monitor.state.fusion.events
    assert (event.nodes, event.target.value) == (("n01", "n02", "n03", "n04"), "person")
    assert [one.phase.value for one in event.activities] == ["end"] * 4
    changes = [c for s in range(0, 300, 10) for c in stages.tick(AFTER_US + s * 1_000_000).alarms]
    assert ("cleared", 2) in [(c.change.value, c.alarm.id) for c in changes]
    store.close()


@pytest.mark.parametrize("form", ["{}", "[]", '{"activities": [[1]]}', "null", "gone"])
def test_store_alarm_whose_event_cannot_be_read_is_cleared_by_the_first_tick(
    form: str, tmp_path: Path
) -> None:
    write_site(tmp_path)
    site = load_site(tmp_path / "site.toml")
    store = SqliteStore(made_by(5, tmp_path))
    store.open()
    snapshot = store.load()
    snapshot.state |= {"event:e2": form, "ear:n01": form}
    stages = Stages(site, site_keys(site, ROOT), snapshot)
    assert stages.monitor.state.fusion.events == ()
    changes = [(c.change.value, c.alarm.id) for c in stages.tick(AFTER_US).alarms]
    assert changes == [("cleared", 2)]
    assert [alarm.state for alarm in stages.monitor.state.alarms.open] == ["cleared_unacked"]
    store.close()


def test_store_of_version_5_goes_on_with_its_orders_and_floors(tmp_path: Path) -> None:
    write_site(tmp_path)
    site = load_site(tmp_path / "site.toml")
    store = SqliteStore(made_by(5, tmp_path))
    store.open()
    stages = Stages(site, site_keys(site, ROOT), store.load())
    assert [mask.sectors for mask in stages.monitor.state.alarms.masks] == [("east",)]
    floors = stages.monitor.state.fusion.floors.by_node
    assert {node: floor.floor_um_s for node, floor in floors.items()} == {"n01": 0.12, "n02": 0.12}
    assert stages.intake.registry.views["n01"].battery_mv == 3900
    store.close()


@pytest.mark.parametrize("opened", [False, True], ids=["as it was", "opened"])
@pytest.mark.parametrize("version", EARLIER)
def test_store_of_an_earlier_version_replayed_is_refused_in_one_line(
    version: int, opened: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path, 'kind = "embedded"')
    path = made_by(version, tmp_path)
    if opened:
        store = SqliteStore(path)
        store.open()
        store.close()
    assert main(["replay", "--store", str(path), "--config", str(config)]) == 2
    printed = capsys.readouterr().err
    assert ("it is of an earlier version" in printed, printed.count("\n")) == (True, 1)


@pytest.mark.parametrize("version", EARLIER)
def test_store_of_an_earlier_version_gets_the_schema_of_a_new_one(
    version: int, tmp_path: Path
) -> None:
    old, new = made_by(version, tmp_path), tmp_path / "new.db"
    for path in (old, new):
        store = SqliteStore(path)
        store.open()
        store.close()
    assert schema(old) == schema(new)


def test_store_migration_that_fails_amid_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made_by(1, tmp_path)
    before = schema(path)
    broken = tmp_path / "broken.sql"
    broken.write_text("CREATE TABLE half (x INTEGER) STRICT;\nCREATE TABLE alarm (y INTEGER);\n")
    monkeypatch.setattr(store_schema, "step_file", lambda _version: broken)
    store = SqliteStore(path)
    with pytest.raises(StoreError, match="alarm already exists"):
        store.open()
    store.close()
    assert schema(path) == before


def test_store_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = made_by(1, tmp_path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 999")
    db.close()
    before = path.read_bytes()
    store = SqliteStore(path)
    with pytest.raises(StoreError, match="made by a newer Groundwatch: schema 999") as refused:
        store.open()
    store.close()
    assert "\n" not in str(refused.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"hello\n" * 400])
def test_store_file_that_is_not_ours_is_refused_unless_empty(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "groundwatch.db"
    path.write_bytes(content)
    store = SqliteStore(path)
    if content:
        with pytest.raises(StoreError, match="not a database"):
            store.open()
        assert path.read_bytes() == content
    else:
        store.open()
        assert store.load().messages == 0
    store.close()


def test_store_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "groundwatch.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE recipes (name TEXT)")
    db.close()
    before = path.read_bytes()
    store = SqliteStore(path)
    with pytest.raises(StoreError, match="not a Groundwatch store"):
        store.open()
    store.close()
    assert path.read_bytes() == before
