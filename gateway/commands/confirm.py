# SPDX-License-Identifier: MIT
"""Commands: `groundwatch gateway confirm`: what the gateway doubts, and a person's confirmation."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gateway.api.schema.answers import Doubts
from gateway.api.schema.bodies import ReasonBody
from gateway.commands.client import Client, part
from gateway.commands.options import config_option, json_option
from gateway.config import load_config
from gateway.errors import ConfigError
from gateway.model.doubt import Doubt


@click.command()
@click.argument("what", required=False, metavar="[clock|store]")
@click.option("--reason", help="how you checked it; recorded")
@config_option()
@json_option()
def confirm(what: str | None, reason: str | None, config: Path, as_json: bool) -> None:
    """Without a name: list what is to be confirmed. Raises ConfigError."""
    client = Client(load_config(config).data_dir)
    if what is None:
        found = client.get("/doubts", Doubts).doubts
        for doubt in found:
            print(_shown(doubt, as_json))
        if not found and not as_json:
            print("nothing is to be confirmed")
        return
    if not reason:
        raise ConfigError('state how you checked it, for example --reason "compared with a phone"')
    done = client.post(f"/doubts/{part(what)}/confirm", Doubt, ReasonBody(reason=reason))
    print(_shown(done, as_json) if as_json else f"confirmed: {done.id}")


def _shown(doubt: Doubt, as_json: bool) -> str:
    if as_json:
        facts = {"id": doubt.id, "since_us": doubt.since_us, "text": doubt.text}
        return json.dumps({"type": "doubt", **facts})
    return f"{doubt.id}: {doubt.text}"
