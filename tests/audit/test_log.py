# SPDX-License-Identifier: MIT
"""Audit entries: chained in order, kept with what they are about, gone on with after a restart."""

from __future__ import annotations

from gateway.audit import chain
from gateway.audit.log import AuditLog
from gateway.store.interface import AuditRow, Snapshot, Writes
from gateway.store.sqlite import SqliteStore


def rows_of(store: SqliteStore) -> list[AuditRow]:
    return [AuditRow(*row) for row in store._open_db().execute("SELECT * FROM audit ORDER BY id")]


def test_audit_entries_each_cover_the_one_before() -> None:
    log, writes = AuditLog(lambda: b"s" * 16), Writes()
    log.add(5, "eva", "mask.set", "sector east", "cows", until_us=9, detail={"b": 1, "a": 2})
    log.add(6, "system", "purge")
    log.collect(writes)
    head = chain.GENESIS
    for row in writes.audit:
        assert row.digest == chain.digest(*row[:9])
        head = chain.link(head, row.digest)
        assert row.link == head
    assert [row.id for row in writes.audit] == [1, 2]
    assert writes.audit[0].detail_json == '{"a":2,"b":1}'
    assert log.head == (2, head)


def test_audit_same_content_with_another_salt_gives_another_digest() -> None:
    digests = {
        chain.digest(1, 5, "eva", "mask.set", "", "", None, "{}", bytes([n]) * 16) for n in range(9)
    }
    assert len(digests) == 9


def test_audit_log_restarted_goes_on_with_the_chain() -> None:
    whole, store = AuditLog(), SqliteStore(None)
    for number in range(6):
        log = AuditLog()
        log.restore(store.load())
        writes = Writes()
        for each in (log, whole):
            each.add(number, "eva", "mask.set", f"sector {number}")
        log.collect(writes)
        store.commit(writes)
        store.commit(writes)  # of unknown outcome, and so repeated
    expected = Writes()
    whole.collect(expected)
    assert rows_of(store) == expected.audit


def test_audit_log_of_an_empty_store_begins_at_the_genesis() -> None:
    log = AuditLog()
    log.restore(Snapshot())
    assert log.head == (0, chain.GENESIS)


def test_audit_text_no_store_can_hold_is_made_plain() -> None:
    log, writes, store = AuditLog(), Writes(), SqliteStore(None)
    log.add(1, "e\ud800va", "mask.set", "sector\0", "cows\n\x1b[2Jagain")
    log.collect(writes)
    store.commit(writes)
    assert rows_of(store) == writes.audit
    assert writes.audit[0][2:6] == ("e va", "mask.set", "sector ", "cows  [2Jagain")


def test_audit_text_beyond_its_bound_is_cut() -> None:
    log, writes = AuditLog(), Writes()
    log.add(1, "e" * 9000, "mask.set", "s" * 9000, "r" * 9000)
    log.collect(writes)
    row = writes.audit[0]
    assert {len(text) for text in (row.actor, row.subject, row.reason)} == {500}
