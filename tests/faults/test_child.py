# SPDX-License-Identifier: MIT
"""The mosquitto of the gateway is killed, hangs, does not start, or has a damaged file: the gateway
starts another one, raises a fault alarm, and loses no message."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway import app
from gateway.app import Gateway
from gateway.broker import acl_probe
from gateway.broker import mosquitto as broker_module
from gateway.broker.child import Child
from gateway.broker.mosquitto import MosquittoBroker
from gateway.config import load_config
from gateway.errors import BrokerError
from tests.api.picture import shown
from tests.faults.nodes import Crowd, assert_all_once
from tests.gateway.brokers import mosquitto
from tests.gateway.played_node import until, write_config

SEED = 20261201
KILLS = [pytest.param(4, id="few"), pytest.param(100, id="hundred", marks=pytest.mark.faults)]
CHECKOUT = Path(__file__).resolve().parents[2]
LONG_S = 60.0  # the machine may be busy
_NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME", "XDG_CACHE_HOME")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same steps with short waits."""
    mosquitto()
    monkeypatch.setattr(MosquittoBroker.__init__, "__defaults__", ((0.05, 0.2),))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path, 'kind = "mosquitto"\nport = 0')


def faults_of(gateway: Gateway) -> dict[str, str]:
    """Reason -> state of the fault alarms on the page."""
    alarms = shown(gateway)["alarms"]
    return {a["reasons"][0]: a["state"] for a in alarms if a["kind"] == "processing_fault"}


def raised(gateway: Gateway, part: str) -> bool:
    return any(reason.startswith(part) for reason in faults_of(gateway))


def child_of(gateway: Gateway) -> Child | None:
    assert isinstance(gateway.broker, MosquittoBroker)
    child = gateway.broker._child
    return child if child is not None and child.running else None


async def pid_of(gateway: Gateway) -> int:
    await until(lambda: child_of(gateway), LONG_S)
    child = child_of(gateway)
    assert child is not None
    return child.pid


@pytest.mark.parametrize("kills", KILLS)
async def test_mosquitto_killed_again_and_again_is_started_again_and_no_message_is_lost(
    kills: int, config: Path, tmp_path: Path
) -> None:
    rng = random.Random(SEED)
    async with Gateway(load_config(config)) as gateway:
        crowd = Crowd(gateway.address[1], ("n01", "n02"))
        async with crowd.running():
            for _ in range(kills):
                await crowd.until_progress(1, LONG_S)
                await asyncio.sleep(rng.uniform(0, 0.1))
                os.kill(await pid_of(gateway), signal.SIGKILL)
            await crowd.until_empty(LONG_S)
        await until(lambda: raised(gateway, app.BROKER), LONG_S)
        reasons = [one for one in faults_of(gateway) if one.startswith(app.BROKER)]
        assert "ended by signal 9" in reasons[0]
        assert not gateway._main.done()  # type: ignore[union-attr]  # it runs
        # One that is killed while it starts is the same failure still.
        assert 0 < gateway.service.stages.faults.counts[app.BROKER] <= kills
        assert not gateway.service.supervisor.restarts
    rows = assert_all_once(tmp_path / "data" / "groundwatch.db", crowd)
    print(f"\nmosquitto killed {kills} times: {rows} messages, 0 lost, each once, alarm raised")


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[: len(data) // 2],
    "garbage": lambda data: random.Random(SEED).randbytes(len(data)),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_mosquitto_with_a_damaged_file_starts_without_it_and_the_file_is_kept(
    damage: str, config: Path, tmp_path: Path
) -> None:
    async with Gateway(load_config(config)):
        pass
    kept = tmp_path / "data" / "mosquitto" / "mosquitto.db"
    damaged = DAMAGES[damage](kept.read_bytes())
    kept.write_bytes(damaged)
    async with Gateway(load_config(config)) as gateway:
        crowd = Crowd(gateway.address[1], ("n01",))
        async with crowd.running():
            await crowd.until_progress(3, LONG_S)
            await crowd.until_empty(LONG_S)
        await until(lambda: raised(gateway, "file mosquitto.db"), LONG_S)
        assert any("was set aside" in one for one in shown(gateway)["warnings"])
        assert kept.with_name("mosquitto.db.damaged").read_bytes() == damaged
    assert_all_once(tmp_path / "data" / "groundwatch.db", crowd)


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """A program `mosquitto` that does something else before it is the real one."""
    path = folder / "bin" / "mosquitto"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\n[ "$1" = -h ] && exec {mosquitto()} -h\n{body}\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("does", "problem"),
    [("exec sleep 600", "it logs nothing"), ("echo no licence >&2; exit 3", "no licence")],
)
async def test_mosquitto_that_never_becomes_ready_leaves_the_watch_and_is_tried_again(
    does: str, problem: str, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "_START_S", 1.0)
    monkeypatch.setattr(app, "_LINK_UP_S", 0.1)
    fails = f"[ -e {tmp_path}/bad ] && {{ {does}; }}"
    stand_in(tmp_path, monkeypatch, f'{fails}\nexec {mosquitto()} "$@"')
    (tmp_path / "bad").touch()
    async with Gateway(load_config(config)) as gateway:
        reason = f"{app.BROKER} fails: it does not start: {problem}"
        await until(lambda: faults_of(gateway).get(reason) == "active_unacked", LONG_S)
        (tmp_path / "bad").unlink()
        crowd = Crowd(gateway.address[1], ("n01",))
        async with crowd.running():
            await crowd.until_progress(1, LONG_S)
            await crowd.until_empty(LONG_S)
        await until(lambda: faults_of(gateway).get(reason) == "cleared_unacked", LONG_S)


