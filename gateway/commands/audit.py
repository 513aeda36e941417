# SPDX-License-Identifier: MIT
"""Commands: `groundwatch audit verify`: whether the audit log is unchanged."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.audit import database, excerpt, head, keys
from gateway.audit.verify import Noted, Report, by_id, verify
from gateway.commands.options import PATH, json_option
from gateway.errors import ConfigError
from gateway.store.choose import place

_NOTED = re.compile(r"([0-9]{1,15}):([0-9a-f]{4,16})", re.ASCII)


@click.command("verify")
@click.argument("store", metavar="STORE", type=place)
@click.option(
    "--key",
    "key_files",
    type=PATH,
    multiple=True,
    help="the gateway's audit.pub; again for each earlier key  [default: beside the store]",
)
@click.option(
    "--head", "head_file", type=PATH, help="the gateway's audit.head  [default: beside the store]"
)
@click.option(
    "--noted",
    metavar="ENTRY:CODE",
    multiple=True,
    help="an entry's code on paper, e.g. 120:9f86d081884c7d65",
)
@json_option("print the report as one JSON object")
def verify_store(
    store: Path | str,
    key_files: Sequence[Path],
    head_file: Path | None,
    noted: Sequence[str],
    as_json: bool,
) -> int:
    """0 when all holds, 1 when something was changed. Raises GroundwatchError for bad input."""
    folder = store.parent if isinstance(store, Path) else Path()
    public = [keys.load_public(path) for path in key_files or [folder / keys.PUBLIC_NAME]]
    beside = folder / head.NAME
    head_path = head_file or (beside if beside.exists() else None)
    codes = tuple(_noted(text) for text in noted)
    exported = isinstance(store, Path) and store.is_file() and not database.is_database(store)
    if isinstance(store, Path) and exported:
        report = _excerpt(excerpt.read(store), by_id(public), codes)
    else:
        with database.evidence(store) as given:
            given.head = head.load(head_path) if head_path else None
            given.noted = codes
            report = verify(given, by_id(public))
    _print(report, bool(exported or head_path or codes), as_json)
    return 1 if report.problems else 0


def _excerpt(
    data: bytes, public: Mapping[bytes, Ed25519PublicKey], noted: tuple[Noted, ...]
) -> Report:
    changed = excerpt.signature_problem(data, public)
    try:
        given = excerpt.evidence(data)
    except ValueError as error:
        return Report([changed or str(error)])
    given.noted = noted
    report = verify(given, public)
    if changed:
        report.problems.insert(0, changed)
    return report


def _noted(text: str) -> Noted:
    match = _NOTED.fullmatch(text.lower())
    if match is None:
        raise ConfigError(f"--noted {text[:40]!r} must be like 120:9f86d081884c7d65")
    return Noted(int(match[1]), match[2])


def _print(report: Report, anchored: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"type": "audit", "holds": not report.problems, **asdict(report)}))
        return
    for line in (*report.problems, *report.notes):
        print(line)
    if not anchored:
        print("no head and no written-down code: entries cut off at the end cannot be seen")
    print(
        f"{'CHANGED' if report.problems else 'holds'}: {report.entries} entries, "
        f"{report.erased} erased, {report.checkpoints} checkpoints, {report.alarms} alarms, "
        f"{report.history} changes of them, {report.records} records, {report.unsealed} without a "
        f"seal; newest entry {report.newest} code {report.code}"
    )
