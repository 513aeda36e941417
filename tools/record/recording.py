# SPDX-License-Identifier: MIT
"""Record: recording.json, the metadata of a take: place, equipment and people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from tools.errors import UserError
from tools.record.marks import LABEL_MAX, MARKS_MAX, Label, Mark

FILE, MARKS_FILE = "recording.json", "marks.json"
TEXT_MAX = 200
_FILE_BYTES = 4 << 20
_LOST_MAX = 100_000
Words = Annotated[str, Meta(max_length=TEXT_MAX)]
Count = Annotated[int, Meta(ge=0, le=1 << 31)]
Place = Annotated[float, Meta(ge=-1e5, le=1e5)]


class LostSpan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`samples` of a stretch are lost: all of it ("cable"), or some ("node")."""

    from_s: float
    to_s: float
    samples: Count
    where: Literal["cable", "node"]


class Recording(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One take. `people`: pseudonyms; `background`: no person and no vehicle was near at any
    time."""

    version: Literal[1] = 1
    label: Words
    node: Annotated[str, Meta(max_length=16)]
    people: list[Annotated[str, Meta(max_length=16)]] = []
    background: bool = False
    class_name: Words = "person"
    count: Annotated[int, Meta(ge=1, le=100)] = 1
    place: Words = "unknown"
    soil: Words = "unknown"
    sensor: Words = "unknown"
    gain: Words = "unknown"
    board: Words
    firmware: Words
    boot: Count
    pir: bool
    source: Literal["cable", "simulated"]
    ended: Words
    t0_utc_s: float
    duration_s: Annotated[float, Meta(ge=0, le=86_400)]
    fs_hz: Annotated[float, Meta(ge=20, le=4000)]
    measured_fs_hz: float
    samples: Count
    samples_lost: Count
    samples_clipped: Count
    pir_edges: Count
    pir_edges_lost: Count
    lines_damaged: Count = 0
    lost: Annotated[list[LostSpan], Meta(max_length=_LOST_MAX)] = []
    faults: list[Words] = []


class MarkRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mark; its place in metres east and north, where one was given."""

    t_s: Annotated[float, Meta(ge=0, le=86_400)]
    label: Annotated[str, Meta(min_length=1, max_length=LABEL_MAX)]
    x_m: Place | None = None
    y_m: Place | None = None


class MarksFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of marks.json."""

    version: Literal[1] = 1
    marks: Annotated[list[MarkRow], Meta(max_length=MARKS_MAX)]

    def as_marks(self) -> list[Mark]:
        """The marks in order of time."""
        found = [
            Mark(
                row.t_s,
                Label(
                    row.label,
                    None if row.x_m is None or row.y_m is None else (row.x_m, row.y_m),
                ),
            )
            for row in self.marks
        ]
        return sorted(found, key=lambda mark: mark.t_s)


def write_recording(folder: Path, recording: Recording, marks: list[Mark]) -> None:
    """Write both files. Raises OSError."""
    rows = []
    for mark in marks:
        place = mark.label.place or (None, None)
        rows.append(
            MarkRow(t_s=round(mark.t_s, 3), label=mark.label.text, x_m=place[0], y_m=place[1])
        )
    for name, value in ((FILE, recording), (MARKS_FILE, MarksFile(marks=rows))):
        text = json.dumps(msgspec.to_builtins(value), indent=1)
        (folder / name).write_text(text + "\n", encoding="utf-8")


def read_recording(folder: Path) -> Recording:
    """Raises UserError."""
    return _read(folder / FILE, Recording)


def read_take_marks(folder: Path) -> list[Mark]:
    """Raises UserError."""
    return _read(folder / MARKS_FILE, MarksFile).as_marks()


def find_takes(folder: Path) -> list[Path]:
    """All recorded takes below a folder, or the folder itself. Raises UserError for none."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    found = sorted(path.parent for path in folder.rglob(FILE))
    if not found:
        raise UserError(f"{folder}: holds no recorded take; groundwatch record makes them")
    return found


T = TypeVar("T")


def _read(path: Path, kind: type[T]) -> T:
    try:
        with path.open("rb") as file:
            raw = file.read(_FILE_BYTES + 1)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    if len(raw) > _FILE_BYTES:
        raise UserError(f"{path}: larger than {_FILE_BYTES} bytes")
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UserError(f"{path}: {error}") from None
