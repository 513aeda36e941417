# SPDX-License-Identifier: MIT
"""A running gateway adds nodes that join its site file, and shows which it does not add."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.config import load_config
from gateway.enrolment import KeyAct
from gateway.model.place.site import Node
from tests.api.picture import shown
from tests.gateway.played_node import MqttNode, until, write_config
from tests.gateway.test_revocation import act, journal_of
from tools.cli import main
from tools.flash.site_file import register

WITHIN_S = 2.0


@pytest.fixture(params=["embedded", "mosquitto"])
def config(request, tmp_path):
    return load_config(write_config(tmp_path, f'kind = "{request.param}"\nport = 0'))


@pytest.fixture
def embedded(tmp_path):
    return load_config(write_config(tmp_path, 'kind = "embedded"\nport = 0'))


def enrol(tmp_path: Path, node: str, x_m: float = 100.0, sector: str = "north") -> None:
    """What `groundwatch node flash` writes for a new node, in its order."""
    register(tmp_path / "site.toml", Node(node, x_m, 5.0, sector, "pico_w"))
    for what in (KeyAct.OFFER, KeyAct.PROVE):
        act(journal_of(tmp_path), what, node=node)


def warnings(gateway: Gateway) -> str:
    """What the page shows to the operator, except that this machine may sleep."""
    return " ".join(one for one in shown(gateway)["warnings"] if "may sleep" not in one)


async def send_detection(gateway: Gateway, node: MqttNode, t_ms: int = 1000) -> None:
    node.connect(gateway.address[1])
    await until(lambda: node.subscribed)
    node.publish(node.hello())
    node.publish(node.detection(t_ms, confidence_pct=95, pir=2))
    await node.until_received()


async def test_new_node_joins_a_running_gateway_within_two_seconds_and_is_alarmed(
    config, tmp_path
) -> None:
    async with Gateway(config) as gateway:
        enrol(tmp_path, "n09")
        await until(lambda: "n09" in gateway.service.stages.site.nodes, WITHIN_S)
        node = MqttNode("n09")
        await send_detection(gateway, node)
        node.disconnect()
        await until(
            lambda: any(
                "n09" in alarm.nodes for alarm in gateway.service.stages.monitor.state.alarms.open
            )
        )
        page = shown(gateway)
        assert page["site"]["nodes"][-1] == {"id": "n09", "x_m": 100, "y_m": 5, "sector": "north"}
        assert page["site"]["sectors"]["north"]["polygon"] == ()
        assert page["nodes"]["n09"]["messages"] == 2
        assert gateway.service.stages.policy.alarms.nodes_of["north"] == ("n09",)
        assert warnings(gateway).replace("mosquitto", "").count("site.toml") == 0
    db = sqlite3.connect(tmp_path / "data" / "groundwatch.db")
    acts = "SELECT action, subject FROM audit WHERE subject LIKE '%n09' ORDER BY action DESC"
    assert db.execute(acts).fetchall() == [
        ("orders.change", "node n09"),
        ("node.prove", "n09"),
        ("node.offer", "n09"),
    ]


async def test_store_of_a_run_that_a_node_joined_replays_byte_for_byte(
    embedded, tmp_path, monkeypatch, capsys
) -> None:
    for joins, known in (("n08", "n02"), ("n09", "n08")):
        async with Gateway(embedded) as gateway:
            nodes = [MqttNode(known, boot=2)]
            await send_detection(gateway, nodes[0], 1000)
            enrol(tmp_path, joins)
            await until(lambda: joins in gateway.service.stages.site.nodes, WITHIN_S)  # noqa: B023  # awaited within the loop
            nodes.append(MqttNode(joins))
            await send_detection(gateway, nodes[1], 9000)
            await until(lambda: len(gateway.service.stages.monitor.state.alarms.open) > 1)
            for node in nodes:
                node.disconnect()
    monkeypatch.chdir(tmp_path)
    assert main(["replay", "--store", "data/groundwatch.db", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1]["runs"] == 2
    assert lines[-1]["changes"] >= 3
    assert all(line["identical"] for line in lines)


async def test_site_file_that_became_invalid_leaves_the_site_and_is_reported_until_it_is_right(
    embedded, tmp_path
) -> None:
    site = tmp_path / "site.toml"
    good = site.read_text()
    async with Gateway(embedded) as gateway:
        for bad in (good + "\n[[node]\n", good.replace("x_m = 25\n", 'x_m = "east"\n'), "", "\0"):
            site.write_text(bad)
            await until(lambda: "the previous version stays in use" in warnings(gateway), WITHIN_S)
            assert len(gateway.service.stages.site.nodes) == 4
            site.write_text(good)
            await until(lambda: "site.toml" not in warnings(gateway), WITHIN_S)
        site.unlink()
        await until(lambda: "site.toml" in warnings(gateway), WITHIN_S)
        site.write_text(good)
        enrol(tmp_path, "n09")
        await until(lambda: "n09" in gateway.service.stages.site.nodes, WITHIN_S)
        assert "site.toml" not in warnings(gateway)
        assert gateway._main is not None and not gateway._main.done()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('sector = "east"', 'sector = "west"', "is in another sector"),
        ('id = "n03"', 'id = "n05"', "node n03 is not in site.toml any more"),
        ('name = "yard"', 'name = "barn"', "called barn now"),
    ],
)
async def test_site_file_changed_otherwise_is_refused_whole_and_still_a_revocation_counts(
    old, new, words, embedded, tmp_path
) -> None:
    site = tmp_path / "site.toml"
    good = site.read_text()
    async with Gateway(embedded) as gateway:
        before = gateway.service.stages.site
        site.write_text(good.replace(old, new, 1))
        await until(lambda: words in warnings(gateway), WITHIN_S)
        assert "needs a restart" in warnings(gateway)
        act(journal_of(tmp_path), KeyAct.REVOKE)
        await until(lambda: "n01" in gateway.service.stages.intake.registry.revoked, WITHIN_S)
        assert gateway.service.stages.site is before
        site.write_text(good)
        await until(lambda: not warnings(gateway), WITHIN_S)


async def test_node_measured_again_is_moved_and_its_key_stays(embedded, tmp_path) -> None:
    site = tmp_path / "site.toml"
    async with Gateway(embedded) as gateway:
        act(journal_of(tmp_path), KeyAct.REVOKE)
        await until(lambda: "n01" in gateway.service.stages.intake.registry.revoked, WITHIN_S)
        site.write_text(site.read_text().replace("x_m = 25\n", "x_m = 26\n"))
        await until(lambda: gateway.service.stages.site.nodes["n02"].x_m == 26, WITHIN_S)
        assert gateway.service.stages.intake.registry.revoked == {"n01"}
        assert not warnings(gateway)


async def test_node_of_an_earlier_site_comes_back_with_its_counters(embedded, tmp_path) -> None:
    # Counters that started again would use a nonce twice.
    site = tmp_path / "site.toml"
    whole = site.read_text()
    async with Gateway(embedded) as gateway:
        node = MqttNode("n04")
        await send_detection(gateway, node)
        node.disconnect()
        downlinks = gateway.service.stages.intake.downlinks
        await until(lambda: downlinks.reserved("n04"))
        reserved = downlinks.reserved("n04")
    site.write_text(whole[: whole.rindex("[[node]]")])
    async with Gateway(embedded) as gateway:
        site.write_text(whole)
        await until(lambda: "n04" in gateway.service.stages.site.nodes, WITHIN_S)
        assert gateway.service.stages.intake.downlinks.reserved("n04") >= reserved
        assert gateway.service.stages.intake.authenticator.sequence("n04", 1).upto == 1
