# SPDX-License-Identifier: MIT
"""The gateway as a service of systemd: the unit, ready, the watchdog, the end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.service.systemd import ServiceManager
from tests.architecture.tree import ROOT
from tests.gateway.played_node import write_config

UNIT = ROOT / "examples" / "systemd" / "groundwatch.service"
EXPOSURE_MAX = 20  # of 100, by systemd-analyze; what serial lines and a network leave


@pytest.fixture
def notified(tmp_path: Path):
    """Where systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        yield manager


def environment(tmp_path: Path, limit_us: int, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": str(limit_us), **more}


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)


def test_unit_is_valid_and_its_exposure_low(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/groundwatch/bin/groundwatch", sys.executable))
    verified = analyze("verify", unit)
    assert (verified.returncode, verified.stderr) == (0, "")
    assessed = analyze("security", "--offline=true", f"--threshold={EXPOSURE_MAX}", unit)
    assert assessed.returncode == 0, assessed.stdout


def test_unit_restarts_always_and_its_watchdog_outlasts_three_feeds() -> None:
    lines = UNIT.read_text().splitlines()
    wanted = ("Type=notify", "Restart=always", "StartLimitIntervalSec=0", "WatchdogSec=30")
    assert {*wanted} <= {*lines}


def test_gateway_notifies_ready_feeds_and_stops(notified: socket.socket, tmp_path: Path) -> None:
    config = write_config(tmp_path, 'kind = "embedded"\nport = 0')
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.cli", "gateway", "--config", str(config)],
        env={**os.environ, **environment(tmp_path, 600_000)},
        stdout=subprocess.DEVNULL,
    )
    try:
        assert notified.recv(64) == b"READY=1"
        assert [notified.recv(64) for _feed in range(3)] == [b"WATCHDOG=1"] * 3
        process.send_signal(signal.SIGTERM)
        while (state := notified.recv(64)) == b"WATCHDOG=1":
            pass
        assert state == b"STOPPING=1"
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


async def test_loop_that_hangs_feeds_no_watchdog(notified: socket.socket, tmp_path: Path) -> None:
    feeding = asyncio.create_task(ServiceManager(environment(tmp_path, 60_000)).feed())
    await asyncio.sleep(0.1)
    notified.setblocking(False)
    assert count(notified) >= 2
    time.sleep(0.3)  # noqa: ASYNC251  # the hang
    assert count(notified) <= 1
    await asyncio.sleep(0.1)
    assert count(notified) >= 2
    feeding.cancel()


def count(notified: socket.socket) -> int:
    fed = 0
    while True:
        try:
            fed += notified.recv(64) == b"WATCHDOG=1"
        except BlockingIOError:
            return fed


@pytest.mark.parametrize(
    "more",
    [
        {"NOTIFY_SOCKET": ""},
        {"NOTIFY_SOCKET": "notify"},
        {"WATCHDOG_USEC": ""},
        {"WATCHDOG_USEC": "-5"},
        {"WATCHDOG_USEC": "9" * 400},
        {"WATCHDOG_PID": "1"},
    ],
)
async def test_watchdog_that_is_not_ours_is_not_fed(
    more: dict[str, str], notified: socket.socket, tmp_path: Path
) -> None:
    await ServiceManager({**environment(tmp_path, 600_000), **more}).feed()
    notified.setblocking(False)
    assert count(notified) == 0


def test_manager_that_is_gone_stops_nothing(tmp_path: Path, caplog) -> None:
    ServiceManager(environment(tmp_path / "nowhere", 600_000)).ready()
    assert "systemd was not notified state=READY=1" in caplog.text
