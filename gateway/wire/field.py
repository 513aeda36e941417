# SPDX-License-Identifier: MIT
"""wire: constraints of each field, as annotations of the structs in `messages`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import get_type_hints

import msgspec


class Kind(Enum):
    """Type of a field; `low` and `high` bound its value, its length in bytes, or its count."""

    UINT = "uint"
    INT = "int"
    BYTES = "bytes"
    TEXT = "text"  # printable ASCII
    ENUM = "enum"
    PAIRS = "pairs"  # array of u16, an even count of them


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """Key, type and bounds of one field; `unit` is "-" for a plain number or name."""

    key: int
    kind: Kind
    low: int
    high: int
    unit: str
    enum: type[WireEnum] | None
    since: int


class WireEnum(IntEnum):
    """Values with wire names: `label` is the lower-case name of the table and of output lines."""

    @property
    def label(self) -> str:
        """As in the table: `low_battery`."""
        return self.name.lower()


def wire(
    key: int,
    kind: Kind,
    low: int,
    high: int,
    unit: str,
    enum: type[WireEnum] | None = None,
    since: int = 1,
) -> FieldSpec:
    """For `typing.Annotated`."""
    return FieldSpec(key, kind, low, high, unit, enum, since)


def specs_of(message: type[msgspec.Struct]) -> dict[str, FieldSpec]:
    """Of a message's attributes, in order of their keys."""
    hints = get_type_hints(message, include_extras=True)
    return {name: hints[name].__metadata__[0] for name in message.__struct_fields__}
