# SPDX-License-Identifier: MIT
"""The verifier against attackers who hold the database: each attack on a real store is detected."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.alarms import Acknowledge
from gateway.audit import chain, head, keys
from gateway.audit.checkpoint import Signer, signed_bytes
from gateway.audit.head import HeadFile
from gateway.audit.log import AuditLog
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.service.stages import Stages
from gateway.store.sqlite import SqliteStore
from tests.gateway.played_node import ROOT, write_site
from tests.gateway.test_pipeline import T0, S, crossing, play
from tools.cli import main

COLUMNS = "id, at_us, actor, action, subject, reason, until_us, detail_json, salt"


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a gateway that ran three times, with alarms, an operator and masks."""
    folder = tmp_path_factory.mktemp("honest")
    write_site(folder)
    site = load_site(folder / "site.toml")
    signer = Signer(keys.load_or_create(folder))
    uplinks = crossing()
    third = len(uplinks) // 3
    store = SqliteStore(folder / "groundwatch.db")
    store.open()
    sidecar = HeadFile(folder / head.NAME)
    for turn in range(3):
        log = AuditLog(lambda: b"0123456789abcdef", signer)
        pipeline = Stages(site, site_keys(site, ROOT), store.load(), audit=log)
        for number, uplink in enumerate(uplinks[turn * third : (turn + 1) * third]):
            play(pipeline, [uplink])
            if number % 10 == 0:
                log.add(uplink[0], "eva", "mask.set", "sector west", "cows", uplink[0] + 9 * S)
            writes = pipeline.take_writes()
            store.commit(writes)
            sidecar.committed(writes)
        if turn == 0:
            edit(folder, f"VACUUM INTO '{folder / 'yesterday.db'}'")
    pipeline.take(T0 + 1000 * S, "eva", Acknowledge(1, "eva"))
    writes = pipeline.take_writes()
    store.commit(writes)
    sidecar.committed(writes)
    store.close()
    return folder


@pytest.fixture
def folder(honest: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "site"))


def verdict(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    status = main(["audit", "verify", str(folder / "groundwatch.db"), *more])
    printed = capsys.readouterr()
    return status, printed.out + printed.err


def edit(folder: Path, *statements: str) -> None:
    db = sqlite3.connect(folder / "groundwatch.db")
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


def restamp(folder: Path) -> None:
    """What a forger without the key does after a change: number and chain everything again."""
    db = sqlite3.connect(folder / "groundwatch.db")
    rows = db.execute(f"SELECT {COLUMNS} FROM audit ORDER BY id").fetchall()
    db.execute("DELETE FROM audit")
    link = chain.GENESIS
    for number, row in enumerate(rows, 1):
        content = (number, *row[1:])
        digest = chain.digest(*content)
        link = chain.link(link, digest)
        db.execute(f"INSERT INTO audit VALUES ({'?,' * 10}?)", (*content, digest, link))
    db.commit()
    db.close()


def newest(folder: Path) -> int:
    db = sqlite3.connect(folder / "groundwatch.db")
    number = int(db.execute("SELECT max(id) FROM audit").fetchone()[0])
    db.close()
    return number


def test_verify_of_an_honest_store_holds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, output = verdict(folder, capsys)
    assert status == 0, output
    assert output.startswith(f"holds: {newest(folder)} entries, 0 erased")
    assert newest(folder) > 15
    status, output = verdict(folder, capsys, "--json")
    report = json.loads(output)
    assert report["holds"] is True
    assert report["history"] > 9
    noted = f"{report['newest']}:{report['code']}"
    assert verdict(folder, capsys, "--noted", noted)[0] == 0


EVA = "WHERE id = (SELECT min(id) FROM audit WHERE action = 'mask.set')"
ATTACKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "edit": (lambda f: edit(f, f"UPDATE audit SET actor = 'tom' {EVA}"), "content was changed"),
    "edit_time": (lambda f: edit(f, f"UPDATE audit SET at_us = 5 {EVA}"), "content was changed"),
    "edit_until": (
        lambda f: edit(f, f"UPDATE audit SET until_us = NULL {EVA}"),
        "content was changed",
    ),
    "edit_digest_too": (lambda f: _edit_with_digest(f), "does not follow"),
    "delete": (lambda f: edit(f, "DELETE FROM audit WHERE id = 7"), "entry 7: missing"),
    "delete_first": (lambda f: edit(f, "DELETE FROM audit WHERE id = 1"), "entry 1: missing"),
    "delete_and_renumber": (
        lambda f: edit(
            f,
            "DELETE FROM audit WHERE id = 7",
            "UPDATE audit SET id = -id WHERE id > 7",
            "UPDATE audit SET id = -id - 1 WHERE id < 0",
        ),
        "content was changed",
    ),
    "insert": (lambda f: _append(f), "no checkpoint signs it"),
    "insert_amid_and_restamp": (lambda f: _insert_amid(f), "computed again"),
    "truncate": (
        lambda f: edit(
            f, "DELETE FROM audit WHERE id > 9", "DELETE FROM checkpoint WHERE number > 9"
        ),
        "signed once, and no longer there",
    ),
    "truncate_entries_only": (
        lambda f: edit(f, "DELETE FROM audit WHERE id > 9"),
        "signed once, and no longer there",
    ),
    "empty": (lambda f: edit(f, "DELETE FROM audit", "DELETE FROM checkpoint"), "no longer there"),
    "restamp": (
        lambda f: (edit(f, f"UPDATE audit SET reason = '' {EVA}"), restamp(f))[0],
        "computed again",
    ),
    "restamp_without_checkpoints": (
        lambda f: (
            edit(f, f"UPDATE audit SET reason = '' {EVA}", "DELETE FROM checkpoint"),
            restamp(f),
        )[0],
        "computed again",
    ),
    "restamp_under_another_key": (lambda f: _resign(f), "key that was not given"),
    "erase_without_an_entry": (
        lambda f: edit(
            f,
            "UPDATE audit SET at_us = NULL, actor = NULL, action = NULL, subject = NULL, "
            f"reason = NULL, until_us = NULL, detail_json = NULL, salt = NULL {EVA}",
        ),
        "erased, and no entry records it",
    ),
    "history_edited": (
        lambda f: edit(f, "UPDATE alarm_history SET by = 'tom' WHERE change = 'acknowledged'"),
        "changed after it was written",
    ),
    "history_deleted": (
        lambda f: edit(f, "DELETE FROM alarm_history WHERE change = 'acknowledged'"),
        "it is not there",
    ),
    "history_inserted": (
        lambda f: edit(f, "INSERT INTO alarm_history VALUES (999, 1, 5, 'cleared', 'tom', '{}')"),
        "no entry records it",
    ),
    "signature_forged": (
        lambda f: edit(f, "UPDATE checkpoint SET signature = zeroblob(64) WHERE number > 9"),
        "signature is not of the given key",
    ),
    "types_of_rows": (
        lambda f: edit(
            f,
            "CREATE TABLE loose AS SELECT * FROM audit",
            "DROP TABLE audit",
            "ALTER TABLE loose RENAME TO audit",
            "UPDATE audit SET digest = 'text' WHERE id = 5",
        ),
        "entry 5: malformed",
    ),
    "detail_is_no_json": (
        lambda f: (edit(f, f"UPDATE audit SET detail_json = '[[' {EVA}"), restamp(f))[0],
        "malformed",
    ),
}


