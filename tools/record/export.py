# SPDX-License-Identifier: MIT
"""`groundwatch record export`: recorded takes as one archive that may be published."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import click

from gateway.commands.options import PATH, json_option
from tools.errors import UserError
from tools.record import archive
from tools.record.consent_note import NOTE
from tools.record.people import People, read_people
from tools.record.recording import (
    FILE,
    MARKS_FILE,
    TEXT_MAX,
    Recording,
    find_takes,
    read_recording,
    read_take_marks,
)
from tools.record.sheet import Described, markdown, sheet

SUMS, SHEET, SHEET_JSON, CONSENT = "SHA256SUMS", "DATASHEET.md", "datasheet.json", "CONSENT.md"
TAKES = "takes"
TRUTH, SITE = "truth.json", "site.toml"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}")


@click.command()
@click.argument("folder", type=PATH)
@click.option("--out", type=PATH, required=True, help="a new .tar.gz or .zip file")
@click.option("--title", default="footsteps and empty ground", help="of the data sheet")
@json_option("print one JSON object")
def export(folder: Path, out: Path, title: str, as_json: bool) -> None:
    """FOLDER holds takes of groundwatch record. The reason for a refusal is one line."""
    archive.kind_of(out)
    if out.exists():
        raise UserError(f"{out} exists already; give a new file")
    if not 1 <= len(title) <= TEXT_MAX or not title.isprintable():
        raise UserError(f"--title takes 1 to {TEXT_MAX} characters")
    people = read_people(folder)
    takes: list[Described] = []
    files: dict[str, bytes | Path] = {}
    for one_folder in map(Path.resolve, find_takes(folder)):
        one = Described(one_folder.name, read_recording(one_folder), read_take_marks(one_folder))
        _must_be_free(one, people)
        for path in _files_of(one_folder, one.recording):
            name = f"{TAKES}/{one_folder.name}/{path.name}"
            if name in files:
                raise UserError(f"two takes are named {one_folder.name}; rename one of the folders")
            files[name] = path
        takes.append(one)
    if name := people.named_in(title):
        raise UserError(f"--title: {name!r} may be a name; write titles in lower case")
    table = sheet(takes, title)
    files[SHEET] = markdown(table).encode()
    files[SHEET_JSON] = (json.dumps(table, indent=1) + "\n").encode()
    files[CONSENT] = NOTE.encode()
    files[SUMS] = _sums(files)
    archive.write(out, files)
    _show(out, as_json, table, len(files))


def _show(out: Path, as_json: bool, table: dict[str, object], files: int) -> None:
    facts = {name: table[name] for name in ("takes", "hours", "people", "marks")}
    size = out.stat().st_size
    if as_json:
        print(json.dumps({"type": "export", "file": str(out), "bytes": size, **facts}))
    else:
        words = "  ".join(f"{name}={value}" for name, value in facts.items())
        print(f"{out}: {files} files, {size} bytes  {words}")


def _must_be_free(take: Described, people: People) -> None:
    """Raise UserError unless the take may be published."""
    recording = take.recording
    if not _NAME.fullmatch(take.name):
        raise UserError(f"{take.name}: a take's folder has letters, digits, . _ and - in its name")
    if not recording.people and not recording.background and recording.source != "simulated":
        raise UserError(
            f"{take.name}: recording.json states neither people nor background; "
            'give "people": ["p03"] or "background": true'
        )
    if problem := people.consent_problem(recording.people):
        raise UserError(f"{take.name}: no consent is recorded: {problem}")
    texts = {
        "the folder's name": take.name.replace("-", " "),
        "the label": recording.label,
        "the place": recording.place,
        **{f"mark {mark.label.text!r}": mark.label.text for mark in take.marks},
        **{f"fault {fault!r}": fault for fault in recording.faults},
    }
    technical = {"the soil": recording.soil, "the sensor": recording.sensor}
    technical["the gain"] = recording.gain
    for what, text in {**texts, **technical}.items():
        if name := people.named_in(text, may_be_name=what in texts):
            raise UserError(
                f"{take.name}: {what} has {name!r}, which is no pseudonym of people.toml and may "
                "be a name; write p03 for a person and all else in lower case"
            )


def _files_of(folder: Path, recording: Recording) -> list[Path]:
    """The files of a take that are exported: those of the format, and no others."""
    needed = [folder / name for name in (SITE, f"{recording.node}.npz", FILE, MARKS_FILE)]
    for path in needed:
        if not path.is_file() or path.is_symlink():
            raise UserError(f"{folder}: {path.name} is missing")
    truth = folder / TRUTH
    return [*needed, truth] if truth.is_file() and not truth.is_symlink() else needed


def _sums(files: dict[str, bytes | Path]) -> bytes:
    lines = []
    for name in sorted(files):
        given = files[name]
        data = given if isinstance(given, bytes) else given.read_bytes()
        lines.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
    return "".join(lines).encode()
