# SPDX-License-Identifier: MIT
"""`groundwatch record check`: checks that an untrusted data set is complete and unchanged."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from sim_hardware import take
from tools.errors import UserError
from tools.record import archive
from tools.record.export import CONSENT, SHEET, SHEET_JSON, SITE, SUMS, TAKES, TRUTH
from tools.record.recording import FILE, MARKS_FILE, read_recording, read_take_marks
from tools.record.sheet import Described, sheet

_LINE = re.compile(r"([0-9a-f]{64})  (\S{1,250})")
_TOP = frozenset({SUMS, SHEET, SHEET_JSON, CONSENT})
_OF_TAKE = frozenset({SITE, FILE, MARKS_FILE, TRUTH})
_SMALL_MAX = 64 << 20  # all files but the samples


def check_set(archive_file: Path, as_json: bool) -> None:
    """Check everything; the first error is one line and exit code 2."""
    if not archive_file.is_file():
        raise UserError(f"{archive_file}: no such file")
    table = check(archive_file)
    facts = {name: table[name] for name in ("takes", "hours", "people", "marks")}
    if as_json:
        print(json.dumps({"type": "check", "file": str(archive_file), **facts}))
    else:
        words = "  ".join(f"{name}={value}" for name, value in facts.items())
        print(f"{archive_file}: every check sum is right  {words}")


def check(path: Path) -> dict[str, object]:
    """The data sheet of a set, worked out again from its takes. Raises UserError, SimError."""
    with tempfile.TemporaryDirectory(prefix="groundwatch-set-") as folder:
        work = Path(folder)
        found = _unpack(path, work)
        names = sorted(found)
        for name in sorted(_TOP - found.keys()):
            raise UserError(f"{path}: {name} is missing")
        _check_sums(path, (work / SUMS).read_bytes(), found)
        takes = [_take(path, work / TAKES / name, name) for name in _takes(names)]
        if not takes:
            raise UserError(f"{path}: holds no take")
        return _same_sheet(path, (work / SHEET_JSON).read_bytes(), takes)


def _unpack(path: Path, work: Path) -> dict[str, str]:
    """Name -> SHA-256 of all files, which are below `work` then."""
    found: dict[str, str] = {}
    small = 0
    for name, data in archive.read(path):
        if not _belongs(name):
            raise UserError(f"{path}: {name} does not belong into a data set")
        if not name.endswith(".npz"):
            small += len(data)
            if small > _SMALL_MAX:
                raise UserError(f"{path}: more than {_SMALL_MAX >> 20} MiB beside the samples")
        found[name] = hashlib.sha256(data).hexdigest()
        target = work / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return found


def _belongs(name: str) -> bool:
    parts = name.split("/")
    if len(parts) == 1:
        return name in _TOP
    is_file = len(parts) == 3 and (parts[2] in _OF_TAKE or parts[2].endswith(".npz"))
    return is_file and parts[0] == TAKES


def _check_sums(path: Path, sums: bytes, found: dict[str, str]) -> None:
    listed: dict[str, str] = {}
    for line in sums.decode("ascii", "replace").splitlines():
        match = _LINE.fullmatch(line)
        if match is None or match[2] in listed:
            raise UserError(f"{path}: {SUMS} has a line that is no check sum")
        listed[match[2]] = match[1]
    for name in sorted(found.keys() - {SUMS}):
        if listed.get(name) != found[name]:
            raise UserError(f"{path}: {name} does not match {SUMS}: it was changed or damaged")
    for name in sorted(listed.keys() - found.keys()):
        raise UserError(f"{path}: {name} is missing, {SUMS} has it")


def _takes(names: Iterable[str]) -> list[str]:
    return sorted({name.split("/")[1] for name in names if name.startswith(f"{TAKES}/")})


def _take(path: Path, folder: Path, name: str) -> Described:
    given = take.load(folder)
    recording, marks = read_recording(folder), read_take_marks(folder)
    signal = given.signals.get(recording.node)
    if signal is None or len(given.nodes) != 1:
        raise UserError(f"{path}: {name}: not the one node that recording.json names")
    size = round(signal.duration_s * signal.fs_hz)
    if size != recording.samples or signal.fs_hz != recording.fs_hz:
        raise UserError(f"{path}: {name}: not the samples that recording.json counts")
    if len(signal.pir_edges_s) != recording.pir_edges:
        raise UserError(f"{path}: {name}: not the PIR edges that recording.json counts")
    if marks and marks[-1].t_s > recording.duration_s:
        raise UserError(f"{path}: {name}: a mark after the end of the take")
    return Described(name, recording, marks)


def _same_sheet(path: Path, given: bytes, takes: list[Described]) -> dict[str, object]:
    try:
        stored = json.loads(given)
        title = str(stored["title"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError(f"{path}: {SHEET_JSON} is no data sheet") from None
    made = sheet(takes, title)
    if stored != json.loads(json.dumps(made)):
        raise UserError(f"{path}: {SHEET_JSON} does not fit the takes")
    return made
