# SPDX-License-Identifier: MIT
"""Options that `node flash`, `node provision` and `node revoke` share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.commands.options import config_option, json_option
from gateway.model.place.site import LINKS

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class BoardOptions:
    """Values of `board_options` and of NODE."""

    node: str
    config: Path
    at: str | None
    at_gps: str | None
    sector: str | None
    board: str | None
    link: str | None
    port: str | None
    by: str | None
    why: str | None
    as_json: bool


def board_options(command: _Function) -> _Function:
    """Options of a verb that makes a board a node: where it is placed, and how it is reached."""
    options = (
        click.option("--at", metavar="X,Y", help="metres east and north, for a new node"),
        click.option(
            "--at-gps",
            metavar="LAT,LON[,ERROR_M]",
            help="the same by a receiver, WGS 84; the site needs an origin in site.toml",
        ),
        click.option("--sector", help="the sector it guards, for a new node"),
        click.option("--board", help="the kind of board, where the board does not report it"),
        click.option(
            "--link",
            type=click.Choice(LINKS),
            help="how it reaches the gateway  [default: Wi-Fi, or that of site.toml]",
        ),
        click.option("--port", help="its serial port  [default: the one that is plugged in]"),
    )
    for option in reversed(options):
        command = option(command)
    return record_options(command)


def record_options(command: _Function) -> _Function:
    """Configuration, record and output of all of them."""
    options = (
        config_option("the gateway's configuration"),
        click.option("--by", help="who does this  [default: the user who is logged in]"),
        click.option("--why", help="why, for the record"),
        json_option("print what was done as JSON"),
    )
    for option in reversed(options):
        command = option(command)
    return command