def _edit_with_digest(folder: Path) -> None:
    db = sqlite3.connect(folder / "groundwatch.db")
    row = db.execute(f"SELECT {COLUMNS} FROM audit {EVA}").fetchone()
    content = (row[0], row[1], "tom", *row[3:])
    with db:
        values = ("tom", chain.digest(*content), row[0])
        db.execute("UPDATE audit SET actor = ?, digest = ? WHERE id = ?", values)
    db.close()


def _append(folder: Path) -> None:
    db = sqlite3.connect(folder / "groundwatch.db")
    number, link = db.execute("SELECT id, link FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    content = (number + 1, 5, "eva", "mask.set", "sector east", "", None, "{}", b"")
    digest = chain.digest(*content)
    with db:
        values = (*content, digest, chain.link(link, digest))
        db.execute(f"INSERT INTO audit VALUES ({'?,' * 10}?)", values)
    db.close()


def _insert_amid(folder: Path) -> None:
    edit(
        folder,
        "UPDATE audit SET id = -id WHERE id > 7",
        "UPDATE audit SET id = 1 - id WHERE id < 0",
        f"INSERT INTO audit SELECT 8, {', '.join(COLUMNS.split(', ')[1:])}, digest, link "
        "FROM audit WHERE id = 7",
    )
    restamp(folder)


def _resign(folder: Path) -> None:
    edit(folder, f"UPDATE audit SET reason = '' {EVA}")
    restamp(folder)
    forger = Signer(Ed25519PrivateKey.generate())
    db = sqlite3.connect(folder / "groundwatch.db")
    with db:
        db.execute("DELETE FROM checkpoint")
        for number, link, at_us in db.execute("SELECT id, link, at_us FROM audit").fetchall():
            signature = forger.sign(signed_bytes(number, link, at_us))
            values = (number, link, at_us, forger.key_id, signature)
            db.execute("INSERT INTO checkpoint VALUES (?, ?, ?, ?, ?)", values)
    db.close()


@pytest.mark.parametrize("attack", ATTACKS)
def test_verify_of_an_attacked_store_reports_the_change(
    attack: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    do, expected = ATTACKS[attack]
    do(folder)
    status, output = verdict(folder, capsys)
    assert status == 1, output
    assert expected in output
    assert output.splitlines()[-1].startswith("CHANGED")


def test_verify_of_a_store_restored_from_an_old_copy_fails_by_head_or_paper(
    folder: Path, honest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    last = newest(folder)
    code = json.loads(verdict(folder, capsys, "--json")[1])["code"]
    (folder / "yesterday.db").replace(folder / "groundwatch.db")
    assert "no longer there" in verdict(folder, capsys)[1]
    (folder / head.NAME).unlink()
    status, output = verdict(folder, capsys)
    assert status == 0
    assert "cannot be seen" in output
    status, output = verdict(folder, capsys, "--noted", f"{last}:{code[:8]}")
    assert (status, f"entry {last}: written down" in output) == (1, True)


def test_verify_while_a_gateway_writes_reads_one_moment(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = SqliteStore(folder / "groundwatch.db")
    store.open()
    status, output = verdict(folder, capsys)
    assert status == 0, output
    store.close()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nothing.db"], "there is no store"),
        (["groundwatch.db", "--key", "site.toml"], "holds no Ed25519 public key"),
        (["groundwatch.db", "--key", "none.pub"], "cannot read the public key"),
        (["groundwatch.db", "--head", "site.toml"], "is no head file"),
        (["groundwatch.db", "--noted", "7"], "must be like"),
        (["site.toml"], "neither a store nor an export"),
    ],
)
def test_verify_of_what_is_not_evidence_is_one_line_and_status_2(
    arguments: list[str],
    expected: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    status = main(["audit", "verify", *arguments])
    error = capsys.readouterr().err
    assert (status, expected in error, error.count("\n")) == (2, True, 1), error
