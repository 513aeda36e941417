# SPDX-License-Identifier: MIT
"""Commands to nodes over the API: what may be sent with which scope, and one line for the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.app import Gateway
from gateway.config import load_config
from gateway.model.actions.identity import Scope
from tests.api.running import make_token
from tests.gateway.played_node import write_config

CONFIGURE = {"kind": "configure", "reason": "wind", "settings": {"heartbeat_s": 600}}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with Gateway(load_config(write_config(tmp_path, "port = 0"))) as running:
        yield running


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(gateway.console_url) as session:
        yield session


def headers(folder: Path, scope: Scope = Scope.ADMIN) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(folder, 'tester', scope)}"}


def path(gateway: Gateway) -> str:
    return f"/api/v1/nodes/{next(iter(gateway.service.stages.site.nodes))}/commands"


async def test_configure_is_stored_and_waits_for_a_node_that_was_never_received(
    gateway: Gateway, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    answer = await http.post(path(gateway), json=CONFIGURE, headers=headers(tmp_path))
    command = await answer.json()
    assert answer.status == 200, command
    assert command["state"] == "waiting"
    assert command["settings"] == {"heartbeat_s": 600}
    assert command["expires_us"] - command["ordered_us"] == 300_000_000


@pytest.mark.parametrize(
    "body",
    [
        {**CONFIGURE, "settings": {}},
        {**CONFIGURE, "settings": None},
        {**CONFIGURE, "settings": {"heartbeat_s": True}},
        {**CONFIGURE, "settings": {"heartbeat_s": 60.5}},
        {**CONFIGURE, "settings": {"heartbeat_s": "60 "}},
        {**CONFIGURE, "settings": {"heartbeat_s": 1 << 70}},
        {**CONFIGURE, "settings": {"heartbeat_s": None}},
        {**CONFIGURE, "settings": {"heartbeat_s": [60]}},
        {**CONFIGURE, "settings": {"radio": 1}},
        {**CONFIGURE, "settings": {"radio": "BURST"}},
        {**CONFIGURE, "settings": {"key": "00" * 32}},
        {**CONFIGURE, "settings": {"wifi\n": 1}},
        {**CONFIGURE, "settings": {f"s{number}": 1 for number in range(1000)}},
        {**CONFIGURE, "settings": {"x" * 100_000: 1}},
        {**CONFIGURE, "settings": "heartbeat_s=60"},
        {**CONFIGURE, "seconds": 5},
        {**CONFIGURE, "minutes": 0},
        {**CONFIGURE, "minutes": 1441},
        {**CONFIGURE, "reason": ""},
        {**CONFIGURE, "data": "00"},
        {"kind": "configure", "settings": {"heartbeat_s": 60}},
        {"kind": "ping", "reason": "x", "settings": {"heartbeat_s": 60}},
        {"kind": "identify", "reason": "x"},
        {"kind": "identify", "reason": "x", "seconds": 61},
        {"kind": "identify", "reason": "x", "seconds": 0},
        {"kind": "snippet", "reason": "x", "seconds": 9},
        {"kind": "log", "reason": "x", "seconds": 1},
        {"kind": "update", "reason": "x"},
        {"kind": "erase", "reason": "x"},
        {"kind": 4, "reason": "x"},
        {},
        [],
    ],
)
async def test_body_that_is_invalid_is_one_line_and_orders_nothing(
    body: Any, gateway: Gateway, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    answer = await http.post(path(gateway), json=body, headers=headers(tmp_path))
    problem = (await answer.json())["problem"]
    assert answer.status in (400, 422), problem
    assert problem and "\n" not in problem
    assert len(problem) < 400
    assert not gateway.service.stages.node_commands.of("n01")


async def test_commands_and_logs_are_for_administrators(
    gateway: Gateway, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    acts = headers(tmp_path, Scope.ACT)
    assert (await http.post(path(gateway), json=CONFIGURE, headers=acts)).status == 403
    assert (await http.get("/api/v1/node-commands/1/log", headers=acts)).status == 403
    admin = headers(tmp_path)
    assert (await http.get("/api/v1/node-commands/1/log", headers=admin)).status == 404
    answer = await http.post("/api/v1/nodes/n99/commands", json=CONFIGURE, headers=admin)
    assert answer.status in (400, 404)
