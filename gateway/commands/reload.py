# SPDX-License-Identifier: MIT
"""Commands: `groundwatch reload`: the running gateway reads its schedules, outputs and site."""

from __future__ import annotations

import argparse
import json

from gateway.api.schema.answers import Changed
from gateway.commands.client import Client
from gateway.config import add_option, load_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    add_option(parser, "configuration file of that gateway")
    parser.add_argument("--json", action="store_true", help="print one JSON line")


def run(args: argparse.Namespace) -> int:
    """0 when the gateway has taken it. Raises ConfigError: then everything stays as it was."""
    changed = Client(load_config(args.config).data_dir).post("/reload", Changed).changed
    if args.json:
        print(json.dumps({"changed": changed}))
    for subject in () if args.json else changed or ("nothing",):
        print(f"changed: {subject}")
    return 0
