# SPDX-License-Identifier: MIT
"""Configuration: the line of a TOML file on which a key stands, for people who correct it."""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_-]+(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*[=.]")
_OF_PARSER = re.compile(r"\(at line (\d+), column \d+\)")
_STEP = re.compile(r"([A-Za-z0-9_-]+)(?:\[(\d+)\])?")


def line_of(text: str, key: str) -> int | None:
    """Of a key such as `arming[1].sectors`, from 1; else of the table that holds it; None for none.

    A line inside of a value over several lines may be taken for a key: the number is for a reader.
    """
    steps = [(name, int(index or 0)) for name, index in _STEP.findall(key)]
    if not steps:
        return None
    start = _table(text.splitlines(), *steps[0])
    if start is None:
        return _key(text.splitlines(), 0, steps[0][0])
    inner = _key(text.splitlines(), start, steps[1][0]) if len(steps) > 1 else None
    return inner or start


def line_of_parser(problem: str) -> int | None:
    """The line that tomllib names in its message."""
    found = _OF_PARSER.search(problem)
    return int(found[1]) if found else None


def _table(lines: list[str], name: str, index: int) -> int | None:
    seen = 0
    for number, line in enumerate(lines, 1):
        match = _HEADER.fullmatch(line)
        if match and re.sub(r"\s", "", match[2]) == name:
            if match[1] == "[" or seen == index:
                return number
            seen += 1
    return None


def _key(lines: list[str], start: int, name: str) -> int | None:
    """In the table whose header is line `start`; 0 is the top of the file."""
    for number, line in enumerate(lines[start:], start + 1):
        if _HEADER.fullmatch(line):
            return None
        match = _KEY.match(line)
        if match and match[1] == name:
            return number
    return None
