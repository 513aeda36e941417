# SPDX-License-Identifier: MIT
"""Commands: `groundwatch gateway reload`: the running gateway reads its files again."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gateway.api.schema.answers import Changed
from gateway.commands.client import Client
from gateway.commands.options import config_option, json_option
from gateway.config import load_config


@click.command()
@config_option()
@json_option("print one JSON line")
def reload(config: Path, as_json: bool) -> None:
    """The gateway has taken it. Raises ConfigError: then everything is unchanged."""
    changed = Client(load_config(config).data_dir).post("/reload", Changed).changed
    if as_json:
        print(json.dumps({"changed": changed}))
    for subject in () if as_json else changed or ("nothing",):
        print(f"changed: {subject}")
