# SPDX-License-Identifier: MIT
"""Radio burst: a node under real MicroPython whose radio is on only to send, and a real gateway."""

from __future__ import annotations

import sqlite3
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.node.conftest import walker
from tests.node.yard import Yard, printed, until
from tests.node_commands.conftest import Verb

# From an onset until the gateway has its detection: the radio starts, joins and connects. Here a
# join takes 1.2 s; on a Pico W about 4 s are assumed (docs/power.md).
LATEST_S = 8


@pytest.mark.long
async def test_node_in_radio_burst_loses_nothing_and_its_commands_wait(
    micropython: Path, tmp_path: Path, verb: Verb
) -> None:
    yard = Yard(tmp_path, micropython, link="wifi")
    today = datetime.now(UTC).date()
    with (tmp_path / "site.toml").open("a") as site:
        site.write(f"battery_wh = 57.6\nbattery_since = {today}\n")
    async with yard.gateway() as gateway:
        with yard.node(walker(400, 75, 95)) as node:
            registry = gateway.service.stages.intake.registry
            await until(lambda: registry.views["n01"].settings, 60, node)
            words = ("radio=burst", "heartbeat_s=30", "--reason", "battery")
            code, out, _ = await verb("configure", "n01", *words)
            assert (code, out.split()[:3]) == (0, ["n01", "configure", "done"])
            await until(lambda: registry.views["n01"].contact_s, 10, node)
            assert registry.views["n01"].contact_s == 66

            def rests() -> int:
                return sum(line.startswith("link rests") for line in node.lines)

            await until(rests, 20, node)
            code, _, err = await verb("ping", "n01", "--minutes", "1")
            assert (code, err.count("\n"), "within 2 min" in err) == (2, 1, True)
            begin_s = time.monotonic()
            code, out, err = await verb("ping", "n01")
            assert (code, "waits for the node's next contact, at most 2 min" in err) == (0, True)
            assert time.monotonic() - begin_s < 66
            # Neither missed nor taken for one that lost its connection while it rests.
            await until(lambda: "class=" in "".join(node.lines), 90, node)
            await until(lambda: not registry.views["n01"].ledger_pending, 30, node)
            share = registry.views["n01"].radio_share
            assert share is not None
            before = rests()
            await until(lambda: rests() >= before + 2, 100, node)
            share = registry.views["n01"].radio_share
            code, out, _ = await verb("show", "n01")
            assert "computed from its battery and its measured duty" in out
            code, out, _ = await verb("list")
            assert "radio burst, next within 2 min" in out
            assert not registry.views["n01"].lost
            made = printed(node)
    assert made and made == yard.stored()
    assert share is not None and 0.02 < share < 0.6
    db = sqlite3.connect(tmp_path / "data" / "groundwatch.db")
    late_us = max(a - r for a, r in db.execute("SELECT arrival_us, report_us FROM detection"))
    assert late_us < LATEST_S * 1_000_000
    text = f"radio on {share:.0%}, latest detection {late_us / 1e6:.1f} s after its report"
    sys.stdout.write(f"\n{text} ")
