# SPDX-License-Identifier: MIT
"""listed.toml: how each command line of the pages is checked."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from tests.docs_commands.blocks import SHELL, Block, all_blocks, commands

FILE = Path(__file__).with_name("listed.toml")
_Text = Annotated[str, Meta(min_length=1)]


class Page(Struct, frozen=True, forbid_unknown_fields=True):
    """[[page]]: its commands are executed in order, but for those of the other rows."""

    page: _Text
    stage: _Text
    is_long: bool = False


class Elsewhere(Struct, frozen=True, forbid_unknown_fields=True):
    """[[elsewhere]]: another test executes these; the text `reads` in its file shows it."""

    page: _Text
    commands: Annotated[tuple[_Text, ...], Meta(min_length=1)]
    test: _Text
    reads: _Text


class NotRun(Struct, frozen=True, forbid_unknown_fields=True):
    """[[not_run]]: no test executes these, and why."""

    page: _Text
    commands: Annotated[tuple[_Text, ...], Meta(min_length=1)]
    reason: Annotated[str, Meta(min_length=15)]


class Listed(Struct, frozen=True, forbid_unknown_fields=True):
    """listed.toml."""

    page: tuple[Page, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    not_run: tuple[NotRun, ...] = ()


@cache
def listed() -> Listed:
    """The list."""
    return msgspec.toml.decode(FILE.read_bytes(), type=Listed)


def is_of(row: Elsewhere | NotRun, page: str, command: str) -> bool:
    """Whether a row is about this command: by how the command starts, or `*` for all."""
    return row.page == page and any(one == "*" or command.startswith(one) for one in row.commands)


def executed(page: str, blocks: list[Block], rows: Listed | None = None) -> list[str]:
    """The commands of a page that its own run executes, in order."""
    rows = rows or listed()
    others = (*rows.elsewhere, *rows.not_run)
    return [
        command
        for block in blocks
        if block.page == page and block.language in SHELL
        for command in commands(block)
        if not any(is_of(row, page, command) for row in others)
    ]


def faults(blocks: list[Block] | None = None, rows: Listed | None = None) -> list[str]:
    """What is in no row or in two, and rows that match nothing; empty when the list is right."""
    blocks = all_blocks() if blocks is None else blocks
    rows = rows or listed()
    others = (*rows.elsewhere, *rows.not_run)
    run = {row.page for row in rows.page}
    typed = [
        (block, command)
        for block in blocks
        if block.language in SHELL
        for command in commands(block)
    ]
    found = []
    for block, command in typed:
        count = sum(is_of(row, block.page, command) for row in others)
        if count > 1:
            found.append(f"{block.place}: {command!r} is in {count} rows")
        elif not count and block.page not in run:
            found.append(f"{block.place}: {command!r} is neither executed nor listed")
    for row in others:
        for start in row.commands:
            if not any(
                block.page == row.page and (start == "*" or command.startswith(start))
                for block, command in typed
            ):
                found.append(f"{row.page}: no command starts with {start!r}")
    idle = [page for page in sorted(run) if not executed(page, blocks, rows)]
    found += [f"{page}: no command is left to execute" for page in idle]
    return found
