# SPDX-License-Identifier: MIT
"""Records are kept no longer than they may be: nothing of them is left in any file of the store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.alarms import Acknowledge
from gateway.audit import database, head, keys
from gateway.audit.checkpoint import Signer
from gateway.audit.head import HeadFile
from gateway.audit.log import AuditLog
from gateway.audit.verify import by_id, verify
from gateway.config import load_config
from gateway.config.retention import DAY_US, MAX_DAYS, RecordClass, Retention
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.errors import ConfigError
from gateway.service.service import Service
from gateway.service.stages import Stages
from gateway.store import sql_erase
from gateway.store.interface import QuarantineRow, Writes
from gateway.store.sqlite import SqliteStore
from gateway.wire.messages import Snippet, SnippetEncoding
from tests.gateway.played_node import ROOT, PlayedNode, until, write_config, write_site
from tests.gateway.test_pipeline import T0, S, crossing, play

MARK = b"MARKER-7f3a"
TEXT = MARK.decode()


class Kept:
    """A store with a marker in every class of records, and what runs it at a given time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_site(folder)
        self.site = load_site(folder / "site.toml")
        self.signer = Signer(keys.load_or_create(folder))
        self.store = SqliteStore(folder / "groundwatch.db")
        self.store.open()
        self.pipeline = self.start()
        play(self.pipeline, crossing())
        node = PlayedNode("n04", boot=2)
        data = MARK * 40
        snippet = Snippet(
            t_ms=1, command_id=1, fs_hz=250, index=0, total=1,
            encoding=SnippetEncoding.MULAW8, data=data,
        )  # fmt: skip
        end = T0 + 900 * S
        self.pipeline.uplink(end, node.up, node.seal(snippet, 1))
        self.pipeline.tick(end)
        for number in (1, 2, 3):
            self.pipeline.take(end, "eva", Acknowledge(number, TEXT, note=TEXT))
        self.pipeline.audit.add(end, TEXT, "mask.set", TEXT, TEXT, None, {"note": TEXT})
        writes = self.pipeline.take_writes()
        writes.quarantine.append(QuarantineRow(1, end, "bad_tag", "n01", TEXT, 99, MARK))
        self.store.commit(writes)

    def start(self) -> Stages:
        log = AuditLog(lambda: b"0123456789abcdef", self.signer)
        return Stages(self.site, site_keys(self.site, ROOT), self.store.load(), audit=log)

    def hits(self) -> dict[str, int]:
        return {
            path.name: count
            for path in self.folder.glob("groundwatch.db*")
            if (count := path.read_bytes().count(MARK))
        }

    async def run_at(self, now_us: int, retention: Retention | None = None) -> None:
        sidecar = HeadFile(self.folder / head.NAME)
        service = Service(
            self.pipeline, self.store, lambda: now_us, lambda _: None, sidecar.committed,
            retention=retention,
        )  # fmt: skip
        service.start()
        task = asyncio.create_task(service.run())
        timer = service._retention
        await until(lambda: not timer.due(now_us) and not timer.untidy, 30)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.store.close()


async def test_retention_past_its_time_leaves_no_hit_and_a_chain_that_holds(kept: Kept) -> None:
    assert sum(kept.hits().values()) > 40
    await kept.run_at(T0 + 4000 * DAY_US)
    kept.pipeline = kept.start()
    await kept.run_at(T0 + 4001 * DAY_US)
    assert kept.hits() == {}
    with database.evidence(kept.folder / "groundwatch.db") as given:
        given.head = head.load(kept.folder / head.NAME)
        report = verify(given, by_id([kept.signer.public]))
    assert report.problems == []
    assert report.erased > 10
    assert report.history == 0
    db = kept.store._open_db()
    for table in ("message", "detection", "alarm", "alarm_history", "quarantine"):
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    actions = db.execute("SELECT DISTINCT action FROM audit WHERE action IS NOT NULL").fetchall()
    assert set(actions) == {("retention.erase",), ("records.seal",)}


