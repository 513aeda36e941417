# SPDX-License-Identifier: MIT
"""Commands: `groundwatch gateway salvage`: a new store from what can be read of a damaged one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.audit.offline import Entry, record
from gateway.commands.options import config_option, json_option
from gateway.config import load_config
from gateway.errors import ConfigError, StoreError
from gateway.files import replace_synced
from gateway.model.actions.record import STORE_SALVAGED
from gateway.store.salvage import salvage
from gateway.store.sqlite import SqliteStore, hold

_MAX_NAME = 32


@click.command("salvage")
@click.option("--by", required=True, help="the person who does it; recorded")
@config_option()
@json_option("print one JSON object")
def salvage_store(by: str, config: Path, as_json: bool) -> None:
    """The new store stands in the old one's place. Raises GroundwatchError."""
    loaded = load_config(config)
    if not isinstance(loaded.store, Path) or not loaded.store.is_file():
        raise ConfigError(
            "there is no SQLite store to salvage; a database server has its own means"
        )
    if not by.strip() or len(by) > _MAX_NAME or not by.isprintable():
        raise ConfigError(f"--by must be 1 to {_MAX_NAME} characters on one line")
    fresh = loaded.store.with_name("salvaged.db")
    fresh.unlink(missing_ok=True)
    with hold(loaded.store):
        try:
            kept = salvage(loaded.store, fresh)
        except StoreError:
            for end in ("", "-wal", "-shm"):  # what was started would only take the room
                fresh.with_name(fresh.name + end).unlink(missing_ok=True)
            raise
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        recovery = loaded.store.with_name(f"damaged-{stamp}.db")
        for end in ("", "-wal", "-shm"):
            part = loaded.store.with_name(loaded.store.name + end)
            if part.exists():
                part.rename(recovery.with_name(recovery.name + end))
        for end in ("-wal", "-shm"):
            fresh.with_name(fresh.name + end).unlink(missing_ok=True)
        replace_synced(fresh, loaded.store)
    entry = Entry(by.strip(), STORE_SALVAGED, loaded.store.name, detail=kept)
    record(SqliteStore(loaded.store), loaded.data_dir, [entry], replaced=loaded.data_dir)
    if as_json:
        print(json.dumps({"type": "salvage", "kept": kept, "damaged": str(recovery)}))
        return
    print(json.dumps(kept))
    print(
        f"the damaged file is {recovery}; check the audit: groundwatch audit verify {loaded.store}"
    )
