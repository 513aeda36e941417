# SPDX-License-Identifier: MIT
"""Record: marks, the labels that a person gives to times of a recording."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tools.errors import UserError

END = "end"  # ends the walk or the stretch before it
BACKGROUND = "background"  # from here to the next mark no person and no vehicle is near
LABEL_MAX = 60
MARKS_MAX = 10_000
UNDO, QUIT = "u", "q"
_SPACE = "space"
_PLACE_MAX_M = 10_000.0
_FILE_BYTES = 1 << 20
_LABEL = re.compile(rf"[\w ().,:+/-]{{1,{LABEL_MAX}}}")


@dataclass(frozen=True)
class Label:
    """The text of a mark, and its place: metres east and north of the site's origin, or None."""

    text: str
    place: tuple[float, float] | None = None


@dataclass(frozen=True)
class Mark:
    """A label at a time in seconds of the take."""

    t_s: float
    label: Label


DEFAULT_KEYS: Mapping[str, Label] = {
    "1": Label("walks"),
    "2": Label("stands"),
    "3": Label(BACKGROUND),
    "0": Label(END),
    " ": Label("passes"),
}


def parse_label(text: str) -> Label:
    """`TEXT` or `TEXT@X:Y`. Raises UserError."""
    words, _, place_text = text.partition("@")
    words = words.strip()
    if not _LABEL.fullmatch(words):
        raise UserError(
            f"mark {text[:LABEL_MAX]!r}: a label is 1 to {LABEL_MAX} letters, digits and spaces, "
            "then perhaps @X:Y in metres, e.g. walks@5:0"
        )
    if not place_text:
        if "@" in text:
            raise UserError(f"mark {text!r}: @ needs X:Y in metres, e.g. walks@5:0")
        return Label(words)
    try:
        x_text, y_text = place_text.split(":")
        x_m, y_m = float(x_text), float(y_text)
    except ValueError:
        x_m = y_m = float("nan")
    if not (abs(x_m) <= _PLACE_MAX_M and abs(y_m) <= _PLACE_MAX_M):  # nan compares false
        raise UserError(f"mark {text!r}: the place must be X:Y in metres, e.g. walks@5:0")
    return Label(words, (x_m, y_m))


def parse_keys(text: str | None) -> Mapping[str, Label]:
    """`1=walks,2=stands,space=passes`. Raises UserError."""
    if text is None:
        return DEFAULT_KEYS
    keys: dict[str, Label] = {}
    for part in text.split(","):
        name, is_given, label = part.partition("=")
        key = " " if name.strip() == _SPACE else name.strip()
        if not is_given or len(key) != 1 or not key.isprintable():
            raise UserError(
                f'--keys: {part!r} must be KEY=LABEL, e.g. --keys "1=walks,2=stands,space=passes"'
            )
        if key in (UNDO, QUIT):
            raise UserError(f"--keys: {key} is taken: u undoes the last mark, q ends")
        if key in keys:
            raise UserError(f"--keys: {name.strip()} is given twice")
        keys[key] = parse_label(label)
    return keys


def read_marks(path: Path) -> list[Mark]:
    """A file of lines `SECONDS LABEL`; # starts a comment. Raises UserError."""
    try:
        with path.open("rb") as file:
            raw = file.read(_FILE_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a text in UTF-8") from None
    lines = text.splitlines()
    if len(raw) > _FILE_BYTES or len(lines) > MARKS_MAX:
        raise UserError(f"{path}: too long, {MARKS_MAX} marks are the most")
    marks = []
    for number, line in enumerate(lines, 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        time_text, _, label = line.partition(" ")
        try:
            t_s = float(time_text)
        except ValueError:
            t_s = float("nan")
        if not 0 <= t_s <= 86_400:
            raise UserError(f"{path}, line {number}: must be SECONDS LABEL, e.g. 12.5 walks")
        try:
            marks.append(Mark(t_s, parse_label(label)))
        except UserError as error:
            raise UserError(f"{path}, line {number}: {error}") from None
    return sorted(marks, key=lambda mark: mark.t_s)


class Marker:
    """Marks as keys are pressed; times are those of the caller until `placed` gives the take's."""

    def __init__(self, keys: Mapping[str, Label]) -> None:
        self.keys = keys
        self.is_over = False
        self.unknown = 0
        self._pressed: list[Mark] = []

    def press(self, key: str, at_s: float) -> str:
        """Take one key; returns what to show."""
        if key == QUIT:
            self.is_over = True
            return "ends"
        if key == UNDO:
            return f"undone: {self._pressed.pop().label.text}" if self._pressed else "no mark"
        label = self.keys.get(key)
        if label is None:
            self.unknown += 1
            return f"{key!r} is no key; {self.hint()}"
        if len(self._pressed) >= MARKS_MAX:
            return "no more marks"
        self._pressed.append(Mark(at_s, label))
        return label.text

    def hint(self) -> str:
        """All keys on one line."""
        names = (f"{_SPACE if key == ' ' else key}={one.text}" for key, one in self.keys.items())
        return "  ".join([*names, f"{UNDO}=undo", f"{QUIT}=end"])

    def pressed(self) -> Sequence[Mark]:
        """All marks that were not undone."""
        return tuple(self._pressed)


def moved(mark: Mark, t_s: float) -> Mark:
    """The same mark at another time."""
    return replace(mark, t_s=t_s)
