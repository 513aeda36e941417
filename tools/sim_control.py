# SPDX-License-Identifier: MIT
"""Sim control: send one request to a running emulated board and print its answer."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gateway.commands.options import PATH
from sim_hardware.emulated.client import Client
from tools.errors import UserError


@click.command()
@click.argument("socket", type=PATH)
@click.argument("request")
def control(socket: Path, request: str) -> None:
    """REQUEST is one JSON object; the answer is printed as one line of JSON."""
    try:
        json.loads(request)
    except ValueError as error:
        raise UserError(f"the request is no JSON: {error}") from None
    with Client(socket) as board:
        print(json.dumps(board.ask_line(request)))
