# SPDX-License-Identifier: MIT
"""Schemas: JSON Schema of every file that users write, from the Structs that read them.

`python -m tools.schemas` writes docs/schemas/; `--check` fails when they are not up to date.
Editors complete and check TOML with them: `#:schema gateway.schema.json` on a file's first line.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from gateway.api.access.tokens import TokensFile
from gateway.config.gateway_file import GatewayFile
from gateway.config.secrets import Secret
from gateway.config.site import SiteFile
from gateway.console.operators import OperatorsFile
from gateway.ports.discovery import BUILT_IN, find_type
from tools.bundle import NodeFile
from tools.replay_store import RulesFile

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schemas"
FILES: dict[str, type] = {
    "gateway": GatewayFile,
    "site": SiteFile,
    "operators": OperatorsFile,
    "tokens": TokensFile,
    "node": NodeFile,
    "rules": RulesFile,
}
# Each [[connector]] table of gateway.toml by its kind.
CONNECTORS: dict[str, type] = {kind: find_type(kind).config for kind in BUILT_IN}
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SECRET = "secret"  # a mark of ours, replaced by the keys that the file has


def schemas() -> dict[str, str]:
    """Content of each file in docs/schemas by its name."""
    found = {f"{name}.schema.json": _text(f"{name}.toml", kind) for name, kind in FILES.items()}
    for name, kind in CONNECTORS.items():
        found[f"connector-{name}.schema.json"] = _text(f"[[connector]] of kind {name}", kind)
    return found


def schema_of(kind: type) -> dict[str, Any]:
    """JSON Schema of a Struct as its TOML is written: a secret by its file or its variable."""
    found = msgspec.json.schema(kind, schema_hook=_custom)
    for table in found.get("$defs", {}).values():
        if "description" in table:
            table["description"] = " ".join(table["description"].split())
        _without_null(table)
        _name_secrets(table)
    return found


def stale(folder: Path = FOLDER) -> list[str]:
    """Names of schemas that are missing, out of date, or of no file."""
    wanted = schemas()
    there = {path.name: path.read_text() for path in folder.glob("*.schema.json")}
    return sorted(name for name in wanted | there if wanted.get(name) != there.get(name))


def _text(title: str, kind: type) -> str:
    found = {"$schema": _DRAFT, "title": title, **schema_of(kind)}
    return json.dumps(found, indent=2) + "\n"


def _custom(kind: type) -> dict[str, Any]:
    if issubclass(kind, Secret):
        return {"type": "string", "examples": [kind.example], _SECRET: kind.inline}
    example = getattr(kind, "example", None)
    return {"type": "string"} if example is None else {"type": "string", "examples": [example]}


def _without_null(table: dict[str, Any]) -> None:
    # TOML has no null: a key is present or absent. A whole table of defaults is omitted.
    for name, value in table.get("properties", {}).items():
        kinds = [one for one in value.pop("anyOf", ()) if one != {"type": "null"}]
        merged = {**value, **kinds[0]} if kinds else value
        if merged.get("default") is None or isinstance(merged["default"], dict):
            merged.pop("default", None)
        table["properties"][name] = merged


def _name_secrets(table: dict[str, Any]) -> None:
    properties, required = {}, list(table.get("required", ()))
    for name, value in table.get("properties", {}).items():
        if _SECRET not in value:
            properties[name] = value
            continue
        keys = [name] if value.pop(_SECRET) else []
        if keys:
            properties[name] = value
        for end, description in (
            ("file", "Name of a file of mode 0600 that holds it."),
            ("env", "Name of an environment variable that holds it."),
        ):
            keys.append(f"{name}_{end}")
            properties[keys[-1]] = {"type": "string", "description": description}
        if name in required:
            required.remove(name)
            choice = {"oneOf": [{"required": [key]} for key in keys]}
            table.setdefault("allOf", []).append(choice)
    if properties:
        table["properties"], table["required"] = properties, required


def main() -> int:
    """Write or check. 1 when a check found something."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if not up to date")
    if parser.parse_args().check:
        names = stale()
        if names:
            print(f"not up to date: {', '.join(names)}; run: python -m tools.schemas")
        return 1 if names else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (FOLDER / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
