# SPDX-License-Identifier: MIT
"""Simrun: the world in which the nodes of one's own site stand, and who walks there."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from pathlib import Path

from gateway.model.place.site import Node, Site
from sim_hardware.site import NodeSpec, SectorSpec
from sim_hardware.world import Scenario, World, load
from sim_hardware.world.ambient import Weather
from sim_hardware.world.scenario import ActorSpec
from tools.errors import UserError

_PIR_RANGE_M = 12.0  # of a node without one in site.toml, as of `groundwatch node flash`
_BOARD = "pico_w"
_MAX_WAYS = 50
_REACH_M = 28.0  # a walker begins and ends so far from the line of nodes
_BESIDE_M = 8.0  # and passes a node at this distance, where the next one is far away
_FIRST_S, _EVERY_S = 5.0, 60.0
_NEAR_M = 30.0  # footsteps further away are rarely reported
_XY = tuple[float, float]


def world_of(site: Site, nodes: Iterable[Node], scenario: Path | None, seed: int) -> World:
    """The chosen nodes of a site. Without a scenario a walker crosses the line of nodes every
    minute; a scenario's people, weather and ground are moved so that the middle of its nodes is in
    the middle of these. Raises SimError, and UserError where no path comes near a node."""
    specs = tuple(_spec(node) for node in nodes)
    if scenario is None:
        made = Scenario(
            site.name,
            specs,
            actors=_walkers(specs),
            weather=Weather(level_nm_s=80, wind_m_s=2),
            excess_loss_db=(0.0, 6.0),
        )
    else:
        made = _moved(load(scenario), specs)
        if made.actors and _nearest_m(made) > _NEAR_M:
            raise UserError(
                f"no path in {scenario} comes within {_NEAR_M:.0f} m of a node of this site: take "
                "another --scenario, write one for it, or leave it out"
            )
    sectors = tuple(SectorSpec(one.id, one.polygon) for one in site.sectors.values())
    return World(dataclasses.replace(made, name=site.name, sectors=sectors), seed)


def _spec(node: Node) -> NodeSpec:
    return NodeSpec(
        node.id,
        node.x_m,
        node.y_m,
        node.sector,
        node.board or _BOARD,
        (node.pir_azimuth_deg or 0.0) % 360,
        _PIR_RANGE_M if node.pir_range_m is None else min(50.0, max(0.0, node.pir_range_m)),
    )


def _walkers(nodes: tuple[NodeSpec, ...]) -> tuple[ActorSpec, ...]:
    """By turns over each stretch between two nodes, at right angles to it."""
    stretches = list(zip(nodes[:-1], nodes[1:], strict=True))[:_MAX_WAYS]
    ways = [_across((a.x_m, a.y_m), (b.x_m, b.y_m)) for a, b in stretches if _apart(a, b)]
    if not ways:
        ways = [_across((nodes[0].x_m, nodes[0].y_m), (nodes[0].x_m + 20.0, nodes[0].y_m))]
    return tuple(
        ActorSpec(
            id=f"walker{number}",
            class_name="person",
            path=way,
            start_s=_FIRST_S + _EVERY_S * (number - 1),
            every_s=_EVERY_S * len(ways),
            speed_m_s=1.35,
            heel=0.2,
            alternate=True,
        )
        for number, way in enumerate(ways, 1)
    )


def _apart(a: NodeSpec, b: NodeSpec) -> bool:
    return math.dist((a.x_m, a.y_m), (b.x_m, b.y_m)) > 1.0


def _across(a: _XY, b: _XY) -> tuple[_XY, _XY]:
    away_m = math.dist(a, b)
    east, north = (b[0] - a[0]) / away_m, (b[1] - a[1]) / away_m
    along_m = min(0.4 * away_m, _BESIDE_M)
    x_m, y_m = a[0] + along_m * east, a[1] + along_m * north
    return (
        (x_m + _REACH_M * north, y_m - _REACH_M * east),
        (x_m - _REACH_M * north, y_m + _REACH_M * east),
    )


def _moved(scenario: Scenario, nodes: tuple[NodeSpec, ...]) -> Scenario:
    (from_x, from_y), (to_x, to_y) = _middle(scenario.nodes), _middle(nodes)
    dx_m, dy_m = to_x - from_x, to_y - from_y

    def path(points: tuple[_XY, ...]) -> tuple[_XY, ...]:
        return tuple((x_m + dx_m, y_m + dy_m) for x_m, y_m in points)

    known = {node.id for node in nodes}
    return dataclasses.replace(
        scenario,
        nodes=nodes,
        origin=None,
        actors=tuple(dataclasses.replace(one, path=path(one.path)) for one in scenario.actors),
        nuisances=tuple(
            dataclasses.replace(one, x_m=one.x_m + dx_m, y_m=one.y_m + dy_m, path=path(one.path))
            for one in scenario.nuisances
        ),
        node_faults=tuple(one for one in scenario.node_faults if one.node in known),
    )


def _middle(nodes: tuple[NodeSpec, ...]) -> _XY:
    count = len(nodes)
    return sum(node.x_m for node in nodes) / count, sum(node.y_m for node in nodes) / count


def _nearest_m(scenario: Scenario) -> float:
    return min(
        _from_way_m((node.x_m, node.y_m), a, b)
        for actor in scenario.actors
        for a, b in zip(actor.path, actor.path[1:] or actor.path, strict=False)
        for node in scenario.nodes
    )


def _from_way_m(place: _XY, a: _XY, b: _XY) -> float:
    length_m = math.dist(a, b)
    if not length_m:
        return math.dist(place, a)
    along = ((place[0] - a[0]) * (b[0] - a[0]) + (place[1] - a[1]) * (b[1] - a[1])) / length_m**2
    at = min(1.0, max(0.0, along))
    return math.dist(place, (a[0] + at * (b[0] - a[0]), a[1] + at * (b[1] - a[1])))
