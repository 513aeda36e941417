# SPDX-License-Identifier: MIT
"""Sim control: ask an emulated board that runs, one request, and print its answer."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from sim_hardware.emulated.client import Client
from tools.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `groundwatch sim control`."""
    parser.add_argument("control", type=Path, help="the board's control socket")
    parser.add_argument("request", help='one JSON object, as \'{"do": "time"}\'')


def run(args: argparse.Namespace) -> int:
    """Print the answer as one line of JSON."""
    try:
        json.loads(args.request)
    except ValueError as error:
        raise UserError(f"the request is no JSON: {error}") from None
    with Client(args.control) as board:
        print(json.dumps(board.ask_line(args.request)))
    return 0
