# SPDX-License-Identifier: MIT
"""Limits for readers: short files and functions, a docstring for each, explained waivers."""

from __future__ import annotations

import ast
import re

from tests.architecture.tree import ON_NODE, files, parsed, python_files, text

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 70
VAGUE_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common)(_|$)")
WAIVER = re.compile(r"#\s*(?:noqa\b|type:\s*ignore\b|pragma:)(.*)")
# After the codes, a reason in a few words.
EXPLAINED = re.compile(r"^(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|\[[\w\-, ]+\])\W+\w+\W+\w+")
SPDX = "SPDX-License-Identifier: MIT"
SOURCE = (".py", ".pyi", ".js", ".css")


def test_files_are_within_the_line_limit():
    long = {
        path: lines
        for path in files()
        if path.endswith(SOURCE) and (path in python_files() or not path.endswith(".py"))
        if (lines := len(text(path).splitlines())) > MAX_FILE_LINES
    }
    assert not long


def test_functions_are_within_the_line_limit():
    long = [
        f"{path}:{node.lineno} {node.name}: {length} lines"
        for path in python_files()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]
    assert not long


def test_modules_have_a_summary_in_the_first_line():
    silent = []
    for path in python_files("firmware", "gateway", "sim_hardware", "tools"):
        if path.endswith("__init__.py") and not parsed(path).body:
            continue
        first = (ast.get_docstring(parsed(path)) or "").split("\n")[0]
        lines = [line for line in text(path).splitlines() if line and SPDX not in line]
        if path.startswith(ON_NODE) and not first and lines[0].startswith("#"):
            first = lines[0].lstrip("# ")
        if len(first.split()) < 3:
            silent.append(path)
    assert not silent


def test_sources_carry_their_licence():
    bare = [
        path
        for path in files()
        if path.endswith((*SOURCE, "Makefile", ".ci/run"))
        and not any(SPDX in line for line in text(path).splitlines()[:5])
    ]
    assert not bare


def test_waivers_of_a_check_give_a_reason():
    unexplained = [
        f"{path}:{number}"
        for path in python_files()
        if path != "tests/architecture/test_files.py"
        for number, line in enumerate(text(path).splitlines(), 1)
        if (match := WAIVER.search(line)) and not EXPLAINED.match(match[1])
    ]
    assert not unexplained


def test_no_module_has_a_name_without_a_subject():
    vague = [
        path
        for path in python_files()
        if any(VAGUE_NAMES.search(part.removesuffix(".py")) for part in path.split("/"))
    ]
    assert not vague


def test_tests_are_named_by_subject_circumstance_and_outcome():
    short = [
        f"{path}:{node.lineno} {node.name}"
        for path in python_files("tests")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and len(node.name.split("_")) < 4
    ]
    assert not short
