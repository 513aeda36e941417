# SPDX-License-Identifier: MIT
"""Simrun: one run of the nodes: what happens is shown line by line, and summed up at the end."""

from __future__ import annotations

import asyncio
import json

import click
from rich.console import Console

from sim_hardware.impaired import ImpairedLink
from sim_hardware.world import World
from tools.simrun.boxes import Own
from tools.simrun.events import Event
from tools.simrun.running import simulated
from tools.simrun.where import Address
from tools.stop import stop_signals


async def run_session(
    own: Own, world: World, broker: Address, loss: int, seconds: float | None, as_json: bool
) -> int:
    """Until it is stopped or its time is over. 1 when a node was never let in by the broker."""
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
