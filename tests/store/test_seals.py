# SPDX-License-Identifier: MIT
"""Whatever page and reports show is covered by the audit: each edit by plain SQL is reported, and
what the gateway itself does never is. For each implementation of the store."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from gateway.alarms import Acknowledge
from gateway.audit import database
from gateway.audit.checkpoint import Signer
from gateway.audit.keys import load_or_create
from gateway.audit.log import AuditLog
from gateway.audit.verify import Report, by_id, verify
from gateway.config.retention import DAY_US, Retention
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.model.actions.record import SEALED, STARTED
from gateway.model.alarm import Disposition
from gateway.model.place.site import Site
from gateway.service.records import sealing
from gateway.service.stages import Stages
from gateway.store.interface import Store
from tests.gateway.played_node import ROOT, write_site
from tests.gateway.test_pipeline import T0, S, crossing, play

Opener = Callable[[], Store]
END_US = T0 + 1000 * S


@pytest.fixture
def site(tmp_path: Path) -> Site:
    write_site(tmp_path)
    return load_site(tmp_path / "site.toml")


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(load_or_create(tmp_path / "keys"))


def verified(place: Path | str, signer: Signer) -> Report:
    with database.evidence(place) as given:
        return verify(given, by_id([signer.public]))


def started(site: Site, store: Store, signer: Signer) -> Stages:
    log = AuditLog(lambda: os.urandom(16), signer)
    return Stages(site, site_keys(site, ROOT), store.load(), audit=log)


def lived(site: Site, open_store: Opener, signer: Signer) -> Stages:
    """Three runs over a store: walks, an assessed alarm, monitored time of two days."""
    uplinks = crossing()
    third = len(uplinks) // 3
    for turn in range(3):
        store = open_store()
        stages = started(site, store, signer)
        for uplink in uplinks[turn * third : (turn + 1) * third]:
            play(stages, [uplink])
            store.commit(stages.take_writes(uplink[0], everything=False))
        stages.monitored_time.count(T0 + turn * DAY_US, 600.0, 1)
        store.commit(stages.take_writes(END_US))
    stages.take(END_US, "eva", Acknowledge(1, "eva", Disposition.PERSON))
    store.commit(stages.take_writes(END_US))
    return stages


def edit(place: Path | str, statement: str) -> None:
    if isinstance(place, Path):
        with closing(sqlite3.connect(place, isolation_level=None)) as db:
            assert db.execute(statement).rowcount > 0
    else:
        with psycopg.connect(place, autocommit=True) as server:
            assert server.execute(statement.encode()).rowcount > 0


def test_seals_of_an_honest_store_hold_and_cover_every_record(
    site: Site, open_store: Opener, signer: Signer, place: Path | str
) -> None:
    stages = lived(site, open_store, signer)
    report = verified(place, signer)
    assert report.problems == []
    assert (report.alarms, report.unsealed) == (3, 0)
    assert report.records > stages.intake.messages + stages.intake.log.last_id > 50


def test_seals_record_that_the_store_did_not_accept_is_no_edit(
    site: Site, open_store: Opener, signer: Signer, place: Path | str
) -> None:
    lived(site, open_store, signer)
    store = open_store()
    stages = started(site, store, signer)
    stages.tick(END_US + S)
    stages.intake.append(1 << 63, "eva", Acknowledge(1, "eva"))  # a time that no store can hold
    stages.intake.append(END_US + S, "eva", Acknowledge(1, "eva"))
    (left_out,) = store.commit_what_fits(stages.take_writes(END_US + S))
    assert verified(place, signer).problems, "a record is missing, and nothing explains it"
    stages.left_out(END_US + S, left_out)
    store.commit(stages.take_writes(END_US + S))
    assert verified(place, signer).problems == []
    edit(place, "DELETE FROM log WHERE id = (SELECT max(id) FROM log)")
    assert verified(place, signer).problems


PERSON, ANIMAL = '"disposition":"person"', '"disposition":"animal"'
EDITS = {
    "an assessment": f"UPDATE alarm SET value = replace(value, '{PERSON}', '{ANIMAL}') "
    f"WHERE value LIKE '%{PERSON}%'",
    "an alarm closed": "UPDATE alarm SET open = 0 WHERE open = 1",
    "an alarm's time": "UPDATE alarm SET raised_us = raised_us + 1 WHERE id = 1",
    "an alarm's kind": "UPDATE alarm SET kind = 'node_fault' WHERE id = 1",
    "an alarm deleted": "DELETE FROM alarm WHERE id = 2",
    "an alarm inserted": "INSERT INTO alarm VALUES (99, 'intrusion', 'e99', 5, 0, '{}')",
    "detections deleted": "DELETE FROM detection WHERE node = 'n02'",
    "the first detection": "DELETE FROM detection WHERE id = 1",
    "the last detection": "DELETE FROM detection WHERE id = (SELECT max(id) FROM detection)",
    "all detections": "DELETE FROM detection",
    "a detection's class": "UPDATE detection SET class = 'animal' WHERE id = 3",
    "a detection's node": "UPDATE detection SET node = 'n09' WHERE id = 3",
    "a detection's day": f"UPDATE detection SET onset_us = onset_us - {400 * DAY_US} WHERE id = 3",
    "detections renumbered": "UPDATE detection SET id = id + 1000 WHERE id > 5",
    "a message deleted": "DELETE FROM message WHERE id = 4",
    "a message emptied": "UPDATE message SET payload = substr(payload, 1, 0) WHERE id = 4",
    "a message of another kind": "UPDATE message SET kind = 'snippet' WHERE id = 4",
    "the log": "UPDATE log SET value = '{}' WHERE kind = 'Detection' AND id < 20",
    "the log deleted": "DELETE FROM log WHERE kind = 'Detection'",
    "ticks": "DELETE FROM tick WHERE id = 1",
    "monitored time": "UPDATE state SET value = replace(value, '600', '60') "
    "WHERE name LIKE 'watch:%'",
    "monitored time deleted": "DELETE FROM state WHERE name LIKE 'watch:%'",
}


@pytest.mark.parametrize("statement", EDITS.values(), ids=EDITS)
def test_seals_edit_by_plain_sql_is_reported_and_stays_so_after_a_restart(
    statement: str, site: Site, open_store: Opener, signer: Signer, place: Path | str
) -> None:
    lived(site, open_store, signer)
    edit(place, statement)
    assert verified(place, signer).problems
    store = open_store()
    stages = started(site, store, signer)
    stages.tick(END_US + S)
    stages.take(END_US + 2 * S, "eva", Acknowledge(1, "eva", note="late"))
    stages.monitored_time.count(END_US, 60.0, 1)
    store.commit(stages.take_writes(END_US))
    assert verified(place, signer).problems


def test_seals_edited_alarm_is_taken_from_its_history_at_the_next_start_and_recorded(
    site: Site, open_store: Opener, signer: Signer, place: Path | str
) -> None:
    lived(site, open_store, signer)
    edit(place, EDITS["an assessment"])
    stages = started(site, open_store(), signer)
    known = stages.monitor.state.alarms.by_id(1)
    assert known is not None and known.disposition is Disposition.PERSON
    stages.tick(END_US + S)
    rows = [row for row in stages.take_writes(END_US).audit if row.action == "store.edited"]
    assert [row.subject for row in rows] == ["alarm 1"]


def test_seals_open_alarm_that_others_closed_is_open_at_the_next_start(
    site: Site, open_store: Opener, signer: Signer, place: Path | str
) -> None:
    stages = lived(site, open_store, signer)
    expected = [alarm.id for alarm in stages.monitor.state.alarms.open]
    edit(place, EDITS["an alarm closed"])
    snapshot = open_store().load()
    assert (len(expected) > 0, snapshot.edited) == (True, expected)
    again = Stages(site, site_keys(site, ROOT), snapshot)
    assert [alarm.id for alarm in again.monitor.state.alarms.open] == expected


def test_seals_run_that_was_killed_is_sealed_by_the_next_one(
    site: Site, open_store: Opener, signer: Signer, place: Path | str
) -> None:
    store = open_store()
    stages = started(site, store, signer)
    store.commit(stages.take_writes(T0, everything=True))
    node = crossing()
    for uplink in node[:12]:
        play(stages, [uplink])
        writes = stages.take_writes(uplink[0], everything=False)
        store.commit(writes)
    stages.audit.add(T0, "eva", "mask.set", "sector east")
    store.commit(stages.take_writes(T0, everything=False))
    for uplink in node[12:]:
        stages.receive(*uplink)
        store.commit(stages.take_writes(uplink[0], everything=False))
    assert verified(place, signer).unsealed > 10
    after = open_store()  # without the last commit of the run
    stages = started(site, after, signer)
    after.commit(stages.take_writes(END_US, everything=False))
    report = verified(place, signer)
    assert (report.problems, report.unsealed) == ([], 0)


def test_seals_go_on_after_a_version_without_them_ran_in_between(
    site: Site,
    open_store: Opener,
    signer: Signer,
    place: Path | str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uplinks = crossing()
    third = len(uplinks) // 3
    seal = sealing.Sealer._seal
    for turn in range(3):
        store = open_store()
        stages = started(site, store, signer)
        stages.audit.add(T0, "system", STARTED)
        # The second run is one of an earlier version: it stores, and seals nothing.
        monkeypatch.setattr(sealing.Sealer, "_seal", seal if turn != 1 else lambda *_: None)
        play(stages, uplinks[turn * third : (turn + 1) * third])
        stages.monitored_time.count(T0, 700.0, 1)
        store.commit(stages.take_writes(END_US))
        report = verified(place, signer)
        assert report.problems == []
        assert (report.unsealed > 0) == (turn > 0)


def test_seals_wait_for_minutes_or_thousands_of_records(
    site: Site, store: Store, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = started(site, store, signer)
    stages.receive(*crossing()[-1])
    assert stages.take_writes(T0, everything=False).audit == []
    assert stages.take_writes(T0 + sealing.WAIT_US - 1, everything=False).audit == []
    (entry,) = stages.take_writes(T0 + sealing.WAIT_US, everything=False).audit
    assert entry.action == SEALED
    detail = json.loads(entry.detail_json)
    assert detail["records"]["message"][:2] == [0, 1]
    monkeypatch.setattr(sealing, "MAX_WAITING", 3)
    stages.receive(*crossing()[-2])
    stages.receive(*crossing()[-3])
    assert [row.action for row in stages.take_writes(T0, everything=False).audit] == [SEALED]


@pytest.mark.parametrize("days", [8, 40, 400, 4000])
def test_seals_hold_when_records_are_kept_long_enough(
    days: int, site: Site, open_store: Opener, signer: Signer, place: Path | str
) -> None:
    lived(site, open_store, signer)
    store = open_store()
    stages = started(site, store, signer)
    now_us = T0 + days * DAY_US
    for _ in range(60):
        expired = store.expired(Retention().cuts(now_us))
        stages.eraser.step(now_us, expired)
        store.commit(stages.take_writes(now_us))
        if not expired:
            break
    assert verified(place, signer).problems == []
    edit(place, "DELETE FROM checkpoint")
    assert verified(place, signer).problems
