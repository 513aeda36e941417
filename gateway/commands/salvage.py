# SPDX-License-Identifier: MIT
"""Commands: `groundwatch salvage`: a new store from what can be read of a damaged one."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

from gateway.audit.offline import Entry, record
from gateway.config import add_option, load_config
from gateway.errors import ConfigError
from gateway.files import replace_synced
from gateway.store.salvage import salvage
from gateway.store.sqlite import SqliteStore, hold

_NAME_MOST = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    add_option(parser)
    parser.add_argument("--by", required=True, help="who does it; recorded")


def run(args: argparse.Namespace) -> int:
    """0 when the new store stands in the old one's place. Raises GroundwatchError."""
    config = load_config(args.config)
    if not isinstance(config.store, Path) or not config.store.is_file():
        raise ConfigError(
            "there is no SQLite store to salvage; a database server has its own means"
        )
    if not args.by.strip() or len(args.by) > _NAME_MOST or not args.by.isprintable():
        raise ConfigError(f"--by must be 1 to {_NAME_MOST} characters on one line")
    fresh = config.store.with_name("salvaged.db")
    fresh.unlink(missing_ok=True)
    with hold(config.store):
        kept = salvage(config.store, fresh)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        aside = config.store.with_name(f"damaged-{stamp}.db")
        for end in ("", "-wal", "-shm"):
            part = config.store.with_name(config.store.name + end)
            if part.exists():
                part.rename(aside.with_name(aside.name + end))
        for end in ("-wal", "-shm"):
            fresh.with_name(fresh.name + end).unlink(missing_ok=True)
        replace_synced(fresh, config.store)
    entry = Entry(args.by.strip(), "store.salvage", config.store.name, detail=kept)
    record(SqliteStore(config.store), config.data_dir, [entry])
    print(json.dumps(kept))
    print(f"the damaged file is {aside}; check the audit: groundwatch audit verify {config.store}")
    return 0
