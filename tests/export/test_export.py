# SPDX-License-Identifier: MIT
"""An incident as a signed file: its content, what it leaves out, and that changes are detected."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.audit import keys
from gateway.audit.checkpoint import EXPORT_PREFIX, Signer
from gateway.audit.log import AuditLog
from gateway.config import load_config
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.model.actions.acts import Acknowledge, SetMask
from gateway.service.stages import Stages
from gateway.store.sqlite import SqliteStore
from gateway.wire.messages import Snippet, SnippetEncoding
from tests.gateway.played_node import ROOT, PlayedNode, write_config
from tests.gateway.test_pipeline import T0, S, crossing, play
from tools.cli import main

WAVE = bytes(range(100, 200))


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose gateway saw three walks, a mask, a waveform and an acknowledgement."""
    folder = tmp_path_factory.mktemp("ran")
    write_config(folder, 'kind = "embedded"\nport = 0')
    site = load_site(folder / "site.toml")
    signer = Signer(keys.load_or_create(folder / "data"))
    store = SqliteStore(folder / "data" / "groundwatch.db")
    store.open()
    log = AuditLog(lambda: b"0123456789abcdef", signer)
    pipeline = Stages(site, site_keys(site, ROOT), store.load(), audit=log)
    pipeline.take(T0, "eva", SetMask("eva", "ploughing", T0 + 10 * S, nodes=("n04",)))
    store.commit(pipeline.take_writes())
    for uplink in crossing():
        play(pipeline, [uplink])
        store.commit(pipeline.take_writes())
    node = PlayedNode("n02", boot=7)
    snippet = Snippet(
        t_ms=5,
        command_id=1,
        fs_hz=250,
        index=0,
        total=1,
        encoding=SnippetEncoding.MULAW8,
        data=WAVE,
    )
    pipeline.uplink(T0 + 100 * S, node.up, node.seal(snippet, 1))
    pipeline.tick(T0 + 900 * S)
    pipeline.take(
        T0 + 901 * S, "eva", Acknowledge(2, "secretive", note="nothing to do with alarm 1")
    )
    pipeline.take(T0 + 902 * S, "eva", Acknowledge(1, "eva"))
    store.commit(pipeline.take_writes())
    store.close()
    return folder


@pytest.fixture
def folder(ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = Path(shutil.copytree(ran, tmp_path / "site"))
    monkeypatch.chdir(copy)
    return copy


def export(*more: str) -> int:
    return main(["export", "1", "--by", "eva", "--reason", "case 7/26", "--out", "x.jsonl", *more])


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "x.jsonl").read_text().splitlines()]


