# SPDX-License-Identifier: MIT
"""Upgrade and downgrade of a site: wheels of two commits use one store in turn."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.version import Version

from tests.architecture.tree import ROOT
from tests.gateway.played_node import MqttNode, write_config
from tests.tools.installs import Running, build_wheel, gateway, install, tree_of

pytestmark = pytest.mark.installs

# Version 0.1.0; the first commit whose store has schema 6, which is today's, and the last one with
# schema 5.
VERSION_0_1_0, SAME_SCHEMA, SCHEMA_BEFORE = "efaa2df3", "3dab822", "5ed8bb1"
NODES = ("n01", "n02", "n03")
EMBEDDED = 'kind = "embedded"\nport = 0'


@pytest.fixture(scope="module")
def present(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("present")
    return install(build_wheel(ROOT, folder), folder / "site")


def earlier(commit: str, folder: Path) -> Path:
    wheel = build_wheel(tree_of(commit, folder / commit), folder)
    return install(wheel, folder / f"{commit}-site")


async def play(site: Path, config: Path, boot: int) -> Running:
    """Run this version; three nodes of that boot report a walker, and get their receipts."""
    async with gateway((sys.executable,), config, {"PYTHONPATH": str(site)}) as running:
        if running.port:
            for name in NODES:
                await _report(MqttNode(name, boot), running.port)
    return running


async def _report(node: MqttNode, port: int) -> None:
    node.connect(port)
    try:
        node.publish(node.hello(t_ms=20_000))
        for t_ms in (12_000, 14_000, 16_000):
            node.publish(node.detection(t_ms, confidence_pct=95))
        await node.until_received(60)
    finally:
        node.disconnect()


def rows(config: Path, query: str) -> set[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(config.parent / "data" / "groundwatch.db")) as store:
        return set(store.execute(query))


def alarms(config: Path) -> set[tuple[object, ...]]:
    return rows(config, "SELECT alarm_id, at_us, change FROM alarm_history")


def detections(config: Path) -> set[tuple[object, ...]]:
    return rows(config, "SELECT node, boot, seq FROM detection")


def verified(site: Path, config: Path) -> int:
    data = config.parent / "data"
    words = ("audit", "verify", data / "groundwatch.db", "--key", data / "audit.pub")
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-P", "-m", "tools.cli", *map(str, words)]
    return subprocess.run(command, env=environment, check=False).returncode


def number(site: Path) -> str:
    """The version that pip installed."""
    (folder,) = site.glob("groundwatch-*.dist-info")
    return folder.name.removeprefix("groundwatch-").removesuffix(".dist-info")


@pytest.mark.parametrize("commit", [VERSION_0_1_0, SAME_SCHEMA])
async def test_site_upgraded_and_downgraded_keeps_detections_alarms_and_audit(
    commit: str, present: Path, tmp_path: Path
) -> None:
    before = earlier(commit, tmp_path)
    assert Version(number(before)) < Version(number(present))
    config = write_config(tmp_path, EMBEDDED)
    kept: set[tuple[object, ...]] = set()
    for boot, site in enumerate((before, present, before, present), start=1):
        ran = await play(site, config, boot)
        assert ran.status == 0, ran.problem
        assert len(detections(config)) == 9 * boot == ran.summary["detections"]
        assert kept <= alarms(config)
        kept = alarms(config)
        assert kept
        assert verified(site, config) == 0


async def test_site_of_an_older_schema_is_upgraded_and_its_downgrade_refused_in_one_line(
    present: Path, tmp_path: Path
) -> None:
    before = earlier(SCHEMA_BEFORE, tmp_path)
    config = write_config(tmp_path, EMBEDDED)
    first = await play(before, config, 1)
    assert first.status == 0, first.problem
    copy = (config.parent / "data" / "groundwatch.db").read_bytes()
    upgraded = await play(present, config, 2)
    assert upgraded.status == 0, upgraded.problem
    assert upgraded.summary["detections"] == 18
    refused = await play(before, config, 3)
    assert refused.status == 2
    line = refused.problem.strip().splitlines()[-1]
    assert line.startswith("groundwatch: ")
    assert "made by a newer Groundwatch: schema 6, this one knows up to 5" in line
    assert (await play(present, config, 3)).summary["detections"] == 27
    # Downgrade by the guide: the copy from before the upgrade.
    for path in (config.parent / "data").glob("groundwatch.db*"):
        path.unlink()
    (config.parent / "data" / "groundwatch.db").write_bytes(copy)
    assert (await play(before, config, 4)).summary["detections"] == 18
