# SPDX-License-Identifier: MIT
"""What was refused leaves its head, bounded in rate, number and size; gaps are ranges."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.intake.authentication.sequence import SEQ_MAX, DurableSequence
from gateway.intake.quarantine import Quarantine
from gateway.model.place.site import Site
from gateway.service.stages import Stages
from gateway.store.interface import Writes
from gateway.store.sqlite import SqliteStore
from tests.gateway.played_node import ROOT, PlayedNode, write_site
from tests.gateway.test_pipeline import T0, S


@pytest.fixture
def site(tmp_path: Path) -> Site:
    write_site(tmp_path)
    return load_site(tmp_path / "site.toml")


def test_quarantine_of_a_flood_is_a_few_rows_a_minute() -> None:
    quarantine, writes = Quarantine(), Writes()
    for second in range(120):
        for node in range(50):
            for _ in range(20):
                quarantine.add(T0 + second * S, "bad_tag", f"n{node}", "t" * 999, b"x" * 9999)
    quarantine.collect(writes)
    assert len(writes.quarantine) == 200
    assert [row.id for row in writes.quarantine] == list(range(1, 201))
    first = writes.quarantine[0]
    assert (first.size, len(first.head), len(first.topic)) == (9999, 64, 64)


def test_quarantine_rows_show_what_was_tried_and_go_on_after_a_restart(site: Site) -> None:
    store, node = SqliteStore(None), PlayedNode("n01")
    for turn in range(3):
        pipeline = Stages(site, site_keys(site, ROOT), store.load())
        pipeline.uplink(T0 + turn * 100 * S, node.up, node.detection(1)[:-1] + b"\0")
        pipeline.uplink(T0 + turn * 100 * S, "else\0where\ud800", b"hello")
        writes = pipeline.take_writes()
        store.commit(writes)
        store.commit(writes)
    rows = (
        store._open_db().execute("SELECT id, reason, node, topic, size FROM quarantine").fetchall()
    )
    assert [row[0] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[0][1:4] == ("bad_tag", "n01", node.up)
    assert rows[1][1:] == ("bad_topic", "-", "else?where?", 5)


def test_quarantine_clock_set_back_goes_on() -> None:
    quarantine, writes = Quarantine(), Writes()
    for at_us in (T0, T0 - 10**14, T0):
        for _ in range(30):
            quarantine.add(at_us, "bad_tag", "n01", "t", b"")
    quarantine.collect(writes)
    assert len(writes.quarantine) == 30


def test_sequence_gaps_are_ranges_until_they_are_filled_or_given_up() -> None:
    sequence = DurableSequence()
    for seq in (1, 2, 5, 6, 9, 12):
        sequence.see(seq)
    assert sequence.gaps() == [(3, 4), (7, 8), (10, 11)]
    assert sequence.newest == 12
    for seq in (3, 4, 10):
        sequence.see(seq)
    assert sequence.gaps() == [(7, 8), (11, 11)]
    assert sequence.gaps(upto=15) == [(7, 8), (11, 11), (13, 15)]
    assert sequence.gaps(upto=7) == [(7, 7)]
    assert sequence.give_up(8) == 2
    assert sequence.gaps() == [(11, 11)]
    sequence.see(11)
    assert (sequence.gaps(), sequence.whole) == ([], True)
    assert DurableSequence().gaps(upto=SEQ_MAX) == [(1, SEQ_MAX)]


def test_pipeline_gaps_of_a_node_are_known_filled_and_kept_over_a_restart(site: Site) -> None:
    store, node = SqliteStore(None), PlayedNode("n01")
    pipeline = Stages(site, site_keys(site, ROOT), store.load())
    sent = [node.detection(1000 * number) for number in range(8)]
    for index in (0, 3, 6):
        pipeline.uplink(T0 + index, node.up, sent[index])
    assert pipeline.intake.completeness.gaps("n01") == [(1, 2, 3), (1, 5, 6)]
    assert pipeline.intake.completeness.gaps("n02") == []
    store.commit(pipeline.take_writes())
    pipeline = Stages(site, site_keys(site, ROOT), store.load())
    assert pipeline.intake.completeness.gaps("n01") == [(1, 2, 3), (1, 5, 6)]
    for index in (1, 2):
        pipeline.uplink(T0 + 10 + index, node.up, sent[index])
    assert pipeline.intake.completeness.gaps("n01") == [(1, 5, 6)]
    assert pipeline.intake.registry.views["n01"].backfilled == 2
    pipeline.uplink(T0 + 20, node.up, node.hello(9000, oldest_seq=7))
    view = pipeline.intake.registry.views["n01"]
    assert (pipeline.intake.completeness.gaps("n01"), view.gone, view.records_dropped) == (
        [],
        [[1, 5, 6]],
        2,
    )
