# SPDX-License-Identifier: MIT
"""Running `gateway backup` and `gateway restore`, and what a folder holds."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tools import cli

PASSPHRASE = "correct horse battery"
ROWS = {
    "detection": "SELECT * FROM detection ORDER BY id",
    "alarm": "SELECT * FROM alarm ORDER BY id",
    "history": "SELECT * FROM alarm_history ORDER BY id",
    "message": "SELECT node, boot, seq, payload FROM message ORDER BY id",
}


def done(capsys: pytest.CaptureFixture[str], *words: str | Path) -> dict:
    assert cli.main(["gateway", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert cli.main(["gateway", *map(str, words)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1), (out, err)
    return err


def backed_up(
    capsys: pytest.CaptureFixture[str], folder: Path, file: Path, *words: str | Path
) -> dict:
    return done(capsys, "backup", file, "--config", folder / "gateway.toml", *words)


def rows(folder: Path) -> dict[str, list[tuple]]:
    db = sqlite3.connect(f"file:{folder}/data/groundwatch.db?mode=ro", uri=True)
    try:
        return {name: db.execute(query).fetchall() for name, query in ROWS.items()}
    finally:
        db.close()


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but the lock, which any start makes."""
    return {
        str(one.relative_to(folder)): one.read_bytes()
        for one in folder.rglob("*")
        if one.is_file() and one.name != "groundwatch.lock"
    }
