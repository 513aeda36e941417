# SPDX-License-Identifier: MIT
"""Commands: `groundwatch export`: one alarm with all that belongs to it, as a signed file."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import NamedTuple

from gateway.api.schema.answers import Done
from gateway.api.schema.bodies import ExportBody
from gateway.audit import head, keys
from gateway.audit.chain import SALT_BYTES
from gateway.audit.checkpoint import Signer
from gateway.audit.head import HeadFile
from gateway.audit.log import AuditLog
from gateway.commands.client import Client
from gateway.config import add_option, load_config
from gateway.config.site import load_site
from gateway.errors import ConfigError, StoreError, StoreInUse
from gateway.export import file
from gateway.files import create_private
from gateway.model.actions.record import EXPORTED
from gateway.store.choose import reading, store_at
from gateway.store.interface import Writes
from gateway.store.sql_incident import entry_of, incident

_NAME_MOST = 32


class Note(NamedTuple):
    """Who exports which alarm, and why."""

    by: str
    alarm: int
    reason: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("alarm", type=int, help="the alarm's number")
    add_option(parser)
    parser.add_argument("--by", required=True, help="who exports; recorded")
    parser.add_argument("--reason", required=True, help="why; recorded")
    parser.add_argument("--out", type=Path, required=True, help="file to write, e.g. alarm12.jsonl")


def run(args: argparse.Namespace) -> int:
    """0 when the file is written. Raises GroundwatchError for what the user can mend."""
    note = _note(args)
    config = load_config(args.config)
    site = load_site(config.site)
    signer = Signer(keys.load_or_create(config.data_dir))
    if args.out.exists():
        raise ConfigError(f"{args.out} exists; name another file")
    _require(config.store, note.alarm)
    record(config.data_dir, config.store, note, signer)
    with reading(config.store) as db:
        found, entry = incident(db, note.alarm), entry_of(db, note.alarm)
    if found is None or entry is None:
        raise StoreError("the alarm was erased meanwhile; nothing was exported")
    data = file.write(found, site.name, entry, signer)
    try:
        create_private(args.out, data)
    except OSError as error:
        raise ConfigError(f"cannot write {args.out}: {error.strerror}") from None
    print(f"{args.out}: {len(data)} bytes; check it with: groundwatch audit verify {args.out}")
    return 0


def record(data_dir: Path, where: Path | str, note: Note, signer: Signer) -> None:
    """The entry about an export is committed when this returns."""
    store = store_at(where)
    try:
        store.open()
    except StoreInUse:
        # The running gateway makes the entry: one process writes the store.
        body = ExportBody(alarm_id=note.alarm, reason=note.reason, by=note.by)
        Client(data_dir).post("/exports", Done, body)
        return
    try:
        log = AuditLog(lambda: os.urandom(SALT_BYTES), signer)
        log.restore(store.load())
        log.add(time.time_ns() // 1000, note.by, EXPORTED, f"alarm {note.alarm}", note.reason)
        writes = Writes()
        log.collect(writes)
        store.commit(writes)
        HeadFile(data_dir / head.NAME).committed(writes)
    finally:
        store.close()


def _require(where: Path | str, alarm: int) -> None:
    with reading(where) as db:
        if not db.run("SELECT 1 FROM alarm WHERE id = ?", (alarm,)):
            raise ConfigError(f"there is no alarm {alarm} in the store; its number is on the page")


def _note(args: argparse.Namespace) -> Note:
    if not 0 < args.alarm < 1 << 53:
        raise ConfigError("the alarm's number must be 1 or more")
    for name, text, most in (("--by", args.by, _NAME_MOST), ("--reason", args.reason, 200)):
        if not text.strip() or len(text) > most or not text.isprintable():
            raise ConfigError(f"{name} must be 1 to {most} characters on one line")
    return Note(args.by.strip(), args.alarm, args.reason.strip())
