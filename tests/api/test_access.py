# SPDX-License-Identifier: MIT
"""Access to the API: tokens with scopes and the login at the UNIX socket, nothing else."""

from __future__ import annotations

import asyncio
import getpass
import os
import socket
import sqlite3
import stat
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from gateway.api.access import local_socket, tokens
from gateway.api.access.local_socket import bind, peer_name, short_address
from gateway.api.access.tokens import Tokens, load_tokens, new_token, save_tokens
from gateway.app import Gateway
from gateway.config import load_config
from gateway.errors import ConfigError
from gateway.model.actions.identity import Scope
from tests.api.running import make_token
from tests.gateway.played_node import write_config
from tests.ports import free_port

MASK = {"sectors": ["west"], "minutes": 5, "reason": "cows"}
ENTRY = '[[token]]\nname = "a"\nscopes = ["read"]\nsha256 = "' + "0" * 64 + '"\nuntil_us = 1\n'
HOUR_US = 3600 * 1_000_000


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with Gateway(load_config(write_config(tmp_path, "port = 0"))) as running:
        yield running


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(gateway.console_url) as session:
        yield session


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize(
    ("scope", "statuses"),
    [(Scope.READ, (200, 403, 403)), (Scope.ACT, (200, 200, 403)), (Scope.ADMIN, (200, 200, 400))],
)
async def test_token_may_do_what_its_scope_allows_and_no_more(
    http: aiohttp.ClientSession, tmp_path: Path, scope: Scope, statuses: tuple[int, ...]
) -> None:
    headers = bearer(make_token(tmp_path, "tak", scope))
    read = await http.get("/api/v1/nodes", headers=headers)
    act = await http.post("/api/v1/masks", json=MASK, headers=headers)
    admin = await http.post("/api/v1/reload", json={}, headers=headers)  # 400: it has no file
    assert (read.status, act.status, admin.status) == statuses


async def test_token_act_is_audited_in_the_name_of_the_token(
    gateway: Gateway, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    headers = bearer(make_token(tmp_path, "tak", Scope.ACT))
    headers["Idempotency-Key"] = "one"
    for _ in range(2):
        answer = await http.post("/api/v1/masks", json=MASK, headers=headers)
        assert answer.status == 200
    assert answer.headers["Idempotency-Replayed"] == "true"
    (mask,) = gateway.service.stages.monitor.state.alarms.masks
    assert mask.owner == "token tak"
    db = sqlite3.connect(tmp_path / "data" / "groundwatch.db")
    rows = db.execute("SELECT actor FROM audit WHERE action = 'mask.set'").fetchall()
    assert rows == [("token tak",)]


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer x", "Bearer gwt_" + "A" * 43, "Basic eDp5", "bearer \u00e9"],
)
async def test_stranger_reads_nothing_and_changes_nothing(
    gateway: Gateway, http: aiohttp.ClientSession, tmp_path: Path, header: str
) -> None:
    make_token(tmp_path, "tak", Scope.ADMIN)
    headers = {"Authorization": header} if header else {}
    for path in ("picture", "stream", "nodes", "alarms", "openapi.json", "performance"):
        assert (await http.get(f"/api/v1/{path}", headers=headers)).status == 401
    answer = await http.post("/api/v1/masks", json=MASK, headers=headers)
    assert answer.status in (401, 403)
    assert set(await answer.json()) == {"problem"}
    assert gateway.service.stages.monitor.state.alarms.masks == ()


