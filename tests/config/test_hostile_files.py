# SPDX-License-Identifier: MIT
"""Hostile TOML: whatever a file holds, it is read, or refused in one line by a ConfigError."""

from __future__ import annotations

import re
import string
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.api.access.tokens import load_tokens
from gateway.config import EXAMPLE, load_config
from gateway.config.reading import read_toml
from gateway.config.site import load_site
from gateway.console.operators import load_operators
from gateway.errors import ConfigError
from tests.config.toml_text import format_toml
from tools.bundle import NodeFile
from tools.replay_store import RulesFile
from tools.schemas import FILES, schema_of

FILE_TYPES = sorted(FILES)
# Each example writes its file again, so one folder serves all.
HOSTILE = partial(
    settings,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def properties_of(kind: type) -> dict[str, list[str]]:
    """Keys of each table of a file, by the name of its type."""
    tables = schema_of(kind)["$defs"].items()
    return {name: sorted(table["properties"]) for name, table in tables if "properties" in table}


KEYS = sorted({k for kind in FILES.values() for keys in properties_of(kind).values() for k in keys})
names = st.sampled_from(KEYS) | st.text(max_size=8)
scalars = (
    st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["n01", "gateway", "a\nb", "../../etc/passwd", "\0", "postgresql://", "mqtt"])
    | st.datetimes().map(lambda at: at.replace(microsecond=0))
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5),
    max_leaves=12,
)
documents = st.dictionaries(names, values, max_size=5)


def load(name: str, path: Path) -> object:
    match name:
        case "gateway":
            return load_config(path)
        case "site":
            return load_site(path)
        case "operators":
            return load_operators(path)
        case "tokens":
            path.chmod(0o600)
            return load_tokens(path)
        case "node":
            return read_toml(path, NodeFile)
        case _:
            return read_toml(path, RulesFile)


def check_one_line(name: str, path: Path) -> str:
    """Read it; the refusal, or nothing."""
    try:
        load(name, path)
    except ConfigError as error:
        line = str(error)
        assert "\n" not in line
        assert len(line) < 2000
        return line
    return ""


@pytest.mark.parametrize("name", FILE_TYPES)
@HOSTILE(max_examples=60)
@given(document=documents)
def test_file_of_any_tables_is_read_or_refused_in_one_line(
    name: str, document: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / f"{name}.toml"
    path.write_text(format_toml(document), encoding="utf-8", errors="replace")
    check_one_line(name, path)


@pytest.mark.parametrize("name", FILE_TYPES)
@HOSTILE(max_examples=30)
@given(raw=st.binary(max_size=200) | st.text(string.printable, max_size=200).map(str.encode))
def test_file_of_any_bytes_is_read_or_refused_in_one_line(
    name: str, raw: bytes, tmp_path: Path
) -> None:
    path = tmp_path / f"{name}.toml"
    path.write_bytes(raw)
    check_one_line(name, path)


SITE = """\
[site]
name = "yard"
latitude = 48.2
longitude = 11.6
[ground]
exponent = 0.5
[[sector]]
id = "gate"
polygon = [[0, 0], [9, 0], [9, 9]]
[[node]]
id = "n01"
x_m = 0
y_m = 0
sector = "gate"
pir_range_m = 12.0
link = "wifi"
"""
WHOLE = "\n".join(
    line.removeprefix("# ") for line in EXAMPLE.splitlines() if " = " in line or "[" in line
)


@pytest.mark.parametrize(("name", "text"), [("gateway", WHOLE), ("site", SITE)])
@HOSTILE(max_examples=100)
@given(data=st.data())
def test_good_file_with_one_value_changed_names_that_key(
    name: str, text: str, data: st.DataObject, tmp_path: Path
) -> None:
    lines = text.splitlines()
    number = data.draw(st.sampled_from([i for i, line in enumerate(lines) if " = " in line]))
    key = lines[number].partition(" = ")[0]
    value = data.draw(values)
    lines[number] = f"{key} = {format_value(value)}"
    path = tmp_path / f"{name}.toml"
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    line = check_one_line(name, path)
    assert not line or key in line or "not valid TOML" in line or names_value(line, value)


def names_value(line: str, value: object) -> bool:
    """A refusal of what the value refers to: a file that cannot be read, a node far away."""
    return "150 km" in line or "cannot be read" in line or "is missing" in line


def format_value(value: Any) -> str:
    return format_toml({"v": value}).removeprefix("v = ").strip()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"\xff", "not valid TOML"),
        (b"a = " + b"1" * 5000, "not valid TOML"),
        (b"a = " + b"[" * 5000, "not valid TOML"),
        (b"x" * ((1 << 20) + 1), "larger than"),
        (b'"a\\nb" = 1', "is not a known key"),
    ],
)
def test_file_that_breaks_the_parser_is_refused_in_one_line(
    raw: bytes, expected: str, tmp_path: Path
) -> None:
    for name in FILE_TYPES:
        path = tmp_path / f"{name}.toml"
        path.write_bytes(raw)
        assert expected in check_one_line(name, path)


def test_example_has_keys_of_the_schema_alone() -> None:
    tables = properties_of(FILES["gateway"])
    known = {key for keys in tables.values() for key in keys} | {"name", "kind", "topic", "url"}
    assert set(re.findall(r"^(?:# )?(\w+) = ", EXAMPLE, re.M)) <= known
