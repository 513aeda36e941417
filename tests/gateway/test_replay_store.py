# SPDX-License-Identifier: MIT
"""Replay of a store: byte for byte what was decided then, over restarts, and what else could be."""

from __future__ import annotations

import json
import random
import sqlite3
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.alarms import AlarmRules
from gateway.alarms.rules import EscalationStep
from gateway.alarms.schedule import Schedule, parse_windows
from gateway.config.retention import RecordClass
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.model.actions.acts import Acknowledge, SetArming, SetMask
from gateway.model.place.site import Site
from gateway.monitor.policy import Policy
from gateway.service.records.policy_record import NewPolicy
from gateway.service.stages import Stages
from gateway.store.interface import Writes
from gateway.store.sqlite import SqliteStore
from gateway.wire.messages import Condition, ConditionKind
from tests.gateway.played_node import ROOT, PlayedNode, write_config
from tests.gateway.test_pipeline import T0, S, crossing
from tools.cli import main


def live(folder: Path, seed: int, restarts: int, idle_s: int = 0, changes: float = 0.0) -> None:
    """A gateway lives through walks, tamper, forgers, orders and restarts, with ticks at odd
    moments, and stores it all. `changes`: of standing orders, so many for an uplink."""
    rng = random.Random(seed)
    site = load_site(folder / "site.toml")
    store = SqliteStore(folder / "data" / "groundwatch.db")
    store.open()
    uplinks = crossing(seed, walks=4)
    nodes = [PlayedNode("n02", boot=9), PlayedNode("n03", boot=9)]
    for turn, node in enumerate(nodes):
        at_us = T0 + (60 + 90 * turn) * S
        tamper = Condition(t_ms=1, kind=ConditionKind.TAMPER, active=1)
        uplinks.append((at_us, node.up, node.seal(tamper, 0)))
        uplinks += [(at_us + n * S, node.up, node.detection(n)[:-1] + b"\0") for n in range(12)]
    uplinks.sort()
    cuts = sorted(rng.sample(range(5, len(uplinks)), restarts))
    for first, last in zip([0, *cuts], [*cuts, len(uplinks)], strict=True):
        _one_run(site, store, rng, uplinks[first:last], changes)
    if idle_s:
        pipeline = Stages(site, site_keys(site, ROOT), store.load())
        for second in range(idle_s):
            pipeline.tick(uplinks[-1][0] + second * S)
            store.commit(pipeline.take_writes())
    store.close()


def _one_run(
    site: Site,
    store: SqliteStore,
    rng: random.Random,
    uplinks: list[tuple[int, str, bytes]],
    changes: float,
) -> None:
    pipeline = Stages(site, site_keys(site, ROOT), store.load())
    now_us = uplinks[0][0]
    for arrival_us, topic, payload in uplinks:
        while now_us < arrival_us:  # the writer ticks before what has waited, at odd moments
            now_us += int(rng.uniform(0.1, 0.9) * S)
            pipeline.tick(now_us)
        pipeline.uplink(arrival_us, topic, payload)
        if rng.random() < 0.08:
            _order(pipeline, rng, now_us)
        if changes and rng.random() < changes:
            new = NewPolicy(_other_orders(pipeline, rng), site_keys(site, ROOT), (), {})
            for entry in pipeline.set_policy(now_us, "eva", new)[0]:
                pipeline.process(entry)
        if rng.random() < 0.3:
            store.commit(pipeline.take_writes())
    store.commit(pipeline.take_writes())


def _other_orders(pipeline: Stages, rng: random.Random) -> Policy:
    """An operator changes a schedule, the escalation, or where a node stands."""
    orders = pipeline.policy
    windows = parse_windows("mon-sun 00:00-24:00") if rng.random() < 0.5 else ()
    schedules = {rng.choice(("west", "east")): Schedule(ZoneInfo("UTC"), windows, "changed")}
    steps = (EscalationStep(rng.choice((10, 20)) * S, "leader", 2),)
    moved = replace(orders.site.nodes["n04"], y_m=rng.choice((0.0, 1.5)))
    site = replace(orders.site, nodes={**orders.site.nodes, "n04": moved})
    return Policy(site, orders.rules, AlarmRules(orders.alarms.sector_of, schedules, steps))


def _order(pipeline: Stages, rng: random.Random, now_us: int) -> None:
    act = rng.choice(
        (
            SetMask("eva", "cows", now_us + 40 * S, sectors=("east",)),
            SetMask("eva", "ploughing", now_us + 25 * S, nodes=("n01",)),
            SetArming("tom", "west", False, "open day", now_us + 30 * S),
            *(Acknowledge(alarm.id, "eva") for alarm in pipeline.monitor.state.alarms.open),
        )
    )
    pipeline.take(now_us, "eva", act)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_config(tmp_path, 'kind = "embedded"')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def replay(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, list[dict[str, object]]]:
    capsys.readouterr()
    status = main(["replay", "--store", "data/groundwatch.db", "--json", *more])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def database(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "data" / "groundwatch.db")


