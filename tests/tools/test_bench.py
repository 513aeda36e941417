# SPDX-License-Identifier: MIT
"""`groundwatch bench`: the load is that of real nodes, and each system stores all of it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.wire.messages import Phase
from tools.bench import ingest, measure, report, stored
from tools.bench.connections import hold
from tools.bench.ingest import Result
from tools.bench.load.loads import Load, crossings, heartbeats, live_crossings
from tools.bench.load.messages import read_messages, write_messages
from tools.bench.load.walks import zone_reports
from tools.bench.machine import Activity
from tools.bench.measure import Latency, Throughput, Wanted
from tools.bench.systems import EMBEDDED, FUSING, NAIVE, NODE_RED, OURS, Running, System, running
from tools.cli import main
from tools.errors import UserError

NODES, COUNT = 7, 210
QUIET = Activity(load_before=0.1, load_after=1.2, other_share=0.01, cores=2)


@pytest.mark.parametrize("system", [OURS, EMBEDDED, NAIVE], ids=lambda one: one.key)
def test_bench_system_fed_the_load_stores_every_message(system: System, tmp_path: Path) -> None:
    messages = tmp_path / "messages"
    write_messages(messages, system.load(NODES, COUNT).messages)
    with running(system, tmp_path / "run", NODES) as it:
        found = measure.throughput(it, NODES, messages, Wanted(COUNT))
        with contextlib.closing(sqlite3.connect(it.database)) as db:
            rows = db.execute("SELECT DISTINCT node, lane, seq FROM message").fetchall()
    assert len(rows) == COUNT
    assert found.per_s > 0 and found.cpu_us > 0 and found.load_share > 0


def test_bench_walks_past_nodes_raise_their_alarms(tmp_path: Path) -> None:
    load = FUSING.load(NODES, COUNT)
    assert load.walks >= 2
    write_messages(tmp_path / "messages", load.messages)
    with running(FUSING, tmp_path / "run", NODES) as it:
        wanted = Wanted(COUNT, load.walks, FUSING.speed)
        found = measure.throughput(it, NODES, tmp_path / "messages", wanted)
    assert found.alarms >= load.walks


def test_bench_store_of_a_slow_system_is_awaited(tmp_path: Path) -> None:
    messages = tmp_path / "messages"
    write_messages(messages, heartbeats(NODES, COUNT).messages)
    with running(NAIVE, tmp_path / "run", NODES) as it:
        long_ago_s = time.time() - 3600  # the table was made before an installation of an hour
        os.utime(it.database, (long_ago_s, long_ago_s))
        found = measure.throughput(it, NODES, messages, Wanted(COUNT))
    assert 0 < found.per_s < 1e6


@pytest.mark.parametrize("system", [OURS, EMBEDDED], ids=lambda one: one.key)
def test_bench_latency_of_paced_messages_is_measured_for_each(
    system: System, tmp_path: Path
) -> None:
    messages = tmp_path / "messages"
    write_messages(messages, heartbeats(NODES, COUNT).messages)
    with running(system, tmp_path / "run", NODES) as it:
        found = measure.latency(it, NODES, messages, 200, tmp_path)
        assert stored.count_rows(it.database) == COUNT
    assert 0 < found.p50_ms <= found.p99_ms


@pytest.mark.parametrize("load", [heartbeats(NODES, COUNT), crossings(NODES, COUNT)])
def test_bench_messages_read_back_as_they_were_written(load: Load, tmp_path: Path) -> None:
    assert len(load.messages) == COUNT
    write_messages(tmp_path / "messages", load.messages)
    assert list(read_messages(tmp_path / "messages")) == load.messages


def test_bench_walk_through_a_zone_is_detected_by_several_nodes_that_end_it() -> None:
    nodes, phases = defaultdict(set), defaultdict(list)
    for one in zone_reports(3, 60.0, 1200.0, random.Random(5)):
        nodes[one.walk].add(one.node)
        phases[one.walk, one.node, one.onset_tick].append(one.phase)
    assert len(nodes) > 5 and all(2 <= len(seen) <= 5 for seen in nodes.values())
    assert sum(len(seen) >= 3 for seen in nodes.values()) > 0.8 * len(nodes)
    for seen in phases.values():
        assert seen[0] is Phase.ONSET and seen[-1] is Phase.END
        assert set(seen[1:-1]) <= {Phase.UPDATE}


def test_bench_live_walks_are_sent_by_time_after_the_hellos() -> None:
    load = live_crossings(14, 60)
    due = [message.due_ms for message in load.messages]
    assert due == sorted(due) and due[13] == 0 and due[-1] <= 60_000
    assert load.detections + 14 + 14 <= len(due)  # hellos and heartbeats
    assert load.walks >= 1


def test_bench_connections_are_held_and_their_messages_stored() -> None:
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = hold(30, 6, 2, lambda _line: None)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) >= allowed  # raised at most, never lowered
    assert held.lost == 0
    assert held.sent == held.stored > 30


def result_of(**rates: tuple[float, ...]) -> Result:
    result = Result(max(map(len, rates.values())), activity=QUIET)
    for key, values in rates.items():
        result.found[key] += [Throughput(rate, 1e6 / rate, 0.2) for rate in values]
    for key in (OURS.key, EMBEDDED.key):
        result.delays[key] += [Latency(0.5, 0.9 + 0.1 * run) for run in range(result.runs)]
    return result


def test_bench_table_is_written_into_its_place_and_nowhere_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- ingest begin -->\nold\n<!-- ingest end -->\nb\n")
    result = result_of(groundwatch=(1000,), groundwatch_embedded=(2000,), naive=(50,))
    report.write_into(page, "ingest", report.ingest_table(result))
    text = page.read_text()
    assert text.startswith("a\n") and text.endswith("\nb\n") and "old" not in text
    assert "| 2,000 | 500, goal <= 28 | 40.0, goal >= 35 | - |" in text
    assert "| 1,000 | 1000 | 20.0, goal >= 15 | - |" in text
    assert json.dumps(result.to_json()["ratios"]) == '{"naive": 20.0}'
    assert json.dumps(result.to_json()["ratios_embedded"]) == '{"naive": 40.0}'
    with pytest.raises(UserError, match="has no place"):
        report.write_into(page, "connections", "table")


def test_bench_table_of_several_runs_shows_spread_and_other_work() -> None:
    result = result_of(groundwatch=(900, 1000, 1200), groundwatch_embedded=(2000, 2000, 2000))
    text = report.ingest_table(result)
    assert "1,000 (900 - 1,200)" in text
    assert "p99 1.00 (0.90 - 1.10) ms" in text
    assert "busy" not in text and "load average 0.1 before" in text
    assert result.to_json()["spread"]["rates"]["groundwatch"] == [900, 1200]
    result.activity = Activity(load_before=0.1, load_after=1.2, other_share=0.4, cores=2)
    assert "was busy with other work" in report.ingest_table(result)


class _Sessions:
    """Replaces the start of systems: which fails, and how often each ran."""

    def __init__(
        self,
        failing: System,
        monkeypatch: pytest.MonkeyPatch,
        error: Exception | None = None,
    ) -> None:
        self.ran: dict[str, int] = defaultdict(int)
        self.failing = failing
        self.error = error or UserError("npm cannot\ninstall | Node-RED")
        monkeypatch.setattr(ingest, "running", self.running)
        monkeypatch.setattr(measure, "throughput", lambda *_: Throughput(10, 5, 0.1, 99))
        monkeypatch.setattr(measure, "latency", lambda *_: Latency(0.1, 0.2))
        monkeypatch.setattr(ingest, "prepare", lambda _system: None)

    @contextlib.contextmanager
    def running(self, system: System, folder: Path, nodes: int) -> Iterator[Running | None]:
        self.ran[system.key] += 1
        if system is self.failing:
            raise self.error
        yield None


def test_bench_peer_that_fails_costs_no_other_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sessions = _Sessions(NODE_RED, monkeypatch)
    assert main(["bench", "ingest", "--runs", "2", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary["failed"] == {"node_red": "npm cannot\ninstall | Node-RED"}
    assert summary["ratios"] == summary["ratios_embedded"] == {"naive": 1.0}
    assert sessions.ran["node_red"] == 1 and sessions.ran["naive"] == 2
    assert main(["bench", "ingest", "--runs", "1"]) == 0
    assert "| failed: npm cannot install / Node-RED | - | - | - |" in capsys.readouterr().out


def test_bench_gateway_that_fails_reports_the_peers_and_exits_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _Sessions(EMBEDDED, monkeypatch)
    assert main(["bench", "ingest", "--runs", "1", "--json"]) == 1
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(summary["failed"]) == {EMBEDDED.key}
    assert summary["rates"]["naive"] == 10


def test_bench_peer_that_fails_in_any_way_costs_no_other_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _Sessions(NODE_RED, monkeypatch, KeyError("rows"))
    assert main(["bench", "ingest", "--runs", "1", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary["failed"] == {"node_red": "'rows'"} and summary["rates"]["naive"] == 10


@pytest.mark.parametrize("place", ["nosuch.md", "no/such.md", "empty.md"])
def test_bench_looks_at_the_place_of_its_table_before_the_work(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sessions = _Sessions(NODE_RED, monkeypatch)
    (tmp_path / "empty.md").write_text("no place for a table")
    assert main(["bench", "ingest", "--runs", "1", "--into", str(tmp_path / place)]) == 2
    shown = capsys.readouterr()
    assert (shown.out, len(shown.err.splitlines()), dict(sessions.ran)) == ("", 1, {})


@pytest.mark.parametrize(
    "words",
    [["ingest", "--peers", "kafka"], ["ingest", "--runs", "0"], ["connections", "--nodes", "0"]],
)
def test_bench_invalid_option_is_reported_in_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_bench_erase_measures_commits_with_and_without_erasing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- erase begin -->\n<!-- erase end -->\n")
    words = ["bench", "erase", "--rows", "3000", "--seconds", "1", "--json", "--into", str(page)]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["type"], found["rows"]) == ("erase", 3000)
    assert found["erased_per_s"] > 0
    for name in ("alone", "erasing"):
        times = found[name]
        assert 0 < times["p50_ms"] <= times["p99_ms"] <= times["max_ms"]
        assert 0 < times["cpu_p50_ms"] <= times["cpu_p99_ms"]
    assert page.read_text().count("| while records are erased |") == 1


@pytest.mark.parametrize("words", [["--rows", "10"], ["--seconds", "0"]])
def test_bench_erase_of_nothing_is_one_line_and_status_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "erase", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1
