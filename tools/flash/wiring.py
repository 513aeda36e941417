# SPDX-License-Identifier: MIT
"""Wiring of a board: the table of its README, on a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from tools.flash.boards import BoardKind


def print_wiring(kind: BoardKind) -> None:
    """Print the table."""
    table = Table(title=f"wire the {kind.name}", box=box.SIMPLE, title_justify="left")
    for column in ("what", "pin", "wiring"):
        table.add_column(column)
    for row in kind.wiring():
        table.add_row(*row)
    Console().print(table)