async def test_token_that_expired_or_was_removed_is_refused_at_once(
    http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    old = bearer(make_token(tmp_path, "old", Scope.READ, days=-1))
    good = bearer(make_token(tmp_path, "good", Scope.READ))
    assert (await http.get("/api/v1/nodes", headers=old)).status == 401
    assert (await http.get("/api/v1/nodes", headers=good)).status == 200
    known = load_tokens(tmp_path / "tokens.toml")
    del known["good"]
    save_tokens(tmp_path / "tokens.toml", known)
    assert (await http.get("/api/v1/nodes", headers=good)).status == 401


async def test_wrong_tokens_are_throttled_and_never_keep_a_right_one_out(
    gateway: Gateway, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    right = bearer(make_token(tmp_path, "tak", Scope.READ))
    statuses = [
        (await http.get("/api/v1/nodes", headers=bearer(f"gwt_{number}"))).status
        for number in range(tokens.MAX_FAILURES + 5)
    ]
    assert statuses == [401] * tokens.MAX_FAILURES + [429] * 5
    assert (await http.get("/api/v1/nodes", headers=right)).status == 200


async def test_token_from_a_foreign_host_name_is_refused(
    http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    headers = {**bearer(make_token(tmp_path, "tak", Scope.READ)), "Host": "evil.example"}
    assert (await http.get("/api/v1/nodes", headers=headers)).status == 403


def test_token_file_holds_no_token_and_is_for_its_owner_only(tmp_path: Path) -> None:
    secret = make_token(tmp_path, "tak", Scope.READ)
    path = tmp_path / "tokens.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret not in path.read_text()
    assert len(secret) >= 43
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_tokens(path)


@pytest.mark.parametrize(
    "written",
    [
        "x", "[[token]]", "token = 3", ENTRY.replace('["read"]', "[]"),
        ENTRY.replace('"a"', '"a b"'), ENTRY.replace("read", "root"), ENTRY * 2,
        ENTRY.replace("0000", "000"), ENTRY + "more = 1",
        "more = 1", "\ufffe",
    ],
)  # fmt: skip
def test_token_file_that_is_wrong_is_rejected_whole(tmp_path: Path, written: str) -> None:
    path = tmp_path / "tokens.toml"
    path.write_text(written)
    path.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        load_tokens(path)
    assert "\n" not in str(caught.value)
    known = Tokens(path, lambda *_: None, lambda: 0, lambda: 0.0)
    assert known.identity("anything") is None


def test_token_name_that_is_none_is_refused() -> None:
    for name in ("", "a b", "-a", "x" * 33, 'a"b', "a\n"):
        with pytest.raises(ConfigError):
            new_token(name, Scope.READ, HOUR_US)


async def local(path: Path, method: str, where: str, **more: object) -> tuple[int, object]:
    with short_address(path) as address:
        connector = aiohttp.UnixConnector(path=address)
        async with (
            aiohttp.ClientSession("http://groundwatch", connector=connector) as session,
            session.request(method, where, **more) as answer,  # type: ignore[arg-type]  # passed on
        ):
            return answer.status, await answer.json()


async def test_socket_knows_the_login_at_its_other_end_and_serves_the_api_only(
    gateway: Gateway, tmp_path: Path
) -> None:
    path = tmp_path / "data" / local_socket.NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    status, _ = await local(path, "POST", "/api/v1/masks", json=MASK)
    assert status == 200
    assert gateway.service.stages.monitor.state.alarms.masks[0].owner == getpass.getuser()
    assert (await local(path, "GET", "/api/v1/performance"))[0] == 200
    for page in ("/", "/api/session", "/console.js"):
        assert (await local(path, "GET", page))[0] == 404


async def test_socket_of_a_running_gateway_is_not_taken_and_a_dead_one_is(
    tmp_path: Path,
) -> None:
    folder = tmp_path / ("deep" * 20) / ("er" * 20)  # longer than an address may be
    folder.mkdir(parents=True)
    path = folder / local_socket.NAME
    first = bind(path)
    with pytest.raises(ConfigError, match="another gateway runs"):
        bind(path)
    accepted, _ = await asyncio.get_running_loop().sock_accept(first)  # the second one's probe
    assert peer_name(accepted) == getpass.getuser()
    accepted.close()
    first.close()
    assert path.exists()
    second = bind(path)
    with short_address(path) as address, socket.socket(socket.AF_UNIX) as client:
        client.connect(address)
    second.close()


def test_socket_in_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot listen"):
        bind(tmp_path / "none" / local_socket.NAME)


async def test_act_sent_again_with_its_key_after_a_restart_acts_once(tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path, "port = 0"))
    headers = {**bearer(make_token(tmp_path, "tak", Scope.ACT)), "Idempotency-Key": "one"}
    for _ in range(2):
        async with (
            Gateway(config) as gateway,
            aiohttp.ClientSession(gateway.console_url) as http,
        ):
            answer = await http.post("/api/v1/masks", json=MASK, headers=headers)
            assert answer.status == 200
            assert len(gateway.service.stages.monitor.state.alarms.masks) == 1


async def test_second_address_of_the_api_takes_tokens_too(tmp_path: Path) -> None:
    headers = bearer(make_token(tmp_path, "tak", Scope.READ))
    port = free_port()
    config = load_config(write_config(tmp_path, "port = 0", serial=f"[api]\nport = {port}\n"))
    async with (
        Gateway(config) as gateway,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
    ):
        assert not gateway.console_url.endswith(f":{port}/")
        assert (await http.get("/api/v1/nodes", headers=headers)).status == 200
        assert (await http.get("/api/v1/nodes")).status == 401
        foreign = {**headers, "Host": "127.0.0.1:1"}
        assert (await http.get("/api/v1/nodes", headers=foreign)).status == 403


def test_socket_peer_of_macos_is_read_from_its_own_structure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int]] = []

    class Peer:
        """Answers as xnu does: struct xucred, version 0, then the user."""

        def getsockopt(self, level: int, option: int, size: int) -> bytes:
            asked.append((level, option))
            return struct.pack("2Ih", 0, os.getuid(), 1).ljust(size, b"\0")

    monkeypatch.setattr(local_socket.sys, "platform", "darwin")
    assert peer_name(Peer()) == getpass.getuser()
    assert asked == [(0, 1)]  # SOL_LOCAL, LOCAL_PEERCRED of sys/un.h


@pytest.mark.parametrize("number", ["0", "-1", "1e3", "00000000000000001", "9" * 40, "\u0661", "x"])
async def test_number_in_an_address_that_is_none_is_refused(
    http: aiohttp.ClientSession, tmp_path: Path, number: str
) -> None:
    headers = bearer(make_token(tmp_path, "tak", Scope.ACT))
    answer = await http.get(f"/api/v1/alarms/{number}", headers=headers)
    assert answer.status == 400
    answer = await http.post(f"/api/v1/alarms/{number}/acknowledge", json={}, headers=headers)
    assert answer.status == 400
