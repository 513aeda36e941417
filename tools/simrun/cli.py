# SPDX-License-Identifier: MIT
"""Simrun: `groundwatch sim run`: simulated nodes against a gateway of one's own."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import click
from rich.console import Console

from gateway.commands.options import NOT_NEGATIVE, PATH, Number, config_option, json_option
from sim_hardware.impaired import MAX_LOSS_PCT, ImpairedLink
from sim_hardware.world import World
from tools.errors import UserError
from tools.simrun.boxes import Own, read_own
from tools.simrun.events import Event
from tools.simrun.ground import world_of
from tools.simrun.running import simulated
from tools.simrun.where import Address, ask_gateway, must_answer, parse_broker
from tools.stop import stop_signals

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
    loss: int,
    as_json: bool,
) -> int:
    """1 when a node was never let in by the broker."""
    if gateway and broker:
        raise UserError("--gateway asks for the broker and --broker names it: give one of them")
    own = read_own(config, site, [name.strip() for name in nodes.split(",") if name.strip()])
    if broker:
        address = parse_broker(broker)
    else:
        address = ask_gateway(own.config.data_dir, gateway, own.site.name)
    must_answer(address)
    world = world_of(own.site, own.nodes, scenario, seed)
    return asyncio.run(_run(own, world, address, loss, seconds, as_json))


async def _run(
    own: Own, world: World, broker: Address, loss: int, seconds: float | None, as_json: bool
) -> int:
    console = Console(highlight=False)

    def show(event: Event) -> None:
        if as_json:
            print(json.dumps(event), flush=True)
        else:
            console.print(_sentence(event), soft_wrap=True, markup=False)

    link = ImpairedLink(*broker, seed=world.seed)
    link.loss_pct = loss
    with stop_signals() as stop:
        async with simulated(own, world, link, show) as running:
            try:
                async with asyncio.timeout(seconds and seconds - running.now_s):
                    await stop.wait()
            except TimeoutError:
                pass
            summary, unlinked = running.summary(), running.why_unlinked()
    show(summary)
    if unlinked:
        click.echo(f"groundwatch: never let in by the broker: {unlinked}", err=True)
    return int(bool(unlinked))


def _sentence(event: Event) -> str:
    if event["type"] == "summary":
        return "  ".join(
            f"{key}={len(value) if key == 'crossings' else value}"
            for key, value in event.items()
            if key != "type"
        )
    more = {key: value for key, value in event.items() if key not in ("type", "t_s", "node")}
    words = " ".join(f"{key}={value}" for key, value in more.items())
    return f"{event['t_s']:8.1f} s  {event['node']}  {event['type'].replace('_', ' ')}  {words}"
