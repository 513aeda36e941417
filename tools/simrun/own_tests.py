# SPDX-License-Identifier: MIT
"""Simrun: worlds and fleets for the tests of a gateway of one's own; pytest_plugin.py offers them.

One seed gives one world: its ground, its people, the noise of its nodes, the keys, and which
messages a link loses.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

from gateway import keys
from gateway.config.site import load_site
from gateway.keysafe import open_root
from gateway.model.place.site import SERIAL, Node, Sector, Site
from sim_hardware.impaired import ImpairedLink
from sim_hardware.world import World, load
from tools import micropython
from tools.bundle import write_tree
from tools.compiled import mpy_of_interpreter
from tools.errors import UserError
from tools.simrun.boxes import MAX_NODES, check_boards, node_config
from tools.simrun.ground import world_of
from tools.simrun.running import SimulatedNodes, run_nodes
from tools.simrun.where import must_answer, parse_broker

_SCHEME = "mqtt://"
_SITE = "sim"  # the name of a site that no file gives
_ROOT_LABEL = b"groundwatch fleet key of a test, seed "


class TestWorld:
    """Simulated ground, the nodes on it and their keys.

    `seed` is what it was made from, `site` the nodes by id and the name that is part of each topic,
    `fleet_key` the 32 bytes from which all keys are derived, `folder` where nodes keep their flash.
    """

    __test__ = False  # pytest collects nothing here

    def __init__(
        self, site: Site, nodes: tuple[Node, ...], world: World, fleet_key: bytes, folder: Path
    ) -> None:
        self.site = site
        self.fleet_key = fleet_key
        self.folder = folder
        self.seed = world.seed
        self.ground = world
        self._nodes = nodes

    @property
    def nodes(self) -> list[str]:
        """The ids of the nodes that are simulated."""
        return [node.id for node in self._nodes]

    def node_key(self, node: str) -> bytes:
        """The 32-byte key that a node was given (docs/wire.md, section 4)."""
        return keys.node_key(self.fleet_key, self.site.name, node)

    def mqtt_password(self, node: str) -> str:
        """With which a node, whose user name is its id, signs in at the broker."""
        return keys.derive(self.node_key(node)).mqtt_password

    def truth(self, until_s: float) -> dict[str, Any]:
        """What happens from 0 to `until_s`: actors with paths, crossings of the line of nodes."""
        return self.ground.truth(until_s)

    def write_trees(self, port: int, interpreter: Path) -> dict[str, Path]:
        """The file system of each node; what it wrote in an earlier run stays. Raises UserError."""
        mpy = mpy_of_interpreter(interpreter)
        trees = {}
        for node in self._nodes:
            tree = trees[node.id] = self.folder / node.id
            config = node_config(self.site.name, node, self.node_key(node.id), port)
            write_tree(config, tree, mpy)
        return trees


def make_world(
    folder: Path,
    seed: int,
    scenario: str | Path | None = None,
    site: str | Path | None = None,
    fleet_key: str | Path | bytes | None = None,
) -> TestWorld:
    """As docs/own-gateway-tests.md describes it. Raises UserError, ConfigError, SimError."""
    path = None if scenario is None else Path(scenario)
    if site is not None:
        made = load_site(Path(site))
    elif path is not None:
        made = _site_of(path)
    else:
        made = _two_nodes()
    nodes = tuple(node for node in made.nodes.values() if node.link != SERIAL)
    if not 1 <= len(nodes) <= MAX_NODES:
        raise UserError(f"{len(nodes)} nodes of {site} use Wi-Fi, and 1 to {MAX_NODES} can run")
    check_boards(nodes)
    world = world_of(made, nodes, path, seed)
    return TestWorld(made, nodes, world, _root(seed, fleet_key), folder)


def _root(seed: int, fleet_key: str | Path | bytes | None) -> bytes:
    if fleet_key is None:
        return hashlib.sha256(_ROOT_LABEL + b"%d" % seed).digest()
    if not isinstance(fleet_key, bytes):
        return open_root(Path(fleet_key))
    if len(fleet_key) != keys.ROOT_BYTES:
        raise UserError(f"a fleet key has {keys.ROOT_BYTES} bytes, not {len(fleet_key)}")
    return fleet_key


def _two_nodes() -> Site:
    nodes = {
        name: Node(name, x_m, 0.0, "gate", pir_azimuth_deg=azimuth, pir_range_m=12.0)
        for name, x_m, azimuth in (("n01", 0.0, 90.0), ("n02", 25.0, 270.0))
    }
    return Site(_SITE, nodes, {"gate": Sector("gate")})


def _site_of(scenario: Path) -> Site:
    """The nodes of a scenario."""
    made = load(scenario)
    nodes = {
        one.id: Node(
            one.id,
            one.x_m,
            one.y_m,
            one.sector,
            one.board,
            pir_azimuth_deg=one.pir_azimuth_deg,
            pir_range_m=one.pir_range_m,
        )
        for one in made.nodes
    }
    polygons = {one.id: one.polygon for one in made.sectors}
    sectors = {
        name: Sector(name, polygons.get(name, ())) for name in (one.sector for one in made.nodes)
    }
    return Site(_SITE, nodes, sectors)


class FleetRun:
    """`async with` runs the nodes of one fleet; `end` is for a block that was never left."""

    def __init__(self, context: AbstractAsyncContextManager[SimulatedNodes]) -> None:
        self._context = context
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> SimulatedNodes:
        nodes = await self._context.__aenter__()
        self._loop = asyncio.get_running_loop()
        return nodes

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        self._loop = None
        return await self._context.__aexit__(kind, error, trace)

    def end(self) -> bool:
        """End the nodes if they were not; whether that was needed. A closed loop has done it."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.run_until_complete(self.__aexit__(None, None, None))
        return loop is not None


@contextlib.asynccontextmanager
async def run_fleet(
    world: TestWorld, broker: str, link: ImpairedLink | None = None
) -> AsyncIterator[SimulatedNodes]:
    """Nodes run while the block does, and connect to `broker` through `link`. Raises UserError and
    SimError; no process and no connection is left."""
    host, port = parse_broker(_without_scheme(broker))
    await asyncio.to_thread(must_answer, (host, port))
    interpreter = await asyncio.to_thread(micropython.find)
    used = link or ImpairedLink(seed=world.seed)
    used.lead_to(host, port)
    async with used:
        trees = await asyncio.to_thread(world.write_trees, used.port, interpreter)
        async with run_nodes(world.ground, trees, used, interpreter, _ignore) as nodes:
            yield nodes


def _without_scheme(broker: str) -> str:
    if "://" not in broker:
        return broker
    if not broker.startswith(_SCHEME):
        raise UserError(f"nodes use {_SCHEME}HOST:PORT, without TLS; not {broker[:80]!r}")
    return broker.removeprefix(_SCHEME).rstrip("/")


def _ignore(_event: object) -> None:
    """Events are kept by the nodes; none is shown."""
