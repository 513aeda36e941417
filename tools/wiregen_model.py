# SPDX-License-Identifier: MIT
"""wiregen: the schema table as objects, with the meanings that stand in its comments."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from tools.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "firmware" / "ugs" / "wire" / "schema.py"

_TABLE = re.compile(r"^_(\w+) = \($")
_ROW = re.compile(r'^    \(\d+, "(\w+)", .*\),  # ([^:,]+)(?:, v(\d+))?: (.+)$')


@dataclass(frozen=True, slots=True)
class Enumeration:
    """Named values; a value without a name is reserved."""

    name: str  # as in the table: TARGET_CLASS
    values: tuple[tuple[int, str], ...]

    @property
    def class_name(self) -> str:
        """As Python has it: TargetClass."""
        return "".join(part.capitalize() for part in self.name.split("_"))


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a message's table."""

    key: int
    name: str
    kind: str  # uint, int, bytes, text, enum, pairs
    low: int
    high: int
    required: bool
    since: int
    unit: str
    meaning: str
    enum: Enumeration | None


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `reserved` are the keys that fields once had."""

    number: int
    name: str
    direction: str  # up, down
    spaces: tuple[int, ...]
    meaning: str
    fields: tuple[Field, ...]
    reserved: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """The whole table."""

    version: int
    max_sealed: int
    max_payload: int
    max_topic: int
    messages: tuple[Message, ...]

    def enums(self) -> list[Enumeration]:
        """Each enumeration once, in the order of first use."""
        found = [field.enum for message in self.messages for field in message.fields if field.enum]
        return list(dict.fromkeys(found))


def use_firmware() -> None:
    """Make `ugs` importable here, with substitutes for modules of MicroPython."""
    for folder in (ROOT / "firmware", ROOT / "sim_hardware" / "cpython"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))


def load() -> Schema:
    """The schema with its comments. Raises UserError when the table is not in order."""
    use_firmware()
    from ugs.wire import schema

    meanings, rows = _comments(SCHEMA.read_text(encoding="utf-8"))
    messages = []
    for number, name, direction, spaces, table in schema.MESSAGES:
        keys = [row[0] for row in table]
        if keys != sorted(set(keys)) or not keys or keys[0] < 1:
            raise UserError(f"schema.py: keys of {name} must rise from 1")
        if name not in meanings:
            raise UserError(f"schema.py: no comment above the table of {name}")
        live = [row for row in table if row[2] != schema.RESERVED]
        messages.append(
            Message(
                number=number,
                name=name,
                direction="down" if direction == schema.DOWN else "up",
                spaces=spaces,
                meaning=meanings[name],
                fields=tuple(_field(schema, name, row, rows) for row in live),
                reserved=tuple(row[0] for row in table if row[2] == schema.RESERVED),
            )
        )
    if len({message.number for message in messages}) != len(messages):
        raise UserError("schema.py: a message id is used twice")
    return Schema(
        version=schema.VERSION,
        max_sealed=schema.MAX_SEALED,
        max_payload=schema.MAX_PAYLOAD,
        max_topic=schema.MAX_TOPIC,
        messages=tuple(messages),
    )


def _field(
    schema: ModuleType,
    message: str,
    row: tuple[int, str, int, int, int, tuple[str, ...] | None],
    comments: dict[tuple[str, str], tuple[str, int, str]],
) -> Field:
    key, name, kind, low, high, names = row
    if (message, name) not in comments:
        raise UserError(f'schema.py: {message}.{name} has no comment of the form "# unit: meaning"')
    kinds = ("uint", "int", "bytes", "text", "enum", "pairs")
    enum = None
    if names is not None:
        if len(names) != high - low + 1:
            raise UserError(f"schema.py: {message}.{name} has {len(names)} names for {low}..{high}")
        table_name = next(label for label, value in vars(schema).items() if value is names)
        enum = Enumeration(table_name, tuple((low + i, text) for i, text in enumerate(names)))
    unit, since, meaning = comments[message, name]
    return Field(
        key=key,
        name=name,
        kind=kinds[kind & ~schema.OPT],
        low=low,
        high=high,
        required=not kind & schema.OPT,
        since=since,
        unit=unit,
        meaning=meaning,
        enum=enum,
    )


def _comments(source: str) -> tuple[dict[str, str], dict[tuple[str, str], tuple[str, int, str]]]:
    """Meaning by message, and (unit, since, meaning) by message and field."""
    meanings: dict[str, str] = {}
    rows: dict[tuple[str, str], tuple[str, int, str]] = {}
    above: list[str] = []
    message = ""
    for line in source.splitlines():
        if start := _TABLE.match(line):
            message = start[1].lower()
            if above:
                meanings[message] = " ".join(above)
        elif row := _ROW.match(line):
            rows[message, row[1]] = (row[2], int(row[3] or 1), row[4])
        above = [*above, line[2:]] if line.startswith("# ") else []
    return meanings, rows