async def test_retention_of_one_class_leaves_the_others(kept: Kept) -> None:
    day = Retention().snippets + 2
    await kept.run_at(T0 + day * DAY_US)
    db = kept.store._open_db()
    kinds = {row[0] for row in db.execute("SELECT DISTINCT kind FROM message")}
    assert kinds == {"hello", "detection"}
    entries = db.execute("SELECT subject, detail_json FROM audit WHERE action = 'retention.erase'")
    assert [row[0] for row in entries] == ["snippets"]
    assert kept.store.load().last_history_id > 9


async def test_retention_of_many_rows_goes_in_portions_under_one_entry(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_erase, "MAX_ERASED", 3)
    await kept.run_at(T0 + 400 * DAY_US)
    db = kept.store._open_db()
    assert db.execute("SELECT count(*) FROM message").fetchone() == (0,)
    erased_by_class = db.execute(
        "SELECT json_extract(detail_json, '$.class'), count(*) FROM audit "
        "WHERE action = 'retention.erase' GROUP BY 1"
    ).fetchall()
    assert dict(erased_by_class) == {
        "snippets": 1,
        "messages": 1,
        "detections": 1,
        "alarms": 1,
        "quarantine": 1,
    }


async def test_retention_counts_and_numbers_go_on_when_their_rows_are_gone(kept: Kept) -> None:
    before = kept.store.load()
    await kept.run_at(T0 + 4000 * DAY_US)
    after = kept.store.load()
    for name in ("messages", "detections", "last_alarm_id", "last_history_id"):
        assert getattr(after, name) == getattr(before, name) > 0


async def test_retention_beyond_a_gap_a_copy_is_still_known_as_one(kept: Kept) -> None:
    node = PlayedNode("n01", boot=9)
    sent = [node.detection(1000 * number) for number in range(4)]
    for data in (sent[0], sent[2], sent[3]):
        kept.pipeline.uplink(T0 + 901 * S, node.up, data)
    kept.store.commit(kept.pipeline.take_writes())
    await kept.run_at(T0 + 4000 * DAY_US)
    again = kept.start()
    later = T0 + 4001 * DAY_US
    assert [again.uplink(later, node.up, data).duplicate for data in sent] == [
        True, False, True, True,
    ]  # fmt: skip
    rows = kept.store._open_db().execute("SELECT boot, seq, payload FROM message").fetchall()
    assert rows == [(9, 3, b""), (9, 4, b"")]


async def test_retention_clock_set_back_for_a_while_erases_no_young_entry(kept: Kept) -> None:
    kept.pipeline.audit.add(T0 - 5000 * DAY_US, "eva", "mask.set", "sector west", "clock of 2013")
    kept.store.commit(kept.pipeline.take_writes())
    await kept.run_at(T0 + 5 * DAY_US)
    erased = kept.store._open_db().execute("SELECT count(*) FROM audit WHERE digest IS NOT NULL "
                                           "AND action IS NULL").fetchone()  # fmt: skip
    assert erased == (0,)


async def test_retention_during_a_read_is_tidied_after_it(kept: Kept) -> None:
    with database.evidence(kept.folder / "groundwatch.db") as given:
        assert next(iter(given.entries))
        assert kept.store.tidy() is False
    assert kept.store.tidy() is True


def test_quarantine_keeps_the_newest_thousand(kept: Kept) -> None:
    for start in range(2, 3002, 500):
        rows = [
            QuarantineRow(number, T0, "bad_tag", "n01", "t", 1, b"x")
            for number in range(start, start + 500)
        ]
        kept.store.commit(Writes(quarantine=rows))
    numbers = kept.store._open_db().execute("SELECT min(id), max(id), count(*) FROM quarantine")
    assert numbers.fetchone() == (2002, 3001, 1000)


@pytest.mark.parametrize("kept_class", RecordClass)
def test_retention_beyond_the_longest_time_is_refused(
    kept_class: RecordClass, tmp_path: Path
) -> None:
    most = MAX_DAYS[kept_class]
    path = write_config(tmp_path, 'kind = "embedded"')
    plain = path.read_text()
    path.write_text(f"{plain}\n[retention]\n{kept_class.value}_days = {most}\n")
    assert load_config(path).retention.days(kept_class) == most
    for days in (most + 1, 0, -1):
        path.write_text(f"{plain}\n[retention]\n{kept_class.value}_days = {days}\n")
        with pytest.raises(ConfigError, match=f"a whole number 1 to {most}"):
            load_config(path)
