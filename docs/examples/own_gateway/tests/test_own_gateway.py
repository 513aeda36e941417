# SPDX-License-Identifier: MIT
"""The gateway against nodes that run the firmware itself, on simulated ground."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from own_gateway import OwnGateway

from gateway.wire.messages import TargetClass


def gateway_of(world, broker: str, folder: Path) -> OwnGateway:
    """Our gateway, with the keys of these nodes."""
    host, port = broker.removeprefix("mqtt://").split(":")
    node_keys = {node: world.node_key(node) for node in world.nodes}
    return OwnGateway(world.site.name, node_keys, host, int(port), folder)


async def until(is_true: Callable[[], bool], within_s: float) -> None:
    """Wait, or fail the test."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + within_s
    while not is_true():
        assert loop.time() < end_s, f"not within {within_s:g} s"
        await asyncio.sleep(0.1)


def made_by(nodes) -> set[tuple[str, int, int]]:
    """The detections that the nodes made, by what names them on the wire."""
    return {(one.node, one.boot, one.seq) for one in nodes.made}


def classes_of(gateway: OwnGateway) -> set[TargetClass]:
    """What the received detections were classified as."""
    return {one.class_ for one in gateway.detections.values()}


async def test_walker_is_received(groundwatch_world, groundwatch_fleet, broker, tmp_path):
    """A walker crosses the line of two nodes, 25 m apart."""
    world = groundwatch_world(seed=7)
    async with (
        gateway_of(world, broker, tmp_path) as gateway,
        groundwatch_fleet(world, broker) as nodes,
    ):
        await nodes.link_up()
        await until(lambda: TargetClass.PERSON in classes_of(gateway), 60)
        assert set(gateway.detections) <= made_by(nodes)
    assert gateway.refused == 0


async def test_detections_made_during_an_outage_arrive_after_it(
    groundwatch_world, groundwatch_link, groundwatch_fleet, broker, tmp_path
):
    """The link is slow, and cut while the walker passes."""
    world = groundwatch_world(seed=7)
    link = groundwatch_link(world, delay_s=0.2)
    async with (
        gateway_of(world, broker, tmp_path) as gateway,
        groundwatch_fleet(world, broker, link=link) as nodes,
    ):
        await nodes.link_up()
        link.cut()
        await until(lambda: len(nodes.made) >= 3, 60)
        missing = made_by(nodes) - set(gateway.detections)
        assert missing
        link.restore()
        await until(lambda: missing <= set(gateway.detections), 90)


async def test_nothing_is_lost_over_a_bad_link(
    groundwatch_world, groundwatch_link, groundwatch_fleet, broker, tmp_path
):
    """The link is slow, breaks at three messages of ten, and is cut while the walker passes."""
    world = groundwatch_world(seed=7)
    link = groundwatch_link(world, loss_pct=30, delay_s=0.2)
    async with (
        gateway_of(world, broker, tmp_path) as gateway,
        groundwatch_fleet(world, broker, link=link) as nodes,
    ):
        await until(lambda: link.breaks >= 2, 90)
        link.cut()
        before = len(nodes.made)
        await until(lambda: len(nodes.made) > before, 90)
        made = made_by(nodes)
        assert made - set(gateway.detections)
        link.loss_pct = 0
        link.restore()
        # A node waits up to 90 s before it connects again.
        await until(lambda: made <= set(gateway.detections), 150)
        assert set(gateway.detections) <= made_by(nodes)
    assert gateway.refused == 0
