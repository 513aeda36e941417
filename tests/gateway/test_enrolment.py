# SPDX-License-Identifier: MIT
"""The enrolment journal: what stands, what was tampered with, what a power cut leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.enrolment import Enrolment, EnrolmentLog, Entry, KeyAct
from gateway.errors import ConfigError
from gateway.keys import derive, node_key
from tests.gateway.played_node import ROOT, SITE


def entry(act: KeyAct, node: str = "n01", generation: int = 1, board: str = "e661", floor: int = 0):
    at = "2026-11-25T16:00:00+00:00"
    return Entry(0, at, act, node, generation, board, floor, "anna", "night shift")


@pytest.fixture
def journal(tmp_path: Path) -> EnrolmentLog:
    return EnrolmentLog(tmp_path / "enrolment.jsonl", ROOT)


def fill(journal: EnrolmentLog, *entries: Entry) -> None:
    with journal.locked():
        for one in entries:
            journal.append(one)


def test_enrolment_node_without_an_entry_has_generation_1() -> None:
    rings = Enrolment().key_rings(SITE, ["n01"], ROOT)
    assert rings["n01"].accepted == (derive(node_key(ROOT, SITE, "n01", 1)),)
    assert rings["n01"].barred == ()


def test_enrolment_rotation_keeps_the_old_key_until_the_new_one_is_proven(journal) -> None:
    fill(journal, entry(KeyAct.OFFER), entry(KeyAct.PROVE), entry(KeyAct.OFFER, generation=2))
    assert journal.read().of("n01").accepted == (1, 2)
    fill(journal, entry(KeyAct.PROVE, generation=2))
    assert journal.read().of("n01").accepted == (2,)


def test_enrolment_replacement_ends_the_lost_boards_key_at_once(journal) -> None:
    fill(journal, entry(KeyAct.PROVE), entry(KeyAct.REPLACE, generation=2, floor=41))
    standing = journal.read().of("n01")
    assert standing.accepted == (2,)
    assert standing.floor == 41
    assert journal.read().node_of("e661") is None


def test_enrolment_revoked_node_has_no_key_and_is_known_by_its_last(journal) -> None:
    fill(journal, entry(KeyAct.PROVE, generation=3), entry(KeyAct.REVOKE, generation=3))
    ring = journal.read().key_rings(SITE, ["n01"], ROOT)["n01"]
    assert ring.accepted == ()
    assert ring.mqtt_passwords == ()
    assert ring.barred == (derive(node_key(ROOT, SITE, "n01", 3)),)


def test_journal_cut_at_every_byte_reads_and_goes_on(journal, tmp_path) -> None:
    fill(journal, *(entry(KeyAct.PROVE, generation=number) for number in (1, 2, 3)))
    data = journal.path.read_bytes()
    for size in range(len(data) + 1):
        journal.path.write_bytes(data[:size])
        whole = data[:size].count(b"\n")
        assert len(journal.history()) == whole
        fill(journal, entry(KeyAct.PROVE, node="n02"))
        assert len(journal.history()) == whole + 1


def test_journal_any_changed_byte_is_seen(journal) -> None:
    fill(journal, entry(KeyAct.PROVE), entry(KeyAct.REVOKE), entry(KeyAct.PROVE, node="n02"))
    data = journal.path.read_bytes()
    for at in range(len(data) - 1):
        bad = bytearray(data)
        bad[at] ^= 1
        journal.path.write_bytes(bad)
        with pytest.raises(ConfigError, match="altered"):
            journal.history()


def test_journal_line_left_out_or_of_another_root_is_seen(journal, tmp_path) -> None:
    fill(journal, entry(KeyAct.PROVE), entry(KeyAct.REVOKE), entry(KeyAct.PROVE, node="n02"))
    lines = journal.path.read_bytes().splitlines(keepends=True)
    with pytest.raises(ConfigError, match="fleet key"):
        EnrolmentLog(journal.path, bytes(32)).history()
    journal.path.write_bytes(lines[0] + lines[2])
    with pytest.raises(ConfigError, match="line 2"):
        journal.history()


@pytest.mark.parametrize("line", [b"[]", b"null", b"{}", b'"x"', b'{"mac":"00"}', b"[" * 100_000])
def test_journal_hostile_line_is_refused_in_one_sentence(journal, line) -> None:
    journal.path.write_bytes(line + b"\n")
    with pytest.raises(ConfigError, match="line 1") as refused:
        journal.history()
    assert "\n" not in str(refused.value)


def test_journal_second_writer_must_wait(journal, tmp_path) -> None:
    other = EnrolmentLog(journal.path, ROOT)
    with journal.locked(), pytest.raises(ConfigError, match="wait"), other.locked():
        pass


def test_journal_holds_no_key(journal) -> None:
    fill(journal, entry(KeyAct.PROVE))
    text = journal.path.read_text()
    assert node_key(ROOT, SITE, "n01").hex() not in text
    assert set(json.loads(text)) >= {"by", "why", "at", "board"}
