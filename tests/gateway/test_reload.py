# SPDX-License-Identifier: MIT
"""The policy is read again while the gateway runs: whole or not at all, recorded, replayed."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.api.schema.answers import Changed
from gateway.app import Gateway
from gateway.commands.client import Client
from gateway.config import load_config
from gateway.errors import ConfigError
from tests.api.picture import shown
from tests.connectors.receivers import web_server
from tests.connectors.test_connectors_page import webhook
from tests.connectors.test_gateway_connectors import listening
from tests.gateway.brokers import running_mosquitto
from tests.gateway.played_node import MqttNode, until, write_config
from tests.ports import free_port
from tools.cli import main

NEVER = '[[arming]]\nsectors = ["west"]\ntime_zone = "UTC"\narmed = ["mon 00:00-00:01"]\n'
ALWAYS = '[[arming]]\nsectors = ["west"]\ntime_zone = "UTC"\narmed = ["mon-sun 00:00-24:00"]\n'
FIFTH = '\n[[node]]\nid = "n05"\nx_m = 100\ny_m = 0\nsector = "north"\n'
BROKER = 'kind = "{kind}"\nport = 0'


@asynccontextmanager
async def running(
    folder: Path, more: str = "", kind: str = "embedded"
) -> AsyncIterator[tuple[Gateway, Path]]:
    path = write_config(folder, BROKER.format(kind=kind), serial=more)
    async with Gateway(load_config(path), partial(load_config, path)) as gateway:
        yield gateway, path


def add(path: Path, more: str) -> None:
    path.write_text(path.read_text() + more)


async def speaks(gateway: Gateway, *nodes: MqttNode, t_ms: int = 1000) -> None:
    """These detect a person; it is stored when this returns."""
    for node in nodes:
        node.connect(gateway.address[1])
    await until(lambda: all(node.subscribed for node in nodes))
    for node in nodes:
        node.publish(node.hello(t_ms))
        node.publish(node.detection(t_ms + 1000, confidence_pct=90))
    for node in nodes:
        await node.until_received()
        node.disconnect()


def audited(folder: Path, action: str = "orders.%") -> list[tuple[str, str, str, dict[str, Any]]]:
    db = sqlite3.connect(folder / "data" / "groundwatch.db")
    rows = db.execute(
        "SELECT actor, action, subject, detail_json FROM audit WHERE action LIKE ? ORDER BY id",
        (action,),
    ).fetchall()
    db.close()
    return [(actor, action, subject, json.loads(detail)) for actor, action, subject, detail in rows]


def replayed(path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, Any]:
    capsys.readouterr()
    store = str(path.parent / "data" / "groundwatch.db")
    status = main(["replay", "--store", store, "--config", str(path), "--json", *more])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


async def test_reload_of_a_schedule_counts_at_once_is_recorded_and_replays_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path, NEVER) as (gateway, path):
        await speaks(gateway, MqttNode("n01"), MqttNode("n02"))
        (alarm,) = gateway.service.stages.monitor.state.alarms.open
        assert alarm.suppressed == "disarmed: west"
        path.write_text(path.read_text().replace(NEVER, ALWAYS))
        command = ["reload", "--config", str(path)]
        assert await asyncio.to_thread(main, command) == 0
        assert "changed: arming west" in capsys.readouterr().out
        await until(lambda: gateway.service.stages.monitor.state.alarms.open[0].unacknowledged)
        assert await asyncio.to_thread(main, command) == 0
        assert "changed: nothing" in capsys.readouterr().out
    (change, load) = audited(tmp_path)
    assert change == (
        getpass.getuser(),
        "orders.change",
        "arming west",
        {"before": "mon 00:00-00:01 (UTC)", "after": "mon-sun 00:00-24:00 (UTC)"},
    )
    assert load[1] == "orders.load"
    assert load[3]["before"] != load[3]["after"]
    # The file has changed since: the journal shows what was in force at each moment.
    path.write_text(path.read_text().replace(ALWAYS, ""))
    status, lines = replayed(path, capsys)
    assert status == 0, lines
    assert (lines[-1]["identical"], lines[-1]["same_rules"]) == (True, False)
    assert lines[-1]["changes"] >= 2


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("port = 0", "port = 1", "broker has changed: this needs a restart"),
        ('data_dir = "data"', 'data_dir = "moon"', "data_dir has changed"),
        ("[console]", "[[escalation]]\nafter_s = 1\n[console]", "after_s must be"),
        ("[console]", NEVER.replace("west", "moon") + "[console]", "'moon' is not a sector"),
        ("[console]", "[[output]]\n[console]", "kind is missing"),
        ("[console]", "[console", "not valid TOML"),
    ],
)
async def test_reload_of_what_is_wrong_is_refused_whole_in_one_line_and_all_stays(
    old: str, new: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path) as (gateway, path):
        before = gateway.service.stages.policy
        add(tmp_path / "site.toml", FIFTH)
        path.write_text(path.read_text().replace(old, new, 1))
        with pytest.raises(ConfigError, match=expected) as caught:
            await gateway.reload("eva")
        assert "\n" not in str(caught.value)
        assert gateway.service.stages.policy == before
        assert "n05" not in gateway.site.nodes
    assert audited(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('id = "n04"', 'id = "n44"', "node n04 is not in site.toml any more"),
        ('sector = "east"', 'sector = "west"', "node n03 is in another sector"),
        ('name = "yard"', 'name = "moon"', "the site is called moon now"),
        ("x_m = 25\n", 'x_m = "far"\n', "x_m must be a number"),
    ],
)
async def test_reload_of_a_site_that_shrank_or_is_wrong_is_refused(
    old: str, new: str, expected: str, tmp_path: Path
) -> None:
    async with running(tmp_path) as (gateway, _path):
        before = gateway.service.stages.policy
        site = tmp_path / "site.toml"
        site.write_text(site.read_text().replace(old, new))
        with pytest.raises(ConfigError, match=expected):
            await gateway.reload()
        assert gateway.service.stages.policy == before


@pytest.mark.parametrize("kind", ["embedded", "mosquitto"])
async def test_reload_takes_a_new_node_in_that_logs_in_is_received_and_replayed(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path, kind=kind) as (gateway, path):
        await speaks(gateway, MqttNode("n01"), MqttNode("n02"))
        add(tmp_path / "site.toml", FIFTH + FIFTH.replace("n05", "n06").replace("100", "110"))
        assert await gateway.reload("eva") == ["node n05", "node n06", "sector north"]
        await speaks(gateway, MqttNode("n05"), MqttNode("n06"))
        await until(lambda: len(gateway.service.stages.monitor.state.alarms.open) == 2)
        assert gateway.service.stages.monitor.state.alarms.open[1].sectors == ("north",)
        assert gateway.service.stages.intake.registry.views["n05"].messages > 0
        page = shown(gateway)
        assert [node["id"] for node in page["site"]["nodes"]][-2:] == ["n05", "n06"]
    async with running_again(path) as gateway:  # what was taken in is there after a restart
        assert gateway.service.stages.intake.registry.views["n05"].messages > 0
    status, lines = replayed(path, capsys)
    assert status == 0, lines
    assert lines[-1]["runs"] == 2 or lines[-1]["runs"] == 1
    (tmp_path / "none.toml").write_text("")
    status, lines = replayed(path, capsys, "--rules", str(tmp_path / "none.toml"))
    assert (lines[-1]["only_now"], lines[-1]["only_then"]) == (0, 0), lines
    assert lines[-1]["both"] == 2


@asynccontextmanager
async def running_again(path: Path) -> AsyncIterator[Gateway]:
    async with Gateway(load_config(path)) as gateway:
        yield gateway


async def test_reload_of_a_node_that_was_here_before_goes_on_with_its_counters(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as (gateway, path):
        add(tmp_path / "site.toml", FIFTH)
        await gateway.reload()
        node = MqttNode("n05")
        await speaks(gateway, node)
        used = gateway.service.stages.intake.downlinks.reserved("n05")
        assert used > 0
    site = tmp_path / "site.toml"
    whole = site.read_text()
    site.write_text(whole.replace(FIFTH, ""))
    async with Gateway(load_config(path), partial(load_config, path)) as gateway:
        site.write_text(whole)
        await gateway.reload()
        assert gateway.service.stages.intake.downlinks.reserved("n05") >= used
        assert gateway.service.stages.intake.registry.views["n05"].messages > 0
        assert gateway.service.stages.intake.authenticator.sequence("n05", node.boot).upto > 0


async def test_reload_of_outputs_notifies_the_new_one_and_drops_what_waits_for_the_old(
    tmp_path: Path,
) -> None:
    async with web_server() as server:
        away = webhook(tmp_path, f"http://127.0.0.1:{free_port()}/", "chief")
        async with running(tmp_path, away) as (gateway, path):
            await speaks(gateway, MqttNode("n01"), MqttNode("n02"))
            await until(lambda: gateway.service.stages.outbox.pending)
            phone = webhook(tmp_path, server.url, "phone")
            path.write_text(path.read_text().replace(away, phone))
            assert await gateway.reload("eva") == ["connector chief", "connector phone"]
            assert gateway.service.stages.outbox.pending == {}
            await speaks(gateway, MqttNode("n03"), MqttNode("n04"))
            await until(lambda: server.received)
            names = list(gateway.connectors.connectors)
    assert names == ["phone"]
    assert ("output.dropped", "alarm 1") in [row[1:3] for row in audited(tmp_path, "output.%")]


async def test_reload_of_an_address_delivers_there_what_waited_and_shows_no_secret(
    tmp_path: Path,
) -> None:
    async with web_server() as server:
        away = webhook(tmp_path, f"http://127.0.0.1:{free_port()}/", "phone")
        async with running(tmp_path, away) as (gateway, path):
            await speaks(gateway, MqttNode("n01"), MqttNode("n02"))
            await until(lambda: gateway.service.stages.outbox.pending)
            path.write_text(path.read_text().replace(away, webhook(tmp_path, server.url, "phone")))
            assert await gateway.reload("eva") == ["connector phone"]
            await until(lambda: server.received)
            await until(lambda: not gateway.service.stages.outbox.pending)
    (change, _load) = audited(tmp_path)
    assert change[3]["before"] == change[3]["after"]
    assert "127.0.0.1" not in json.dumps(change)


async def test_reload_makes_entities_of_home_assistant_for_a_new_node(tmp_path: Path) -> None:

    port = free_port()
    async with running_mosquitto(tmp_path, port), listening(port, "homeassistant/#") as topics:
        table = f'[home_assistant]\nhost = "127.0.0.1"\nport = {port}\n'
        async with running(tmp_path) as (gateway, path):
            add(path, table)
            assert await gateway.reload() == ["connector home_assistant"]
            await until(lambda: any("node_n04" in topic for topic in topics), 20)
            add(tmp_path / "site.toml", FIFTH)
            await gateway.reload()
            await until(lambda: any("node_n05" in topic for topic in topics), 20)


async def test_orders_that_changed_while_no_gateway_ran_are_recorded_at_its_start(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as (_gateway, path):
        pass
    assert audited(tmp_path) == []
    add(path, NEVER)
    async with Gateway(load_config(path)):
        pass
    assert audited(tmp_path) == [
        (
            "system",
            "orders.change",
            "arming west",
            {"before": None, "after": "mon 00:00-00:01 (UTC)"},
        )
    ]


async def test_reload_without_a_file_is_refused(tmp_path: Path) -> None:
    path = write_config(tmp_path, BROKER.format(kind="embedded"))
    async with Gateway(load_config(path)):
        with pytest.raises(ConfigError, match=r"without a gateway\.toml"):
            await asyncio.to_thread(Client(tmp_path / "data").post, "/reload", Changed)


def test_reload_by_signal_is_taken_and_a_wrong_file_ends_nothing(tmp_path: Path) -> None:
    path = write_config(tmp_path, BROKER.format(kind="embedded"))
    words = [sys.executable, "-m", "tools.cli", "gateway", "--config", str(path), "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None and run.stderr is not None
        assert json.loads(run.stdout.readline())["type"] == "ready"
        whole = path.read_text()
        path.write_text(whole + "[[arming]]\n")
        os.kill(run.pid, signal.SIGHUP)
        logged = next(line for line in run.stderr if "policy" in line)
        assert "the policy is unchanged" in logged
        path.write_text(whole + NEVER)
        os.kill(run.pid, signal.SIGHUP)
        logged = next(line for line in run.stderr if "policy" in line)
        assert "changed=arming west" in logged
        run.terminate()
        run.communicate()
    assert run.returncode == 0
    assert audited(tmp_path)[0][:3] == ("system", "orders.change", "arming west")
