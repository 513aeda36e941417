# SPDX-License-Identifier: MIT
"""Simrun: a fleet of simulated nodes that is linked to a broker, from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from sim_hardware.fleet import Fleet, Made
from sim_hardware.impaired import ImpairedLink
from sim_hardware.world import World
from tools import micropython
from tools.simrun.boxes import Own, kept_folder, node_keys, write_nodes
from tools.simrun.events import Event, Events, Show


class SimulatedNodes:
    """Nodes that run; `link` may be impaired at any time."""

    def __init__(self, world: World, fleet: Fleet, link: ImpairedLink, events: Events) -> None:
        self.world = world
        self.fleet = fleet
        self.link = link
        self._events = events

    @property
    def events(self) -> list[Event]:
        """What nodes reported so far, oldest first: node_started, link_up, link_failed, onset."""
        return list(self._events.kept)

    @property
    def made(self) -> list[Made]:
        """The detections that nodes made so far, with the boot and seq that name them."""
        return self.fleet.made

    @property
    def unlinked(self) -> list[str]:
        """Nodes that no broker has let in yet."""
        return [node.id for node in self.world.nodes if node.id not in self._events.linked]

    @property
    def now_s(self) -> float:
        """Seconds of the world."""
        return self._events.now_s()

    async def link_up(self, within_s: float = 60.0) -> None:
        """Until every node has reached the broker. Raises TimeoutError that names the others."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + within_s
        while self.unlinked:
            if loop.time() >= end_s:
                raise TimeoutError(f"not linked within {within_s:g} s: {self.why_unlinked()}")
            await asyncio.sleep(0.05)

    def why_unlinked(self) -> str:
        """Each node that was never let in, with the last reason it gave."""
        failures = self._events.failures
        return ", ".join(f"{node} ({failures.get(node, 'no answer')})" for node in self.unlinked)

    def kill(self, node: str) -> None:
        """Take a node's power away; it starts again, as after any reset."""
        self.fleet.kill(node)

    def truth(self) -> dict[str, Any]:
        """What has happened in the world so far: actors with paths, crossings, conditions."""
        return self.world.truth(max(0.0, self.now_s))

    def summary(self) -> Event:
        """Counts of the run, with the truth of who crossed the line of nodes."""
        truth = self.truth()
        return {
            "type": "summary",
            "seconds": self.now_s,
            "nodes": len(self.world.nodes),
            "nodes_linked": len(self.world.nodes) - len(self.unlinked),
            "onsets": self._events.onsets,
            "restarts": sum(self.fleet.restarts.values()),
            "link_breaks": self.link.breaks,
            "late_blocks": self.fleet.late_blocks,
            "passes": len(truth["actors"]),
            "crossings": truth["crossings"],
        }


@contextlib.asynccontextmanager
async def simulated(
    own: Own, world: World, link: ImpairedLink, show: Show
) -> AsyncIterator[SimulatedNodes]:
    """Nodes run while the block does; `link` leads to the broker and is entered here.

    Raises UserError, ConfigError and SimError; no process is left.
    """
    secrets = node_keys(own)
    interpreter = await asyncio.to_thread(micropython.find)
    with kept_folder(own.config) as folder:
        async with link:
            trees = await asyncio.to_thread(
                write_nodes, own, secrets, link.port, folder, interpreter
            )
            async with run_nodes(world, trees, link, interpreter, show) as nodes:
                yield nodes


@contextlib.asynccontextmanager
async def run_nodes(
    world: World, trees: Mapping[str, Path], link: ImpairedLink, interpreter: Path, show: Show
) -> AsyncIterator[SimulatedNodes]:
    """The nodes of these trees run while the block does, behind a link that was entered before."""
    events = Events(show)
    fleet = Fleet(
        world,
        trees,
        micropython=interpreter,
        seed=world.seed,
        in_place=True,
        on_line=events.take,
    )
    async with fleet:
        events.zero_s = fleet.t0_utc_s
        yield SimulatedNodes(world, fleet, link, events)
