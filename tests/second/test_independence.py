# SPDX-License-Identifier: MIT
"""The second family is independent: no import either way, parameters sourced, used, frozen."""

from __future__ import annotations

import ast
import hashlib
import re

import pytest

from sim_hardware.errors import SimError
from sim_hardware.second import parameters
from tests.architecture.tree import ROOT, files, imports, parsed, python_files, text, under

FOLDER = "sim_hardware/second"
# The tuned code and its training data: they must not use the family of the score.
TUNED = ("tools/train/", "sim_hardware/world/", "sim_hardware/scenarios/", "firmware/")
NAMED = re.compile(r"sim_hardware[./]second|second[-_ ]family")


def test_second_family_imports_nothing_of_the_first():
    broken = [
        f"{path} imports {name}"
        for path in python_files(FOLDER)
        for name in imports(path)
        if under(name, "sim_hardware.world", "sim_hardware.scenarios", "tools", "ugs")
    ]
    assert len(python_files(FOLDER)) > 20
    assert not broken


def test_nothing_that_is_tuned_imports_or_names_the_second_family():
    paths = [path for path in files() if path.startswith(TUNED)]
    broken = [
        path
        for path in paths
        if path.endswith((".py", ".toml", ".json"))
        and (
            NAMED.search(text(path))
            or (
                path.endswith(".py") and any(under(n, "sim_hardware.second") for n in imports(path))
            )
        )
    ]
    assert any(path.endswith(".py") for path in paths)
    assert not broken


def test_parameters_are_those_that_were_frozen():
    frozen = (ROOT / FOLDER / "frozen.txt").read_text(encoding="utf-8").splitlines()
    last = [line for line in frozen if line and not line.startswith("#")][-1]
    digest, date, why = last.split(maxsplit=2)
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", date) and len(why.split()) > 3
    assert hashlib.sha256(parameters.PATH.read_bytes()).hexdigest() == digest


def test_every_parameter_has_numbers_and_a_source():
    bad = [
        name
        for name, entry in parameters.entries().items()
        if len(entry.keys() & {"value", "range", "values"}) != 1
        or entry.keys() - {"value", "range", "values", "source"}
        or len(entry.get("source", "").split()) < 1
        or ("range" in entry and not entry["range"][0] < entry["range"][1])
    ]
    assert not bad


def test_every_parameter_is_used_by_some_model():
    # Names are written out, or put together in an f-string from a kind and a property.
    patterns = []
    for path in python_files(FOLDER):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.JoinedStr):
                parts = [
                    re.escape(p.value) if isinstance(p, ast.Constant) else r"\w+"
                    for p in node.values
                ]
                patterns.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                patterns.append(re.escape(node.value))
    dotted = [re.compile(one) for one in patterns if "." in one]
    unused = [name for name in parameters.entries() if not any(p.fullmatch(name) for p in dotted)]
    assert not unused


def test_page_has_the_table_of_parameters_as_they_are():
    assert parameters.table() in text("docs/second-family.md")


def test_parameter_that_does_not_exist_is_refused():
    with pytest.raises(SimError, match="soil.colour"):
        parameters.value("soil.colour")
    with pytest.raises(SimError, match="no range"):
        parameters.span("soil.lamb")
