# SPDX-License-Identifier: MIT
"""The store's SQLite schema: numbered steps, kept for ever; a file of any earlier version is
brought up to date in one transaction."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gateway.errors import StoreError

VERSION = 5
APPLICATION_ID = 0x47574154  # "GWAT": tells our file from any other SQLite file


def step_file(version: int) -> Path:
    """What leads from the version before to this one."""
    return Path(__file__).with_name(f"schema_v{version}.sql")


def bring_up_to_date(db: sqlite3.Connection) -> None:
    """Create or migrate. Raises StoreError when the file is not ours or is of a newer program."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    fresh = version == 0 and not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    if not fresh and db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise StoreError("not a Groundwatch store; name another data_dir or move the file away")
    if version > VERSION:
        raise StoreError(
            f"made by a newer Groundwatch: schema {version}, this one knows up to {VERSION}; "
            "install that one again or name another data_dir"
        )
    db.execute("PRAGMA journal_mode = WAL")
    steps = "".join(step_file(number).read_text() for number in range(version + 1, VERSION + 1))
    if steps:
        # One script, one transaction: it is all there or nothing of it, whenever power goes.
        db.executescript(
            f"BEGIN IMMEDIATE;{steps}PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {VERSION};COMMIT;"
        )
