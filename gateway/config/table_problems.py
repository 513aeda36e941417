# SPDX-License-Identifier: MIT
"""Configuration: each table of a file read by itself, so that a check names the problem of every
table and not the first one alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gateway.errors import ConfigError

_MAX_PROBLEMS = 50
_INDEX = re.compile(r"\[\d+\]")


def problems(
    raw: Mapping[str, Any],
    needed: str,
    least: Mapping[str, Any],
    read: Callable[[Mapping[str, Any]], object],
    source: str,
) -> Iterator[tuple[str, str]]:
    """(key, problem) of each table; then of the whole file, where every table is right.

    `needed` is the table that no file is without, `least` what stands for it while it is wrong.
    """
    head = raw.get(needed, least)
    found = 0
    for at, part in _parts(raw, needed):
        problem = _problem(part if at == needed else {needed: head, **part}, read)
        if problem is None:
            continue
        if at == needed:
            head = least
        found += 1
        yield _placed(problem, at, source)
        if found == _MAX_PROBLEMS:
            return
    if not found and (problem := _problem(raw, read)) is not None:
        yield _placed(problem, "", source)


def _parts(raw: Mapping[str, Any], needed: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each table, and each one of a list of tables; that one is the first of its list here."""
    if needed in raw:
        yield needed, {needed: raw[needed]}
    for name, value in raw.items():
        if name == needed:
            continue
        if isinstance(value, list) and all(isinstance(one, Mapping) for one in value):
            yield from ((f"{name}[{index}]", {name: [one]}) for index, one in enumerate(value))
        else:
            yield name, {name: value}


def _problem(part: Mapping[str, Any], read: Callable[[Mapping[str, Any]], object]) -> str | None:
    try:
        read(part)
    except ConfigError as error:
        return str(error)
    return None


def _placed(problem: str, at: str, source: str) -> tuple[str, str]:
    """With the index that the table has in the file."""
    words = problem.removeprefix(f"{source}: ")
    name, _, _index = at.partition("[")
    if name and words.startswith(f"{name}[0]"):
        words = _INDEX.sub(at.removeprefix(name), words, count=1)
    key = words.partition(" ")[0].rstrip(":") if words.startswith(name) else at
    start = f"{source}: " if problem.startswith(f"{source}: ") else ""
    return key or at, f"{start}{words}"
