# SPDX-License-Identifier: MIT
"""`groundwatch bench`: the load is what nodes would seal, and each system stores all of it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from tools.bench import measure, report
from tools.bench.connections import hold
from tools.bench.ingest import Result
from tools.bench.messages import backlog, heartbeats, read_messages, write_messages
from tools.bench.systems import EMBEDDED, FUSING, NAIVE, OURS, System, running
from tools.cli import main
from tools.errors import UserError

NODES, COUNT = 5, 200


@pytest.mark.parametrize("system", [OURS, EMBEDDED, FUSING, NAIVE], ids=lambda one: one.key)
def test_bench_system_fed_the_load_stores_every_message(system: System, tmp_path: Path) -> None:
    messages = tmp_path / "messages"
    write_messages(messages, system.load(NODES, COUNT))
    with running(system, tmp_path / "run", NODES) as it:
        found = measure.throughput(it, NODES, messages, COUNT)
        with contextlib.closing(sqlite3.connect(it.database)) as db:
            rows = db.execute("SELECT DISTINCT node, lane, seq FROM message").fetchall()
    assert len(rows) == COUNT
    assert found.per_s > 0 and found.cpu_us > 0


def test_bench_latency_of_paced_messages_is_measured_for_each(tmp_path: Path) -> None:
    messages = tmp_path / "messages"
    write_messages(messages, heartbeats(NODES, COUNT))
    with running(OURS, tmp_path / "run", NODES) as it:
        found = measure.latency(it, NODES, messages, 200, tmp_path)
    assert 0 < found.p50_ms <= found.p99_ms


def test_bench_messages_read_back_as_they_were_written(tmp_path: Path) -> None:
    made = list(backlog(NODES, COUNT))
    assert len(made) == COUNT
    assert write_messages(tmp_path / "messages", iter(made)) == COUNT
    assert list(read_messages(tmp_path / "messages")) == made


def test_bench_connections_are_held_and_their_messages_stored() -> None:
    held = hold(30, 6, 2, lambda _line: None)
    assert held.lost == 0
    assert held.sent == held.stored > 30


def test_bench_table_is_written_into_its_place_and_nowhere_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- ingest begin -->\nold\n<!-- ingest end -->\nb\n")
    rates = {"groundwatch": 1000.0, "naive": 50.0}
    result = Result(rates, {"groundwatch": 30.0, "naive": 300.0}, 0.5, 1.5, 3)
    report.write_into(page, "ingest", report.ingest_table(result))
    text = page.read_text()
    assert text.startswith("a\n") and text.endswith("\nb\n") and "old" not in text
    assert "| 50 | 300 us | 20.0 | >= 20 |" in text
    assert json.dumps(result.to_json()["ratios"]) == '{"naive": 20.0}'
    with pytest.raises(UserError, match="has no place"):
        report.write_into(page, "connections", "table")


@pytest.mark.parametrize(
    "words",
    [["ingest", "--peers", "kafka"], ["ingest", "--runs", "0"], ["connections", "--nodes", "0"]],
)
def test_bench_asked_for_what_there_is_not_says_so_in_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