def verdict(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    capsys.readouterr()
    status = main(["audit", "verify", "x.jsonl", "--key", "data/audit.pub", *more])
    printed = capsys.readouterr()
    return status, printed.out + printed.err


def test_export_of_an_alarm_holds_all_that_belongs_to_it_and_no_more(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export() == 0
    made = lines(folder)
    kinds = {str(line["type"]) for line in made}
    assert kinds == {
        "export", "alarm", "history", "detection", "message", "waveform", "chain", "audit",
        "digest", "checkpoint", "signature",
    }  # fmt: skip
    first = made[0]
    assert (first["site"], first["by"], first["reason"]) == ("yard", "eva", "case 7/26")
    assert [line["data"] for line in made if line["type"] == "waveform"] == [WAVE.hex()]
    assert len([line for line in made if line["type"] == "detection"]) == 12
    actions = [line["action"] for line in made if line["type"] == "audit"]
    assert {"mask.set", "alarm.acknowledge", "history.raised", "export.incident"} <= set(actions)
    assert "secretive" not in (folder / "x.jsonl").read_text()
    status, output = verdict(capsys)
    assert status == 0, output
    assert "holds" in output


def test_export_is_signed_so_that_openssl_can_check_it_alone(folder: Path) -> None:
    assert export() == 0
    whole = (folder / "x.jsonl").read_bytes()
    *body, last = whole.splitlines(keepends=True)
    (folder / "body").write_bytes(EXPORT_PREFIX + b"".join(body))
    (folder / "signature").write_bytes(bytes.fromhex(json.loads(last)["signature"]))
    ran = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "data/audit.pub", "-rawin",
         "-in", "body", "-sigfile", "signature"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Signature Verified Successfully" in ran.stdout


TAMPERING: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "byte": (lambda data: data.replace(b'"target', b'"tarGet', 1), "changed after it was signed"),
    "line_removed": (
        lambda data: b"\n".join(data.split(b"\n")[:2] + data.split(b"\n")[3:]),
        "changed after it was signed",
    ),
    "history_edited": (
        lambda data: data.replace(b'"acknowledged","by":"eva"', b'"acknowledged","by":"tom"'),
        "changed after it was signed",
    ),
    "entry_edited": (lambda data: data.replace(b"ploughing", b"loughings"), "content was changed"),
    "unsigned": (
        lambda data: b"\n".join(data.split(b"\n")[:-2]) + b"\n",
        "ends without its signature",
    ),
    "cut": (lambda data: data[: len(data) // 2], "ends without its signature"),
}


def test_export_of_an_alarm_that_was_edited_in_the_store_fails_verification(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(folder / "data" / "groundwatch.db")) as db, db:
        db.execute('UPDATE alarm SET value = replace(value, \'"note":"\', \'"note":"not \')')
    assert export() == 0
    status, output = verdict(capsys)
    assert (status, "alarm 1: not as its history has it" in output) == (1, True), output


@pytest.mark.parametrize("way", TAMPERING)
def test_export_that_was_tampered_with_fails_verification(
    way: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export() == 0
    change, expected = TAMPERING[way]
    path = folder / "x.jsonl"
    before = path.read_bytes()
    path.write_bytes(change(before))
    assert path.read_bytes() != before
    status, output = verdict(capsys)
    assert (status, expected in output) == (1, True), output


def test_export_signed_again_with_another_key_fails_verification(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export() == 0
    forger = Signer(keys.load_or_create(folder / "forger"))
    *body, _last = (folder / "x.jsonl").read_bytes().splitlines(keepends=True)
    text = b"".join(body).replace(b"ploughing", b"ploughings")
    signature = forger.sign(EXPORT_PREFIX + text).hex()
    end = {"type": "signature", "key_id": forger.key_id.hex(), "signature": signature}
    (folder / "x.jsonl").write_bytes(text + json.dumps(end).encode() + b"\n")
    status, output = verdict(capsys)
    assert (status, "key that was not given" in output) == (1, True)
    # With the forger's key accepted, the checkpoints of the chain are still of another key.
    status, output = verdict(capsys, "--key", "forger/audit.pub")
    assert (status, "content was changed" in output) == (1, True)


async def test_export_beside_a_running_gateway_is_recorded_by_it(folder: Path) -> None:
    async with Gateway(load_config(folder / "gateway.toml")):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import sys; from tools.cli import main; sys.exit(main())",
            "export", "1", "--by", "eva", "--reason", "now", "--out", "x.jsonl",
            cwd=folder, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _out, err = await process.communicate()
        assert process.returncode == 0, err
    recorded = [line for line in lines(folder) if line.get("action") == "export.incident"]
    assert [(line["actor"], line["reason"]) for line in recorded] == [("eva", "now")]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["999", "--by", "eva", "--reason", "x", "--out", "y"], "there is no alarm 999"),
        (["0", "--by", "eva", "--reason", "x", "--out", "y"], "must be 1 or more"),
        (["1", "--by", "", "--reason", "x", "--out", "y"], "--by must be"),
        (["1", "--by", "eva", "--reason", "x\ny", "--out", "y"], "--reason must be"),
        (["1", "--by", "eva", "--reason", "x", "--out", "site.toml"], "exists"),
        (["1", "--by", "eva", "--reason", "x", "--out", "none/y"], "cannot write"),
        (["1", "--by", "eva", "--reason", "x", "--out", "y", "--config", "z"], "cannot be read"),
    ],
)
def test_export_of_what_cannot_be_is_one_line_and_status_2(
    arguments: list[str], expected: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["export", *arguments])
    error = capsys.readouterr().err
    assert (status, expected in error, error.count("\n")) == (2, True, 1), error
