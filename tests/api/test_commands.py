# SPDX-License-Identifier: MIT
"""Verbs that ask a running gateway: over its socket, and over TCP with a token."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.commands.client import ADDRESS, TOKEN
from gateway.config import load_config
from tests.gateway.played_node import MqttNode, until, write_config
from tools.cli import main


@pytest.fixture
async def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    monkeypatch.chdir(tmp_path)
    async with Gateway(load_config(write_config(tmp_path, "port = 0"))) as running:
        nodes = [MqttNode(name) for name in ("n01", "n02")]
        for node in nodes:
            node.connect(running.address[1])
        await until(lambda: all(node.subscribed for node in nodes), 20)
        for node in nodes:
            node.publish(node.hello(0))
            node.publish(node.detection(100, confidence_pct=95))
        await until(lambda: running.service.stages.monitor.state.alarms.open, 20)
        for node in nodes:
            await node.until_received()
            node.disconnect()
        yield running


async def command(*words: str) -> int:
    return await asyncio.to_thread(main, list(words))


async def test_alarm_verb_lists_shows_and_acknowledges(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command("alarm", "list", "--state", "unacknowledged") == 0
    assert "#1 " in (listed := capsys.readouterr().out) and "person  west" in listed
    assert await command("alarm", "ack", "1", "--disposition", "animal", "--note", "deer") == 0
    assert capsys.readouterr().out == "alarm 1 is acknowledged\n"
    (alarm,) = gateway.service.stages.monitor.state.alarms.open
    assert (alarm.acknowledged, alarm.note) == (True, "deer")
    assert await command("alarm", "list", "--state", "unacknowledged") == 0
    assert capsys.readouterr().out == "no alarms\n"
    assert await command("alarm", "show", "1", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["alarm"]["disposition"] == "animal"
    assert shown["history"][0]["change"] == "raised"
    assert await command("alarm", "show", "1") == 0
    assert "acknowledged by" in capsys.readouterr().out


async def test_node_verb_lists_and_shows(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    await until(lambda: gateway.facade.picture.get("node", "n01").last_seen_us is not None)
    assert await command("node", "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["n01", "n02", "n03", "n04"]
    assert "not reporting" in lines[2]
    assert await command("node", "show", "n01", "--json") == 0
    assert json.loads(capsys.readouterr().out)["board"] == "played"
    assert await command("node", "show", "n99") == 2
    assert "there is no node 'n99'" in capsys.readouterr().err


async def test_gateway_status_counts_by_state(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command("gateway", "status", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert sum(found["nodes"].values()) == 4
    assert found["open_alarms"] >= found["unacknowledged_alarms"] >= 0
    assert await command("gateway", "status") == 0
    assert f"{found['open_alarms']} open" in capsys.readouterr().out


async def test_alarm_assess_gives_the_disposition_and_acknowledges(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command("alarm", "assess", "1", "animal", "--note", "two deer") == 0
    assert "alarm 1 is assessed: animal" in capsys.readouterr().out
    assert await command("alarm", "show", "1", "--json") == 0
    alarm = json.loads(capsys.readouterr().out)["alarm"]
    assert (alarm["disposition"], alarm["acknowledged"]) == ("animal", True)


async def test_token_verb_makes_a_token_that_works_over_tcp(
    gateway: Gateway, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await command("token", "add", "tak", "--scope", "read") == 0
    secret = capsys.readouterr().out.strip()
    assert await command("token", "list") == 0
    assert secret not in (listed := capsys.readouterr().out) and "tak" in listed
    monkeypatch.setenv(ADDRESS, gateway.console_url)
    monkeypatch.setenv(TOKEN, secret)
    assert await command("alarm", "list") == 0
    assert "#1 " in capsys.readouterr().out
    assert await command("alarm", "ack", "1") == 2
    assert "needs the scope act" in capsys.readouterr().err
    assert await command("token", "remove", "tak") == 0
    assert await command("alarm", "list") == 2
    printed = capsys.readouterr()
    assert "valid token" in printed.err
    assert secret not in printed.err + printed.out


@pytest.mark.parametrize(
    "words",
    [
        ["alarm", "list"], ["alarm", "show", "1"], ["node", "list"], ["gateway", "reload"],
        ["walktest", "score"], ["connector", "list"], ["node", "update", "--status"],
        ["gateway", "status"], ["alarm", "assess", "1", "animal"],
    ],
)  # fmt: skip
def test_verb_without_a_gateway_is_one_line_and_status_2(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(write_config(tmp_path, "port = 0"))
    assert main([*words, "--config", config]) == 2
    error = capsys.readouterr().err
    assert (error.count("\n"), "no gateway answers" in error) == (1, True), error


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["alarm", "show"], "groundwatch alarm show 12"),
        (["alarm", "show", "99"], "there is no alarm 99"),
        (["alarm", "ack", "99"], "not possible any more"),
        (["alarm", "ack", "0"], "1 or more"),
        (["alarm", "list", "--limit", "0"], "--limit"),
        (["alarm", "list", "--limit", "-5"], "--limit"),
        (["alarm", "list", "--hours", "-1"], "--hours"),
        (["alarm", "list", "--hours", "nan"], "--hours"),
        (["alarm", "list", "--sector", "nowhere"], "there is no sector 'nowhere'"),
        (["alarm", "assess", "99", "animal"], "not possible any more"),
        (["alarm", "assess", "1"], "DISPOSITION"),
        (["alarm", "assess", "1", "cow"], "cow"),
        (["node", "show"], "groundwatch node show n07"),
        (["token", "add"], "groundwatch token add tak_server"),
        (["token", "add", "a b"], "token's name"),
        (["token", "add", "a", "--days", "0"], "--days"),
        (["token", "remove", "a"], "is not in"),
    ],
)
async def test_verb_of_what_cannot_be_is_one_line_and_status_2(
    gateway: Gateway, capsys: pytest.CaptureFixture[str], words: list[str], expected: str
) -> None:
    assert await command(*words) == 2
    error = capsys.readouterr().err
    assert (error.count("\n"), expected in error) == (1, True), error
