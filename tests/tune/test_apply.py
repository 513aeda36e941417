# SPDX-License-Identifier: MIT
"""A supervisor confirms a proposal: the node receives it; the audit has who, why, until when."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.app import Gateway
from gateway.audit import keys
from gateway.audit.database import evidence
from gateway.audit.verify import by_id, verify
from gateway.config import load_config
from gateway.console.operators import Role
from gateway.model import node_settings
from gateway.model.actions.identity import Scope
from gateway.wire.messages import Command, CommandKind, Result, ResultStatus
from tests.api.running import make_token
from tests.gateway.played_node import MqttNode, until
from tests.gateway.sign_in import enrol, signed_in
from tests.tune.weeks import DAY, NOISY, Plan, S, live, settings
from tools.cli import main

DAY_US = DAY * S
BODY = {"threshold_x10": 5, "reason": "pump beside it"}
Capture = pytest.CaptureFixture[str]


class TunedNode(MqttNode):
    """Does what a `configure` asks for, once, and states it."""

    status = ResultStatus.OK

    def _on_down(self, payload: bytes) -> None:
        known = len(self.received)
        super()._on_down(payload)
        for message in self.received[known:]:
            if isinstance(message, Command) and message.kind is CommandKind.CONFIGURE:
                is_done = self.status is ResultStatus.OK
                answer = Result(
                    t_ms=2000,
                    command_id=message.id,
                    status=self.status,
                    data=settings(self.configured[-1]) if is_done else None,
                )
                self.publish(self.seal(answer, 0))

    @property
    def configured(self) -> list[int]:
        """Thresholds it was asked for."""
        found = [one for one in self.received if isinstance(one, Command) and one.data is not None]
        return [(node_settings.decode(one.data or b"") or {})["threshold_x10"] for one in found]


def prepared(folder: Path, plan: Plan | None = None) -> None:
    """Two weeks up to last midnight, an operator and a supervisor."""
    live(folder, time.time_ns() // 1000, plan or Plan(days=14))
    enrol(folder, "eva")
    enrol(folder, "ben", Role.SUPERVISOR)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[Gateway, TunedNode]]:
    async with Gateway(load_config(folder / "gateway.toml")) as gateway:
        node = TunedNode(NOISY, boot=2)
        node.connect(gateway.address[1])
        await until(lambda: node.subscribed, 20)
        node.publish(node.hello(1000, schema=3, settings=settings(0)))
        views = gateway.service.stages.intake.registry.views
        await until(lambda: views[NOISY].boot == 2, 20)
        yield gateway, node
        node.disconnect()


def entries(folder: Path, action: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(folder / "data" / "groundwatch.db")) as db:
        db.row_factory = sqlite3.Row
        rows = db.execute("SELECT * FROM audit WHERE action = ? ORDER BY id", (action,))
        return [dict(row) for row in rows]


async def test_operator_may_not_and_supervisor_may_confirm_and_the_node_receives_it(
    tmp_path: Path,
) -> None:
    prepared(tmp_path)
    path = f"api/v1/nodes/{NOISY}/tuning"
    async with running(tmp_path) as (gateway, node):
        async with signed_in(gateway, "eva") as eva:
            assert (await eva.post(path, BODY)).status == 403
            assert (await eva.get("api/v1/tuning")).status == 403
        assert not node.configured
        async with signed_in(gateway, "ben") as ben:
            report = await (await ben.get("api/v1/tuning?weeks=3")).json()
            (found,) = [one for one in report["nodes"] if one["node"] == NOISY]
            assert found["proposal"]["action"] == "raise"
            refused = await ben.post(path, {**BODY, "threshold_x10": 10})
            assert "is threshold 5, not 10" in (await refused.json())["problem"]
            refused = await ben.post(path, {**BODY, "accept_lost": 1})
            assert "would have been lost: 0; give" in (await refused.json())["problem"]
            answer = await ben.post(path, {**BODY, "days": 20})
            command = await answer.json()
            assert answer.status == 200, command
            find = gateway.service.stages.node_commands.find
            await until(lambda: find(command["id"]).state.final, 20)
            ended = find(command["id"])
            assert (ended.state.value, ended.answer_settings["threshold_x10"]) == ("done", 5)
            again = await ben.post(path, BODY)
            assert "one step in 7 days" in (await again.json())["problem"]
            report = await (await ben.get("api/v1/tuning")).json()
            (found,) = [one for one in report["nodes"] if one["node"] == NOISY]
            assert (found["threshold_x10"], found["tuning"]["by"]) == (5, "ben")
        assert node.configured == [5]
    (entry,) = entries(tmp_path, "tuning.set")
    assert (entry["actor"], entry["reason"]) == ("ben", "pump beside it")
    assert entry["subject"] == f"node {NOISY}"
    assert entry["until_us"] - entry["at_us"] == 20 * DAY_US
    detail = json.loads(entry["detail_json"])
    assert (detail["before_x10"], detail["after_x10"], detail["base_x10"]) == (0, 5, 0)
    assert (detail["command_id"], detail["lost_count"]) == (command["id"], 0)
    (ordered,) = entries(tmp_path, "command.configure")
    assert ordered["actor"] == "ben"
    assert entries(tmp_path, "command.done")
    assert_audit_holds(tmp_path)


def assert_audit_holds(folder: Path) -> None:
    public = keys.load_public(folder / "data" / keys.PUBLIC_NAME)
    with evidence(folder / "data" / "groundwatch.db") as given:
        report = verify(given, by_id([public]))
    assert not report.problems
    assert report.entries > 100


async def test_verb_applies_through_the_running_gateway_and_later_goes_back(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(tmp_path)
    monkeypatch.chdir(tmp_path)
    words = ["tune", "--apply", NOISY, "--reason", "pump beside it"]
    async with running(tmp_path) as (gateway, node):
        assert await asyncio.to_thread(main, [*words, "--accept-lost", "2"]) == 2
        assert "leave out --accept-lost" in capsys.readouterr().err
        assert await asyncio.to_thread(main, ["tune", "--apply", "n99", "--reason", "x"]) == 2
        assert "there is no node 'n99'" in capsys.readouterr().err
        assert await asyncio.to_thread(main, [*words, "--who", "Ben M."]) == 0
        table = capsys.readouterr().out
        assert "threshold 0 to 5; in 30 days it is proposed to go back" in table
        assert await asyncio.to_thread(main, ["tune", "--node", NOISY]) == 0
        table = capsys.readouterr().out
        assert "tuned from 0 to 5 by Ben M. until" in table and "pump beside it" in table
        assert await asyncio.to_thread(main, [*words, "--keep"]) == 2
        assert "no change of n02 is proposed" in capsys.readouterr().err
        later_us = time.time_ns() // 1000 + 31 * DAY_US
        monkeypatch.setattr(gateway.facade._parts.tuning, "_clock_us", lambda: later_us)
        # The audit has the time of the gateway's own clock: ten days from today.
        assert await asyncio.to_thread(main, [*words, "--keep", "--days", "10"]) == 0
        assert "threshold 5 is kept; in 10 days" in capsys.readouterr().out
        assert await asyncio.to_thread(main, [*words, "--who", "Ben M."]) == 0
        assert "threshold 5 to 0, the value before the tuning" in capsys.readouterr().out
        assert node.configured == [5, 5, 0]
    first, kept, second = entries(tmp_path, "tuning.set")
    assert (json.loads(first["detail_json"])["who"], second["until_us"]) == ("Ben M.", None)
    assert kept["until_us"] - kept["at_us"] == 10 * DAY_US
    detail = json.loads(kept["detail_json"])
    assert (detail["before_x10"], detail["after_x10"], detail["base_x10"]) == (5, 5, 0)
    assert_audit_holds(tmp_path)


async def test_lost_confirmed_detections_must_be_accepted_by_their_number(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The walk test falls into an hour of the pump: one of its reports is confirmed with the people.
    prepared(tmp_path, Plan(days=7, walk_hour=2))
    monkeypatch.chdir(tmp_path)
    words = ["tune", "--apply", NOISY, "--reason", "pump beside it"]
    async with running(tmp_path) as (_gateway, node):
        assert await asyncio.to_thread(main, words) == 2
        error = capsys.readouterr().err
        assert "1 confirmed detection of n02 would have been lost (person" in error
        assert error.count("\n") == 1 and "add --accept-lost 1" in error
        assert not node.configured
        assert await asyncio.to_thread(main, [*words, "--accept-lost", "1"]) == 0
    (entry,) = entries(tmp_path, "tuning.set")
    assert json.loads(entry["detail_json"])["lost_count"] == 1


async def test_node_that_refuses_leaves_its_threshold_and_no_tuning_in_force(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(tmp_path)
    monkeypatch.chdir(tmp_path)
    async with running(tmp_path) as (_gateway, node):
        node.status = ResultStatus.FAILED
        words = ["tune", "--apply", NOISY, "--reason", "pump", "--json"]
        assert await asyncio.to_thread(main, words) == 1
        assert json.loads(capsys.readouterr().out)["state"] == "failed"
        assert await asyncio.to_thread(main, ["tune", "--node", NOISY, "--json"]) == 0
        (found,) = json.loads(capsys.readouterr().out)["report"]["nodes"]
    assert (found["threshold_x10"], found["tuning"]) == (0, None)
    assert found["proposal"]["action"] == "raise"


@pytest.mark.parametrize(
    "body",
    [
        {}, [], {**BODY, "reason": ""}, {**BODY, "reason": "a\nb"}, {**BODY, "days": 0},
        {**BODY, "days": 91}, {**BODY, "weeks": 53}, {**BODY, "accept_lost": -1},
        {**BODY, "threshold_x10": 41}, {**BODY, "threshold_x10": "5"}, {**BODY, "node": "n01"},
        {**BODY, "threshold_x10": 1 << 70}, {**BODY, "who": "x" * 33},
    ],
)  # fmt: skip
async def test_body_that_is_invalid_is_one_line_and_changes_nothing(
    body: Any, short_gateway: Gateway, tmp_path: Path
) -> None:
    async with signed_in(short_gateway, "ben") as ben:
        answer = await ben.post(f"api/v1/nodes/{NOISY}/tuning", body)
        problem = (await answer.json())["problem"]
    assert answer.status in (400, 422) and "\n" not in problem
    assert not entries(tmp_path, "tuning.set")


@pytest.fixture
async def short_gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    prepared(tmp_path, Plan(days=1))
    async with Gateway(load_config(tmp_path / "gateway.toml")) as gateway:
        yield gateway


async def test_node_without_a_proposal_is_refused_with_the_reason(
    short_gateway: Gateway, tmp_path: Path
) -> None:
    async with signed_in(short_gateway, "ben") as ben:
        answer = await ben.post(f"api/v1/nodes/{NOISY}/tuning", BODY)
        assert "too little quiet (24 of 72 hours)" in (await answer.json())["problem"]
        answer = await ben.post("api/v1/nodes/n99/tuning", BODY)
        assert "there is no node 'n99'" in (await answer.json())["problem"]
    assert not entries(tmp_path, "tuning.set")


async def test_program_without_the_admin_scope_may_not_read_or_tune(
    short_gateway: Gateway, tmp_path: Path
) -> None:
    headers = {"Authorization": f"Bearer {make_token(tmp_path, 'map', Scope.ACT)}"}
    async with aiohttp.ClientSession(short_gateway.console_url) as http:
        assert (await http.get("/api/v1/tuning", headers=headers)).status == 403
        path = f"/api/v1/nodes/{NOISY}/tuning"
        assert (await http.post(path, json=BODY, headers=headers)).status == 403


async def test_two_supervisors_at_once_change_one_step(tmp_path: Path) -> None:
    prepared(tmp_path)
    path = f"api/v1/nodes/{NOISY}/tuning"
    async with running(tmp_path) as (gateway, node), signed_in(gateway, "ben") as ben:
        answers = await asyncio.gather(*[ben.post(path, BODY) for _ in range(3)])
        assert sorted(answer.status for answer in answers)[0] == 200
        assert [answer.status for answer in answers].count(200) == 1
        await until(lambda: node.configured, 20)
    assert node.configured == [5]
    assert len(entries(tmp_path, "tuning.set")) == 1
