# SPDX-License-Identifier: MIT
"""Commands: `groundwatch alarm export`: one alarm with all that belongs to it, as a signed file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import click

from gateway.api.schema.answers import Done
from gateway.api.schema.bodies import ExportBody
from gateway.audit import keys
from gateway.audit.checkpoint import Signer
from gateway.audit.offline import Entry
from gateway.audit.offline import record as record_offline
from gateway.commands.client import Client
from gateway.commands.options import PATH, config_option, json_option
from gateway.config import load_config
from gateway.config.site import load_site
from gateway.errors import ConfigError, StoreError, StoreInUse
from gateway.export import file
from gateway.files import create_private
from gateway.model.actions.record import EXPORTED
from gateway.store.choose import reading, store_at
from gateway.store.sql_incident import entry_of, incident

_MAX_NAME = 32


class Note(NamedTuple):
    """Who exports which alarm, and why."""

    by: str
    alarm: int
    reason: str


@click.command()
@click.argument("number", type=int)
@click.option("--by", required=True, help="the person who exports; recorded")
@click.option("--reason", required=True, help="recorded")
@click.option("--out", type=PATH, required=True, help="file to write, e.g. alarm12.jsonl")
@config_option()
@json_option("print what was written as one JSON object")
def export(number: int, by: str, reason: str, out: Path, config: Path, as_json: bool) -> None:
    """The file is written when this returns. Raises GroundwatchError that the user can correct."""
    note = _note(number, by, reason)
    loaded = load_config(config)
    site = load_site(loaded.site)
    signer = Signer(keys.load_or_create(loaded.data_dir))
    if out.exists():
        raise ConfigError(f"{out} exists; name another file")
    _require(loaded.store, note.alarm)
    record(loaded.data_dir, loaded.store, note)
    with reading(loaded.store) as db:
        found, entry = incident(db, note.alarm), entry_of(db, note.alarm)
    if found is None or entry is None:
        raise StoreError("the alarm was erased meanwhile; nothing was exported")
    data = file.write(found, site.name, entry, signer)
    try:
        create_private(out, data)
    except OSError as error:
        raise ConfigError(f"cannot write {out}: {error.strerror}") from None
    if as_json:
        print(json.dumps({"type": "export", "file": str(out), "bytes": len(data)}))
    else:
        print(f"{out}: {len(data)} bytes; check it with: groundwatch audit verify {out}")


def record(data_dir: Path, where: Path | str, note: Note) -> None:
    """The entry about an export is committed when this returns."""
    entry = Entry(note.by, EXPORTED, f"alarm {note.alarm}", note.reason)
    try:
        record_offline(store_at(where), data_dir, [entry])
    except StoreInUse:
        # The running gateway makes the entry: one process writes the store.
        body = ExportBody(alarm_id=note.alarm, reason=note.reason, by=note.by)
        Client(data_dir).post("/exports", Done, body)


def _require(where: Path | str, alarm: int) -> None:
    with reading(where) as db:
        if not db.run("SELECT 1 FROM alarm WHERE id = ?", (alarm,)):
            raise ConfigError(f"there is no alarm {alarm} in the store; its number is on the page")


def _note(number: int, by: str, reason: str) -> Note:
    if not 0 < number < 1 << 53:
        raise ConfigError("the alarm's number must be 1 or more")
    for name, text, most in (("--by", by, _MAX_NAME), ("--reason", reason, 200)):
        if not text.strip() or len(text) > most or not text.isprintable():
            raise ConfigError(f"{name} must be 1 to {most} characters on one line")
    return Note(by.strip(), number, reason.strip())
