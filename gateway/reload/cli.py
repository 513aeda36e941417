# SPDX-License-Identifier: MIT
"""`groundwatch reload`: the gateway that runs reads its schedules, outputs and site anew."""

from __future__ import annotations

import argparse
import json

from gateway import control
from gateway.config import add_option, load_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    add_option(parser, "configuration file of that gateway")
    parser.add_argument("--json", action="store_true", help="print one JSON line")


def run(args: argparse.Namespace) -> int:
    """0 when the gateway has taken it. Raises ConfigError: then everything stays as it was."""
    answer = control.ask(load_config(args.config).data_dir, {"verb": "reload"})
    if args.json:
        print(json.dumps(answer))
    for subject in () if args.json else answer["changed"] or ("nothing",):
        print(f"changed: {subject}")
    return 0
