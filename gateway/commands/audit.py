# SPDX-License-Identifier: MIT
"""Commands: `groundwatch audit verify`: whether the audit log is still as it was written."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.audit import database, excerpt, head, keys
from gateway.audit.verify import Noted, Report, by_id, verify
from gateway.errors import ConfigError
from gateway.store.choose import place

_NOTED = re.compile(r"([0-9]{1,15}):([0-9a-f]{4,16})", re.ASCII)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("what", choices=["verify"], help="what to do")
    parser.add_argument(
        "path",
        type=place,
        help="a store (groundwatch.db, or the URL of PostgreSQL) or an exported file",
    )
    parser.add_argument(
        "--key",
        type=Path,
        action="append",
        help="the gateway's audit.pub; again for each earlier key (default: beside the store)",
    )
    parser.add_argument(
        "--head", type=Path, help="the gateway's audit.head (default: beside the store)"
    )
    parser.add_argument(
        "--noted",
        metavar="ENTRY:CODE",
        action="append",
        default=[],
        help="an entry's code as somebody wrote it down, e.g. 120:9f86d081884c7d65",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """0 when all holds, 1 when something was changed. Raises GroundwatchError for bad input."""
    folder = args.path.parent if isinstance(args.path, Path) else Path()
    public = [keys.load_public(path) for path in args.key or [folder / keys.PUBLIC_NAME]]
    beside = folder / head.NAME
    head_path = args.head or (beside if beside.exists() else None)
    noted = tuple(_noted(text) for text in args.noted)
    exported = (
        isinstance(args.path, Path) and args.path.is_file() and not database.is_database(args.path)
    )
    if exported:
        report = _excerpt(excerpt.read(args.path), by_id(public), noted)
    else:
        with database.evidence_at(args.path) as given:
            given.head = head.load(head_path) if head_path else None
            given.noted = noted
            report = verify(given, by_id(public))
    _print(report, bool(exported or head_path or noted), args.json)
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
    for problem in report.problems:
        print(problem)
    if not anchored:
        print("no head and no written-down code: entries cut off at the end cannot be seen")
    print(
        f"{'CHANGED' if report.problems else 'holds'}: {report.entries} entries, "
        f"{report.erased} erased, {report.checkpoints} checkpoints, {report.history} alarm "
        f"changes; newest entry {report.newest} code {report.code}"
    )