@pytest.mark.parametrize(("seed", "restarts"), [(1, 0), (2, 1), (3, 4), (4, 9)])
def test_replay_of_a_store_gives_the_same_history_byte_for_byte(
    seed: int, restarts: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live(folder, seed, restarts)
    status, lines = replay(capsys)
    db = database(folder)
    changes = db.execute("SELECT count(*) FROM alarm_history").fetchone()[0]
    kinds = {row[0] for row in db.execute("SELECT DISTINCT kind FROM alarm")}
    db.close()
    assert lines[-1] == {
        "type": "summary", "from_us": lines[0]["start_us"], "runs": restarts + 1,
        "changes": changes, "identical": True, "same_rules": True, "erased": 0,
    }, lines  # fmt: skip
    assert status == 0
    assert changes > 15
    assert {"intrusion", "tamper"} <= kinds


@pytest.mark.parametrize("seed", range(5, 10))
def test_replay_of_a_store_whose_orders_changed_meanwhile_steps_each_moment_with_its_own(
    seed: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live(folder, seed, restarts=2, changes=0.2)
    db = database(folder)
    orders = db.execute("SELECT count(*) FROM log WHERE kind = 'SavedPolicy'").fetchone()[0]
    db.close()
    status, lines = replay(capsys)
    assert status == 0, lines
    assert lines[-1]["identical"] is True
    assert orders > 5
    # They mattered: without the changes the history is another.
    db = database(folder)
    with db:
        db.execute("DELETE FROM log WHERE kind = 'SavedPolicy'")
    db.close()
    assert replay(capsys)[0] == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log SET value = replace(value, 'x_m', 'y') WHERE kind = 'Start'",
        "UPDATE log SET value = replace(value, 'zone', 'z') WHERE kind = 'SavedPolicy'",
        "UPDATE log SET value = replace(value, 'UTC', '../UTC') WHERE kind = 'SavedPolicy'",
        "UPDATE log SET value = '[]' WHERE kind = 'SavedPolicy'",
    ],
)
def test_replay_of_a_store_with_overrides_that_are_none_is_one_line(
    statement: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live(folder, 5, 0, changes=0.2)
    db = database(folder)
    with db:
        assert db.execute(statement).rowcount > 0
    db.close()
    assert main(["replay", "--store", "data/groundwatch.db"]) == 2
    printed = capsys.readouterr().err
    assert "the store cannot be replayed: log" in printed
    assert printed.count("\n") == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE alarm_history SET value = replace(value, '\"priority\":', '7') WHERE id = 2",
        "DELETE FROM alarm_history WHERE id = (SELECT max(id) FROM alarm_history)",
        "DELETE FROM log WHERE kind = 'Detection' AND id % 3 = 0",
        "DELETE FROM log WHERE kind = 'NodeCondition'",
    ],
)
def test_replay_of_a_store_that_was_altered_shows_the_first_difference(
    statement: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live(folder, 2, 1)
    db = database(folder)
    with db:
        assert db.execute(statement).rowcount > 0
    db.close()
    status, lines = replay(capsys)
    assert status == 1
    assert lines[-1]["identical"] is False
    different = [line for line in lines if line["type"] == "run" and not line["identical"]]
    assert different
    assert {"stored", "replayed"} <= different[0].keys()


def test_replay_with_other_rules_shows_what_would_have_been_different(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live(folder, 1, 2)
    (folder / "none.toml").write_text("")
    status, lines = replay(capsys, "--rules", "none.toml")
    same = lines[-1]
    assert (status, same["only_now"], same["only_then"]) == (0, 0, 0), lines
    assert same["both"] == same["alarms_then"] > 4
    (folder / "high.toml").write_text("[rules]\nalarm_at = 99\n")
    status, lines = replay(capsys, "--rules", "high.toml")
    gone = [line for line in lines if line.get("only") == "as recorded"]
    assert {line["kind"] for line in gone} == {"intrusion"}
    assert lines[-1]["only_then"] == len(gone) == 4
    assert lines[-1]["only_now"] == 0


def test_replay_journal_of_an_idle_line_does_not_grow(folder: Path) -> None:
    live(folder, 1, 0)
    db = database(folder)
    before = db.execute("SELECT count(*) FROM tick").fetchone()[0]
    db.close()
    other = folder / "idle"
    other.mkdir()
    (other / "site.toml").write_bytes((folder / "site.toml").read_bytes())
    live(other, 1, 0, idle_s=2000)
    rows = database(other).execute("SELECT kind, count(*) FROM tick GROUP BY kind").fetchall()
    assert sum(count for _kind, count in rows) < before + 20, rows


def test_replay_of_a_run_under_other_rules_reports_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live(folder, 1, 0)
    site = folder / "site.toml"
    site.write_text(site.read_text().replace("x_m = 25\n", "x_m = 26\n"))
    _status, lines = replay(capsys)
    assert lines[-1]["same_rules"] is False


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "name either a take"),
        (["x.npz", "--store", "y"], "name either a take"),
        (["--store", "none.db"], "there is no store"),
        (["--store", "site.toml"], "not a database"),
        (["--store", "data/groundwatch.db", "--rules", "none.toml"], "cannot be read"),
        (["--store", "data/groundwatch.db", "--rules", "site.toml"], "is not a known key"),
        (["--store", "data/groundwatch.db", "--config", "none.toml"], "cannot be read"),
    ],
)
def test_replay_of_what_is_no_store_is_one_line_and_status_2(
    arguments: list[str], expected: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live(folder, 1, 0)
    status = main(["replay", *arguments])
    printed = capsys.readouterr()
    assert (status, expected in printed.err, printed.err.count("\n")) == (2, True, 1), printed


def erase_all(folder: Path, kept: RecordClass, before_us: int) -> None:
    """Retention erases a class up to that moment, as the gateway does: in portions, by commits."""
    site = load_site(folder / "site.toml")
    store = SqliteStore(folder / "data" / "groundwatch.db")
    store.open()
    eraser = Stages(site, site_keys(site, ROOT), store.load()).eraser
    while found := store.expired({kept: before_us}):
        eraser.step(before_us, found)
        writes = Writes()
        eraser.collect(writes)
        store.commit(writes)
    store.close()


def test_replay_after_alarms_are_erased_before_detections_is_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live(folder, 2, 1)
    db = database(folder)
    with db:
        # All are closed; the replay closes none, so this changes only what may be erased.
        db.execute("UPDATE alarm SET open = 0")
    times = [row[0] for row in db.execute("SELECT max(at_us) FROM alarm_history GROUP BY alarm_id")]
    db.close()
    before_us = sorted(times)[len(times) // 2]
    erase_all(folder, RecordClass.ALARMS, before_us)
    status, lines = replay(capsys)
    assert (status, lines[-1]["identical"]) == (0, True), lines
    assert lines[-1]["erased"] > 0
    assert lines[-1]["changes"] > 0
    # What retention did not erase is still missed.
    db = database(folder)
    with db:
        youngest = "(SELECT alarm_id FROM alarm_history ORDER BY id DESC LIMIT 1)"
        db.execute(f"DELETE FROM alarm WHERE id = {youngest}")
        db.execute(f"DELETE FROM alarm_history WHERE alarm_id = {youngest}")
    db.close()
    assert replay(capsys)[0] == 1


def test_replay_with_the_same_rules_after_alarms_are_erased_finds_no_new_ones(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live(folder, 1, 2)
    db = database(folder)
    with db:
        db.execute("UPDATE alarm SET open = 0")
    times = [row[0] for row in db.execute("SELECT max(at_us) FROM alarm_history GROUP BY alarm_id")]
    db.close()
    erase_all(folder, RecordClass.ALARMS, sorted(times)[len(times) // 2])
    (folder / "none.toml").write_text("")
    assert replay(capsys, "--rules", "none.toml")[1][-1]["only_now"] == 0


def test_replay_of_a_run_whose_start_was_erased_states_from_when_on_it_compares(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live(folder, 3, 1)
    db = database(folder)
    starts = db.execute("SELECT id, at_us FROM log WHERE kind = 'Start' ORDER BY id").fetchall()
    between = db.execute(
        "SELECT at_us FROM log WHERE id > ? AND id < ? ORDER BY id DESC LIMIT 1",
        (starts[0][0], starts[1][0]),
    ).fetchone()
    db.close()
    erase_all(folder, RecordClass.DETECTIONS, between[0])
    status, lines = replay(capsys)
    second_us = lines[0]["start_us"]
    assert second_us == starts[1][1]
    assert {"type": "left_out", "before_us": second_us} in lines
    assert (status, lines[-1]["runs"], lines[-1]["from_us"]) == (0, 1, second_us)


def test_replay_of_one_run_longer_than_retention_states_that_nothing_can_be_compared(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live(folder, 3, 0)
    db = database(folder)
    at_us = db.execute("SELECT at_us FROM log WHERE id > 20 ORDER BY id LIMIT 1").fetchone()[0]
    db.close()
    erase_all(folder, RecordClass.DETECTIONS, at_us)
    status, lines = replay(capsys)
    assert lines[0] == {"type": "left_out", "before_us": None}
    assert (status, lines[-1]["runs"], lines[-1]["from_us"]) == (0, 0, None)
    capsys.readouterr()
    assert main(["replay", "--store", "data/groundwatch.db"]) == 0
    assert "nothing can be compared" in capsys.readouterr().out


def test_an_entry_of_a_clock_that_was_set_back_is_erased_with_those_before_it(folder: Path) -> None:
    live(folder, 2, 0)
    db = database(folder)
    start_us = db.execute("SELECT at_us FROM log WHERE kind = 'Start'").fetchone()[0]
    with db:
        db.execute("UPDATE log SET at_us = ? WHERE id = 10", (start_us - S,))
    entries = db.execute("SELECT count(*) FROM log").fetchone()[0]
    db.close()
    erase_all(folder, RecordClass.DETECTIONS, start_us)
    db = database(folder)
    assert db.execute("SELECT count(*) FROM log").fetchone()[0] == entries
    db.close()