async def test_mosquitto_that_hangs_is_replaced(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "_LOOK_S", 0.2)
    async with Gateway(load_config(config)) as gateway:
        pid = await pid_of(gateway)
        await asyncio.sleep(1.0)  # it answers: nothing happens
        assert await pid_of(gateway) == pid
        monkeypatch.setattr(acl_probe, "_TIMEOUT_S", 0.5)
        os.kill(pid, signal.SIGSTOP)
        await until(lambda: raised(gateway, f"{app.BROKER} fails: it does not answer"), LONG_S)
        os.kill(pid, signal.SIGCONT)  # a stopped process takes no SIGTERM
        monkeypatch.setattr(acl_probe, "_TIMEOUT_S", 5.0)
        crowd = Crowd(gateway.address[1], ("n01",))
        async with crowd.running():
            await crowd.until_progress(1, LONG_S)
        assert await pid_of(gateway) != pid


async def test_mosquitto_that_dies_of_its_file_soon_after_each_start_starts_without_it(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "data" / "mosquitto" / "mosquitto.db"
    dies = f'[ -e {database} ] && exec timeout -s KILL 3 {mosquitto()} "$@"'
    async with Gateway(load_config(config)):
        pass
    assert database.exists()
    stand_in(tmp_path, monkeypatch, f'{dies}\nexec {mosquitto()} "$@"')
    async with Gateway(load_config(config)) as gateway:
        await until(lambda: raised(gateway, "file mosquitto.db"), LONG_S)
        crowd = Crowd(gateway.address[1], ("n01",))
        async with crowd.running():
            await crowd.until_progress(1, LONG_S)


async def test_mosquitto_that_breaks_its_rules_is_no_broker_of_ours(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lax = 'sed -i "s/%u/+/" "$(dirname "$2")/acl"'
    stand_in(tmp_path, monkeypatch, f'{lax}\nexec {mosquitto()} "$@"')
    with pytest.raises(BrokerError, match="another's topic"):
        async with Gateway(load_config(config)):
            pass


async def test_child_that_logs_a_line_without_end_does_not_hang() -> None:
    writes = "import sys; sys.stderr.write('x' * 3_000_000 + '\\nlast\\n')"
    child = await Child.start("a child", sys.executable, "-c", writes)
    async with asyncio.timeout(LONG_S):
        assert await child.wait() == "it ended with status 0: last"
    await child.end()


# A user id that no file of names has, with the rights of the user who runs the tests.
_NAMELESS = ("unshare", "--user", "--map-user=54321", "--map-group=54321")


@pytest.mark.parametrize("broker", ["mosquitto", "embedded"])
async def test_gateway_of_a_user_id_without_a_name_runs(broker: str, tmp_path: Path) -> None:
    config = write_config(tmp_path, f'kind = "{broker}"\nport = 0')
    env = {name: value for name, value in os.environ.items() if name not in _NAMES}
    process = await asyncio.create_subprocess_exec(
        *(*_NAMELESS, sys.executable, "-m", "tools.cli", "gateway", "run"),
        *("--config", str(config), "--json"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=CHECKOUT, env=env,
    )  # fmt: skip
    assert process.stdout is not None
    first = await asyncio.wait_for(process.stdout.readline(), LONG_S)
    if process.returncode is None and first:
        process.terminate()
    _out, err = await process.communicate()
    if b"unshare: " in err:
        pytest.skip(f"this machine does not permit user namespaces: {err.decode().strip()}")
    assert b'"ready"' in first, err.decode()[-2000:]
    assert process.returncode == 0


def test_login_name_of_a_user_id_without_a_name_is_its_number() -> None:
    program = (
        "from gateway.terminal import login_name\nfrom tools.micropython import cache_dir\n"
        "print(login_name())\ntry:\n    cache_dir()\nexcept Exception as e:\n    print(e)"
    )
    env = {name: value for name, value in os.environ.items() if name not in (*_NAMES, "HOME")}
    ran = subprocess.run(
        [*_NAMELESS, sys.executable, "-c", program],
        cwd=CHECKOUT, env=env, capture_output=True, text=True, check=False, timeout=LONG_S,
    )  # fmt: skip
    if "unshare: " in ran.stderr:
        pytest.skip(f"this machine does not permit user namespaces: {ran.stderr.strip()}")
    assert ran.stdout.splitlines() == [
        "uid 54321", "this user has no home folder: set XDG_CACHE_HOME"
    ], ran.stderr  # fmt: skip


def changes_of(folder: Path) -> list[Any]:
    with closing(sqlite3.connect(folder / "data" / "groundwatch.db")) as db:
        return db.execute(
            "SELECT change FROM alarm_history JOIN alarm ON alarm.id = alarm_id "
            "WHERE kind = 'processing_fault' ORDER BY alarm_history.id"
        ).fetchall()


async def test_fault_that_a_killed_gateway_left_active_is_cleared_by_the_next_run(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_LINK_UP_S", 0.1)
    stand_in(tmp_path, monkeypatch, f'[ -e {tmp_path}/bad ] && exit 1\nexec {mosquitto()} "$@"')
    (tmp_path / "bad").touch()
    async with Gateway(load_config(config)) as gateway:
        await until(lambda: "active_unacked" in faults_of(gateway).values(), LONG_S)
    (tmp_path / "bad").unlink()
    async with Gateway(load_config(config)) as gateway:
        await until(lambda: "active_unacked" not in faults_of(gateway).values(), LONG_S)
    assert changes_of(tmp_path)[:2] == [("raised",), ("cleared",)]
