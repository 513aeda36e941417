# SPDX-License-Identifier: MIT
"""`groundwatch node place`: the position of a node, given to the running gateway."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.api.schema.answers import Changed
from gateway.api.schema.bodies import PositionBody
from gateway.commands.client import Client, part
from gateway.commands.options import config_option, json_option
from gateway.config import load_config
from gateway.config.site import load_site
from gateway.model import text
from tools.errors import UserError
from tools.flash.positions import position_of


@click.command()
@click.argument("node")
@click.option("--at", metavar="X,Y", help="metres east and north")
@click.option(
    "--at-gps", metavar="LAT,LON[,ERROR_M]", help="what a receiver shows; the site needs an origin"
)
@click.option("--sector", default="", help="for a node that the site does not have yet")
@config_option()
@json_option()
def place(
    node: str, at: str | None, at_gps: str | None, sector: str, config: Path, as_json: bool
) -> None:
    """Place a node, or move it. site.toml has the position when this returns."""
    given = load_config(config)
    position = position_of(at, at_gps, load_site(given.site).origin)
    if position is None:
        raise UserError("give the position: --at 75,12.5 or --at-gps 48.1374,11.5755,3")
    degrees = position.latitude is not None
    body = PositionBody(
        x_m=None if degrees else position.x_m,
        y_m=None if degrees else position.y_m,
        latitude=position.latitude,
        longitude=position.longitude,
        error_m=position.error_m,
        sector=sector,
    )
    done = Client(given.data_dir).post(f"/nodes/{part(node)}/position", Changed, body)
    if as_json:
        print(text.format_json(done))
        return
    print(f"{node} is at {position}" if done.changed else f"{node} was at {position} already")
