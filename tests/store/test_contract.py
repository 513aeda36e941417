# SPDX-License-Identifier: MIT
"""What every implementation of the store does, one test for all of them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.alarms import Acknowledge, AlarmRules
from gateway.audit import database as audit_database
from gateway.audit.checkpoint import Signer
from gateway.audit.keys import load_or_create
from gateway.audit.log import AuditLog
from gateway.audit.verify import by_id, verify
from gateway.config.retention import DAY_US, Retention
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.errors import RowError, StoreError, StoreInUse
from gateway.fusion.rules import Rules
from gateway.model.place.site import Site
from gateway.monitor.policy import Policy
from gateway.monitor.replay import replay
from gateway.service.stages import Stages
from gateway.store import schema, sql_erase
from gateway.store.choose import reading, store_at
from gateway.store.interface import BootRow, LogRow, Snapshot, Store, Writes
from gateway.store.sql_incident import incident
from tests.gateway.played_node import ROOT, PlayedNode, write_site
from tests.gateway.test_pipeline import T0, S, crossing, play

Opener = Callable[[], Store]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    write_site(tmp_path)
    return load_site(tmp_path / "site.toml")


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(load_or_create(tmp_path / "keys"))


def new_pipeline(site: Site, store: Store, signer: Signer | None = None) -> Stages:
    log = AuditLog(lambda: os.urandom(16), signer)
    return Stages(site, site_keys(site, ROOT), store.load(), audit=log)


def lived(site: Site, store: Store, signer: Signer) -> Stages:
    """A store after three walks and an acknowledgement, in many commits."""
    pipeline = new_pipeline(site, store, signer)
    for uplink in crossing():
        play(pipeline, [uplink])
        store.commit(pipeline.take_writes())
    pipeline.tick(T0 + 900 * S)
    pipeline.take(T0 + 901 * S, "eva", Acknowledge(1, "eva"))
    store.commit(pipeline.take_writes())
    return pipeline


def test_store_that_is_new_holds_nothing(store: Store) -> None:
    assert store.load() == Snapshot()


def test_store_of_an_empty_commit_is_still_empty(store: Store) -> None:
    store.commit(Writes())
    assert store.load() == Snapshot()


def test_store_commit_repeated_is_there_once(site: Site, store: Store) -> None:
    pipeline = new_pipeline(site, store)
    play(pipeline, crossing())
    pipeline.uplink(T0, "nowhere", b"x")
    writes = pipeline.take_writes()
    store.commit(writes)
    once = store.load()
    store.commit(writes)
    assert store.load() == once
    assert once.messages == pipeline.intake.messages > 20


def test_store_pipeline_restarted_at_any_point_goes_on_as_if_it_had_not(
    site: Site, open_store: Opener, tmp_path: Path
) -> None:
    uplinks = crossing()
    whole = Stages(site, site_keys(site, ROOT))
    expected = play(whole, uplinks)
    lines: list[str] = []
    for first in range(0, len(uplinks), 9):
        store = open_store()
        pipeline = new_pipeline(site, store)
        lines += play(pipeline, uplinks[first : first + 9])
        store.commit(pipeline.take_writes())
    assert lines == expected
    assert pipeline.intake.registry.views == whole.intake.registry.views
    assert pipeline.monitor.state.fusion == whole.monitor.state.fusion
    assert pipeline.monitor.state.alarms == whole.monitor.state.alarms


def test_store_commit_is_all_or_nothing(site: Site, store: Store) -> None:
    pipeline, node = new_pipeline(site, store), PlayedNode("n01")
    pipeline.uplink(T0, node.up, node.detection(1))
    writes = pipeline.take_writes()
    bad = BootRow("n01", 1, "many", 0, None, None, None, None)  # type: ignore[arg-type]  # wrong on purpose
    broken = Writes(messages=writes.messages, log=writes.log, boots={("n01", 1): bad})
    with pytest.raises(StoreError):
        store.commit(broken)
    assert store.load() == Snapshot()
    store.commit(writes)
    assert store.load().messages == 1


def test_store_in_use_is_refused_until_it_is_closed(place: Path | str, store: Store) -> None:
    second = store_at(place)
    with pytest.raises(StoreInUse, match="another gateway uses it") as refused:
        second.open()
    assert "\n" not in str(refused.value)
    store.close()
    second.open()
    second.close()


def test_store_alarms_are_loaded_open_and_closed_and_listed_newest_first(
    site: Site, store: Store, signer: Signer
) -> None:
    lived(site, store, signer)
    snapshot = store.load()
    assert [json.loads(value)["id"] for value in snapshot.closed_alarms] == [1]
    still_open = {json.loads(value)["id"] for value in snapshot.open_alarms}
    assert {2, 3} <= still_open
    listed = [json.loads(value)["id"] for value in store.alarms_since(0, 2)]
    assert listed == sorted({1, *still_open}, reverse=True)[:2]
    assert store.alarms_since(T0 + 999 * S, 9) == []


def test_store_audit_of_any_implementation_verifies_and_an_edit_is_detected(
    site: Site, store: Store, signer: Signer, place: Path | str
) -> None:
    lived(site, store, signer)
    with audit_database.evidence(place) as given:
        report = verify(given, by_id([signer.public]))
    assert report.problems == []
    assert (report.entries > 9, report.history > 9) == (True, True)
    with audit_database.evidence(place) as given:
        given.entries = [
            (*row[:2], "tom", *row[3:]) if row[0] == 3 else row for row in given.entries
        ]
        report = verify(given, by_id([signer.public]))
    assert report.problems == ["entry 3: its content was changed"]


def test_store_erases_every_class_in_portions_and_keeps_chain_and_counts(
    site: Site, store: Store, signer: Signer, place: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_erase, "MAX_ERASED", 7)
    pipeline = lived(site, store, signer)
    pipeline.take(T0 + 902 * S, "eva", Acknowledge(2, "eva"))
    pipeline.take(T0 + 902 * S, "eva", Acknowledge(3, "eva"))
    pipeline.uplink(T0 + 903 * S, "nowhere", b"x")
    store.commit(pipeline.take_writes())
    before = store.load()
    cuts = Retention().cuts(T0 + 4000 * DAY_US)
    for _ in range(100):
        expired = store.expired(cuts)
        if not expired:
            break
        pipeline.eraser.step(T0 + 4000 * DAY_US, expired)
        store.commit(pipeline.take_writes())
    assert store.expired(cuts) == {}
    assert store.tidy()
    after = store.load()
    for name in ("messages", "detections", "last_alarm_id", "last_history_id"):
        assert getattr(after, name) == getattr(before, name) > 0
    with audit_database.evidence(place) as given:
        report = verify(given, by_id([signer.public]))
    assert (report.problems, report.erased > 10, report.history) == ([], True, 0)
    with reading(place) as db:
        tables = ("message", "detection", "alarm", "alarm_history", "quarantine", "log", "tick")
        for table in tables:
            assert db.run(f"SELECT count(*) FROM {table}") == [(0,)]


def test_store_replayed_gives_the_same_history(
    site: Site, store: Store, signer: Signer, place: Path | str
) -> None:
    lived(site, store, signer)
    sectors = {node.id: node.sector for node in site.nodes.values()}
    with reading(place) as db:
        verdicts = list(replay(db, Policy(site, Rules(), AlarmRules(sectors))))
    assert [(v.identical, v.same_policy) for v in verdicts] == [(True, True)]
    assert verdicts[0].changes > 9


def test_store_incident_holds_the_alarms_rows(
    site: Site, store: Store, signer: Signer, place: Path | str
) -> None:
    lived(site, store, signer)
    with reading(place) as db:
        found = incident(db, 1)
        assert incident(db, 99) is None
    assert found is not None
    assert len(found.detections) == len(found.messages) == 12
    assert found.about
    assert {row[0] for row in found.audit} >= found.about


def test_store_of_a_newer_version_is_refused(
    open_store: Opener, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "VERSION", schema.VERSION - 1)
    with pytest.raises(StoreError, match="made by a newer Groundwatch") as refused:
        open_store()
    assert "\n" not in str(refused.value)


def test_store_row_that_is_not_accepted_keeps_no_other_row_out(open_store: Opener) -> None:
    store = open_store()
    rows = [LogRow(number, T0, "Start", "", "{}") for number in (1, 2, 3)]
    rows[1] = rows[1]._replace(at_us=1 << 70)
    with pytest.raises((RowError, OverflowError)):
        store.commit(Writes(log=rows))
    assert store.log_after(0, 10) == []
    (left_out,) = store.commit_what_fits(Writes(log=rows))
    assert (left_out.table, left_out.row) == ("log", tuple(rows[1]))
    assert store.log_after(0, 10) == [rows[0], rows[2]]
    store.commit(Writes(log=[rows[1]._replace(at_us=T0)]))
    assert len(store.log_after(0, 10)) == 3
