# SPDX-License-Identifier: MIT
"""`groundwatch salvage`: a store that was damaged, made anew from what can still be read of it."""

from __future__ import annotations

import argparse
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from gateway.audit import head, keys
from gateway.audit.chain import SALT_BYTES
from gateway.audit.checkpoint import Signer
from gateway.audit.head import HeadFile
from gateway.audit.log import AuditLog
from gateway.config import load_config
from gateway.errors import ConfigError
from gateway.store.interface import Writes
from gateway.store.salvage import salvage
from gateway.store.sqlite import SqliteStore, hold

_NAME_MOST = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("--config", type=Path, default=Path("gateway.toml"), help="the gateway's")
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
    signer = Signer(keys.load_or_create(config.data_dir))
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
        fresh.rename(config.store)
    _record(config.store, args.by.strip(), kept, signer)
    print(json.dumps(kept))
    print(f"the damaged file is {aside}; check the audit: groundwatch audit verify {config.store}")
    return 0


def _record(path: Path, by: str, kept: dict[str, int], signer: Signer) -> None:
    store = SqliteStore(path)
    store.open()
    try:
        log = AuditLog(lambda: os.urandom(SALT_BYTES), signer)
        log.restore(store.load())
        log.add(time.time_ns() // 1000, by, "store.salvage", path.name, detail=kept)
        writes = Writes()
        log.collect(writes)
        store.commit(writes)
        HeadFile(path.with_name(head.NAME)).committed(writes)
    finally:
        store.close()
