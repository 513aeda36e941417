# SPDX-License-Identifier: MIT
"""Configuration: [[connector]], and its older spellings [[output]] and [home_assistant].

The kind names a connector type; its own Struct defines the keys of the table. Types are found by
entry points, so that a package adds one without a change here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Protocol

from msgspec import Meta, Struct

from gateway.config.fields import Text, identifier_meta
from gateway.config.reading import convert
from gateway.errors import ConfigError
from gateway.ports.connector import ConnectorConfig, ConnectorType
from gateway.ports.discovery import find_type, known_kinds

MAX_CONNECTORS = 64
OUTPUT_KINDS = ("webhook", "ntfy", "email", "mqtt")
_ASSISTANT = "home_assistant"

ConnectorTables = Annotated[tuple[dict[str, Any], ...], Meta(max_length=MAX_CONNECTORS)]


@dataclass(frozen=True, slots=True)
class ConnectorTable:
    """One table as written; `at` is its key in the file, such as `connector[2]`."""

    at: str
    values: Mapping[str, Any] = field(repr=False)  # an address in it may hold a secret


class _Head(Struct, frozen=True, kw_only=True):
    kind: Annotated[Text, Meta(examples=["ntfy"])]
    name: Annotated[str, identifier_meta("duty_phone")]


def connector_tables(
    connector: Sequence[Mapping[str, Any]],
    output: Sequence[Mapping[str, Any]] = (),
    home_assistant: Mapping[str, Any] | None = None,
    source: str = "gateway.toml",
) -> tuple[ConnectorTable, ...]:
    """All of a file in one form, names checked. Raises ConfigError."""
    tables = [ConnectorTable(f"connector[{i}]", one) for i, one in enumerate(connector)]
    tables += [ConnectorTable(f"output[{i}]", one) for i, one in enumerate(output)]
    if home_assistant is not None:
        for key in ("kind", "name"):
            if key in home_assistant:
                raise ConfigError(f"{source}: {_ASSISTANT}.{key} is not a known key; remove it")
        whole = {"kind": _ASSISTANT, "name": _ASSISTANT, **home_assistant}
        tables.append(ConnectorTable(_ASSISTANT, whole))
    known: set[str] = set()
    for table in tables:
        head = convert(table.values, _Head, source, Path(), table.at)
        if table.at.startswith("output") and head.kind not in OUTPUT_KINDS:
            raise _unknown_kind(source, table.at, OUTPUT_KINDS)
        if head.name in known:
            raise ConfigError(
                f'{source}: {table.at}.name {head.name!r} is used twice, e.g. name = "duty_phone"'
            )
        known.add(head.name)
    return tuple(tables)


class Types(Protocol):
    """The connector types that are installed."""

    def names(self) -> Sequence[str]:
        """Their kinds."""

    def get(self, kind: str) -> ConnectorType:
        """One of them. Raises ConfigError when its library is missing."""


class InstalledTypes:
    """Those of Groundwatch, and those that packages add by entry points."""

    def names(self) -> Sequence[str]:
        """Their kinds."""
        return known_kinds()

    def get(self, kind: str) -> ConnectorType:
        """One of them. Raises ConfigError when its library is missing."""
        return find_type(kind)


def read_connectors(
    tables: Sequence[ConnectorTable],
    folder: Path,
    source: str = "gateway.toml",
    types: Types | None = None,
) -> list[tuple[ConnectorType, ConnectorConfig]]:
    """Each with its type; paths are relative to `folder`. Raises ConfigError."""
    types = types or InstalledTypes()
    found: list[tuple[ConnectorType, ConnectorConfig]] = []
    for table in tables:
        kind = str(table.values["kind"])
        if kind not in types.names():
            raise _unknown_kind(source, table.at, types.names())
        made = types.get(kind)
        found.append((made, convert(table.values, made.config, source, folder, table.at)))
    return found


def _unknown_kind(source: str, at: str, kinds: Sequence[str]) -> ConfigError:
    shown = ", ".join(kinds) or "(none is installed)"
    example = f', e.g. kind = "{kinds[0]}"' if kinds else ""
    return ConfigError(f"{source}: {at}.kind must be one of {shown}{example}")
