# SPDX-License-Identifier: MIT
"""A gateway killed with a large store continues from it, and starts as fast as with a small one."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from gateway.store.interface import COUNT_MESSAGES
from gateway.wire import codec
from gateway.wire.messages import Detection, Phase, TargetClass
from tests.faults.nodes import Crowd, assert_all_once
from tests.faults.process import gateway
from tests.gateway.played_node import write_config
from tests.ports import free_port

BOOTS = 250  # of each of four nodes
SIZES = [
    pytest.param(4, id="some"),
    pytest.param(1000, id="million", marks=pytest.mark.faults),
]
NOW_BOOT = BOOTS + 1
_INSERT = "INSERT INTO message VALUES (?, ?, 0, ?, ?, ?, 'detection', ?)"


@pytest.mark.parametrize("of_a_boot", SIZES)
async def test_gateway_killed_on_a_large_store_is_ready_again_and_continues(
    of_a_boot: int, tmp_path: Path
) -> None:
    port = free_port()
    config = write_config(tmp_path, f'kind = "embedded"\nport = {port}')
    database, crowd = tmp_path / "data" / "groundwatch.db", Crowd(port)
    for node in crowd.nodes:
        node.boot = NOW_BOOT
    async with crowd.running():
        async with gateway(config):
            await crowd.until_progress(10)
        rows = fill(database, [node.node for node in crowd.nodes], of_a_boot)
        async with gateway(config) as killed:
            await crowd.until_progress(10)
            killed.process.kill()
            await killed.process.wait()
        async with gateway(config) as again:
            await crowd.until_progress(10)
            await crowd.until_empty()
    print(f"\nkilled on {rows:,} messages, a new process is ready after {again.ready_s:.2f} s")
    with contextlib.closing(sqlite3.connect(database)) as db:
        assert db.execute("DELETE FROM message WHERE boot <> ?", (NOW_BOOT,)).rowcount == rows
        db.commit()
    assert_all_once(database, crowd)


def fill(database: Path, nodes: list[str], of_a_boot: int) -> int:
    """Insert complete earlier boots of these nodes; the number of rows."""
    detection = Detection(
        t_ms=1000,
        phase=Phase.ONSET,
        class_=TargetClass.PERSON,
        confidence_pct=60,
        peak_um_s_x100=500,
        cadence_hz_x20=36,
        pir_count=0,
    )
    payload = codec.encode(detection)
    with contextlib.closing(sqlite3.connect(database)) as db, db:
        last, now_us = db.execute("SELECT max(id), max(arrival_us) FROM message").fetchone()
        boots = [(node, boot) for node in nodes for boot in range(1, NOW_BOOT)]
        rows = (
            (node, boot, seq, now_us, payload)
            for node, boot in boots
            for seq in range(1, of_a_boot + 1)
        )
        db.executemany(_INSERT, ((last + n, *row) for n, row in enumerate(rows, 1)))
        db.executemany(
            "INSERT INTO boot (node, boot, upto, missing) VALUES (?, ?, ?, 0)",
            ((*boot, of_a_boot) for boot in boots),
        )
        count = len(boots) * of_a_boot
        db.execute("UPDATE state SET value = ? WHERE name = ?", (str(last + count), COUNT_MESSAGES))
    return count
