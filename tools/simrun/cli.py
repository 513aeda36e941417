# SPDX-License-Identifier: MIT
"""Simrun: `groundwatch sim run`: simulated nodes against a gateway of one's own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from gateway.commands.options import NOT_NEGATIVE, PATH, Number, config_option, json_option
from sim_hardware.impaired import MAX_LOSS_PCT
from tools.errors import UserError
from tools.simrun.boxes import MAX_NODES, read_own
from tools.simrun.where import ask_gateway, must_answer, parse_broker

_MAX_SECONDS = 604_800


@click.command()
@config_option("the gateway's configuration: its site, and the keys of its nodes")
@click.option("--site", type=PATH, metavar="FILE", help="the site  [default: that of --config]")
@click.option(
    "--gateway",
    default="",
    metavar="URL",
    help="ask this gateway where its broker is, with $GROUNDWATCH_TOKEN  "
    "[default: the one that runs on --config]",
)
@click.option("--broker", metavar="HOST:PORT", help="where nodes connect; no gateway is asked")
@click.option("--scenario", type=PATH, help="who walks: a name or a TOML file  [default: a walker]")
@click.option("--seed", type=NOT_NEGATIVE, default=1, help="of the world and of the loss")
@click.option(
    "--seconds",
    type=Number(1, _MAX_SECONDS),
    help="end after so long  [default: until ^C]",
)
@click.option("--nodes", default="", metavar="n01,n02", help="only these  [default: all on Wi-Fi]")
@click.option(
    "--add",
    type=click.IntRange(1, MAX_NODES),
    metavar="N",
    help="put so many nodes into a site that has none, 25 m apart",
)
@click.option(
    "--loss",
    type=click.IntRange(0, MAX_LOSS_PCT),
    default=0,
    metavar="PCT",
    help="share of messages at which the connection breaks",
)
@json_option("print JSON lines; the last sums up")
def run(
    config: Path,
    site: Path | None,
    gateway: str,
    broker: str | None,
    scenario: Path | None,
    seed: int,
    seconds: float | None,
    nodes: str,
    add: int | None,
    loss: int,
    as_json: bool,
) -> int:
    """1 when a node was never let in by the broker."""
    if gateway and broker:
        raise UserError("--gateway asks for the broker and --broker names it: give one of them")
    wanted = [name.strip() for name in nodes.split(",") if name.strip()]
    named = None if broker is None else parse_broker(broker)
    own = read_own(config, site, wanted, add or 0)
    if own.added and not as_json:
        print(f"added {', '.join(node.id for node in own.nodes)} to the site {own.site.name}")
    address = named or ask_gateway(own.config.data_dir, gateway, own.site.name)
    must_answer(address)
    # The simulator takes a second and a half to import: not for help, and not for a wrong option.
    from tools.simrun.ground import world_of
    from tools.simrun.session import run_session

    world = world_of(own.site, own.nodes, scenario, seed)
    return asyncio.run(run_session(own, world, address, loss, seconds, as_json))
