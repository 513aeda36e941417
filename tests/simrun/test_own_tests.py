# SPDX-License-Identifier: MIT
"""Worlds for the tests of an own gateway: one seed gives one world, keys and loss included."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from gateway import keys
from sim_hardware.impaired import ImpairedLink
from tests.simrun.process import SITE
from tools.simrun.own_tests import TestWorld, make_world


def ground_of(world: TestWorld) -> list[bytes]:
    blocks = itertools.islice(world.ground.blocks(1.0), 20)
    return [block.velocity_m_s[node].tobytes() for block in blocks for node in world.nodes]


def test_seed_decides_on_ground_truth_and_keys(tmp_path: Path) -> None:
    first, again, other = (make_world(tmp_path, seed) for seed in (5, 5, 6))
    assert ground_of(first) == ground_of(again) != ground_of(other)
    assert first.truth(60) == again.truth(60)
    assert first.fleet_key == again.fleet_key != other.fleet_key
    assert first.mqtt_password("n01") == again.mqtt_password("n01") != first.mqtt_password("n02")


def test_site_and_fleet_key_of_the_user_are_used(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SITE)
    root = keys.create_fleet_root(tmp_path / "fleet.key")
    paths = {"site": tmp_path / "site.toml", "fleet_key": tmp_path / "fleet.key"}
    world = make_world(tmp_path, 1, **paths)
    assert (world.site.name, world.nodes) == ("yard", ["n01", "n02"])
    assert world.node_key("n02") == keys.node_key(root, "yard", "n02")
    assert make_world(tmp_path, 1, site=paths["site"], fleet_key=root).fleet_key == root


def test_scenario_brings_its_nodes_where_no_site_is_given(tmp_path: Path) -> None:
    world = make_world(tmp_path, 1, scenario="night_walker_line_of_8")
    assert len(world.nodes) == 8
    assert world.truth(200)["crossings"]
    assert [one.pir_range_m for one in world.ground.nodes] == [
        world.site.nodes[node].pir_range_m for node in world.nodes
    ]


@pytest.mark.parametrize("loss_pct", [30])
async def test_seed_decides_which_messages_a_link_loses(loss_pct: int) -> None:
    async def passed(seed: int) -> list[bool]:
        """Which of 40 publishes reach the broker, each over a connection of its own."""
        arrived: list[bytes] = []

        async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            arrived.append(await reader.read(100))
            writer.write(b"ok")
            await writer.drain()

        server = await asyncio.start_server(broker, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        link = ImpairedLink(host, port, seed=seed)
        link.loss_pct = loss_pct
        found = []
        async with server, link:
            for _ in range(40):
                reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
                writer.write(b"\x30\x02\x00\x00")
                try:
                    found.append(await reader.read(10) == b"ok")
                except ConnectionError:
                    found.append(False)
                writer.close()
        return found

    first = await passed(3)
    assert first == await passed(3) != await passed(4)
    assert set(first) == {True, False}
