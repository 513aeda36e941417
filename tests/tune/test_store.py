# SPDX-License-Identifier: MIT
"""`groundwatch model tune` on stores that the gateway's own stages made, whole and damaged."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.model.alarm import Disposition
from gateway.wire import codec
from gateway.wire.messages import Hello, ResetCause
from tests.tune.weeks import NOISY, Plan, live, settings
from tools.cli import main

NOW_US = 1_790_000_000_000_000
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def fortnight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the store of two weeks; n02 stands beside a pump."""
    folder = tmp_path_factory.mktemp("fortnight")
    live(folder, NOW_US, Plan(days=14))
    return folder


@pytest.fixture
def store(fortnight: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    path = tmp_path / "groundwatch.db"
    shutil.copy(fortnight / "data" / "groundwatch.db", path)
    return path


def tune(capsys: Capture, store: Path, *words: str) -> dict[str, Any]:
    assert main(["tune", "--store", str(store), "--json", *words]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def change(store: Path, *statements: str) -> None:
    with closing(sqlite3.connect(store)) as db, db:
        for statement in statements:
            db.execute(statement)


def node(found: dict[str, Any], name: str = NOISY) -> dict[str, Any]:
    one: dict[str, Any] = next(one for one in found["report"]["nodes"] if one["node"] == name)
    return one


def test_store_of_a_noisy_and_of_quiet_nodes_gives_a_raise_and_no_more(
    store: Path, capsys: Capture
) -> None:
    found = tune(capsys, store)
    noisy = node(found)
    assert noisy["listened_h"] == pytest.approx(14 * 24, abs=0.5)
    assert noisy["quiet_h"] == pytest.approx(14 * 24 - 2, abs=0.5)
    assert noisy["excluded_h"] == {"authorised activity": 2.0}
    assert (noisy["false"], noisy["unconfirmed"], noisy["confirmed"]) == (14 * 6, 0, 2)
    assert noisy["per_day"][1] < 6 < noisy["per_day"][2]
    assert {rate["target"] for rate in noisy["rates"]} == {"person"}
    by_hour = sum(rate["count"] for rate in noisy["rates"])
    assert by_hour == noisy["unwanted"] == noisy["proposal"]["removed"]
    assert (noisy["proposal"]["action"], noisy["proposal"]["threshold_x10"]) == ("raise", 5)
    assert noisy["proposal"]["lost"] == []
    for name in ("n01", "n03", "n04"):
        proposal = node(found, name)["proposal"]
        assert (proposal["action"], proposal["threshold_x10"]) == ("lower", -5)


def test_replay_shows_which_detections_and_alarms_would_not_have_come(
    store: Path, capsys: Capture
) -> None:
    found = tune(capsys, store, "--replay")["replay"]
    assert found["thresholds"] == {NOISY: 5}
    assert found["not_replayed"] == {"n01": -5, "n03": -5, "n04": -5}
    assert len(found["detections"]) == 14 * 6
    assert {(one["node"], one["label"]) for one in found["detections"]} == {(NOISY, "false")}
    assert len(found["alarms"]) == 14 * 6
    assert {tuple(one["assessed"]) for one in found["alarms"]} == {("unknown",)}
    assert not any(one["confirmed"] for one in found["alarms"])
    assert found["new_alarms"] == []
    # The walk tests are still detected.
    assert found["alarms_after"] == found["alarms_before"] - 14 * 6 > 0
    assert tune(capsys, store, "--replay") == tune(capsys, store, "--replay")


def test_table_shows_what_is_proposed_and_what_cannot_be_replayed(
    store: Path, capsys: Capture
) -> None:
    assert main(["tune", "--store", str(store), "--replay"]) == 0
    table = capsys.readouterr().out
    assert "raise to 5" in table and "no confirmed detection would have been lost" in table
    assert "replay of n02 at 5: 84 detections would not have come, and 84 of" in table
    assert "replay of n01 at -5: not possible: what was below the present threshold" in table
    assert main(["tune", "--store", str(store), "--node", "n01"]) == 0
    table = capsys.readouterr().out
    assert "n01" in table and "n02" not in table


def test_walks_that_are_as_weak_as_the_pump_are_named_as_lost(
    tmp_path: Path, capsys: Capture
) -> None:
    store = live(tmp_path, NOW_US, Plan(days=7, walk_pct=68, walk_hour=12))
    # The people's onset at 70 is no limit: the pump's at 64 is the lowest of the class.
    found = tune(capsys, store, "--replay", "--node", NOISY)
    proposal = node(found)["proposal"]
    assert proposal["action"] == "raise"
    assert proposal["lost"] == []
    store.unlink()
    for path in (tmp_path / "data").iterdir():
        path.unlink()
    (tmp_path / "data").rmdir()
    store = live(tmp_path, NOW_US, Plan(days=7, walk_hour=2))
    found = tune(capsys, store, "--replay", "--node", NOISY)
    (lost,) = node(found)["proposal"]["lost"]
    assert lost["confidence_pct"] == 67 and lost["because"].endswith(": test")
    assert any(one["confirmed"] for one in found["replay"]["alarms"])


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (Plan(days=2), "too little quiet (48 of 72 hours)"),
        (Plan(days=14, assess=None), "84 detections in hours that do not count may be unwanted"),
        (Plan(days=7, assess=Disposition.PERSON), "0.0 unwanted detections per day (0.0 to"),
        (Plan(days=7, assess=Disposition.ANIMAL), "0.0 unwanted detections per day (0.0 to"),
        (Plan(days=7, pump_pct=(80, 85, 85)), "a step up would remove none of them"),
        (Plan(days=7, thresholds={NOISY: 20}), "20 is the upper bound"),
    ],
    ids=["two days", "not assessed", "people", "animals", "strong", "bound"],
)
def test_evidence_that_is_thin_or_of_people_proposes_no_change(
    plan: Plan, expected: str, tmp_path: Path, capsys: Capture
) -> None:
    proposal = node(tune(capsys, live(tmp_path, NOW_US, plan)))["proposal"]
    assert (proposal["action"], expected in proposal["why"]) == ("no change", True), proposal


HOSTILE = {
    "confidence": "UPDATE detection SET confidence_pct = 1 << 40 WHERE id % 2 = 0",
    "negative": "UPDATE detection SET confidence_pct = -5 WHERE id % 3 = 0",
    "class": "UPDATE detection SET class = 'ghost' WHERE id % 2 = 0",
    "phase": "UPDATE detection SET phase = 'never'",
    "future": "UPDATE detection SET onset_us = 1 << 62, report_us = 1 << 62 WHERE id % 2 = 0",
    "past": "UPDATE detection SET onset_us = -(1 << 62)",
    "backwards": "UPDATE detection SET report_us = onset_us - 1",
    "nodes": "UPDATE detection SET node = 'x' || node",
    "onset": "UPDATE detection SET onset_ms = -(1 << 60)",
    "alarms": "UPDATE alarm SET value = substr(value, 1, 20) WHERE id % 2 = 0",
    "alarm types": "UPDATE alarm SET value = '[]'",
    "raised": "UPDATE alarm SET raised_us = 1 << 62",
    "state": "UPDATE state SET value = '{' WHERE name LIKE 'node:%'",
    "command": "INSERT INTO state (name, value) VALUES ('command:1', '[1, 2]')",
    "hello": "UPDATE message SET payload = x'ffff' WHERE kind = 'hello'",
    "no hello": "DELETE FROM message WHERE kind = 'hello'",
    "heartbeats in the future": "UPDATE message SET arrival_us = 1 << 62 WHERE kind = 'health'",
    "heartbeats in the past": "UPDATE message SET arrival_us = -1 WHERE kind = 'health'",
    "walks": "UPDATE log SET value = '{}' WHERE kind = 'AnnounceWalk'",
    "clock of the log": "UPDATE log SET at_us = at_us - 900000000000 WHERE id % 2 = 0",
    "audit": "INSERT INTO audit (id, at_us, actor, action, reason, detail_json, digest, link) "
    "VALUES (1 << 40, 1, 'x', 'tuning.set', 'y', '{\"node\": \"n02\", \"after_x10\": 99999}', "
    "x'00', x'00')",
    "audit text": "INSERT INTO audit (id, action, detail_json, digest, link) VALUES "
    "(1 << 40, 'tuning.set', 'not JSON', x'00', x'00')",
}


@pytest.mark.parametrize("statement", HOSTILE.values(), ids=HOSTILE)
def test_store_with_impossible_values_gives_proposals_within_bounds(
    statement: str, store: Path, capsys: Capture
) -> None:
    change(store, statement)
    for one in tune(capsys, store)["report"]["nodes"]:
        proposal = one["proposal"]
        assert proposal["threshold_x10"] in (None, -5, 0, 5)
        assert 0 <= one["quiet_h"] <= one["listened_h"] <= 4 * 7 * 24
        assert one["unwanted"] >= 0


def test_rows_that_are_not_possible_are_counted(store: Path, capsys: Capture) -> None:
    before = tune(capsys, store)["report"]["left_out"]
    change(store, HOSTILE["class"], HOSTILE["alarms"])
    found = tune(capsys, store)
    with closing(sqlite3.connect(store)) as db:
        ghosts = db.execute("SELECT count(*) FROM detection WHERE class = 'ghost'").fetchone()[0]
        broken = db.execute("SELECT count(*) FROM alarm WHERE id % 2 = 0").fetchone()[0]
    assert before == 0
    assert found["report"]["left_out"] == ghosts + broken
    assert main(["tune", "--store", str(store)]) == 0
    assert "stored rows left out" in capsys.readouterr().out


def test_clock_that_was_set_back_counts_no_hour_twice(store: Path, capsys: Capture) -> None:
    before = node(tune(capsys, store))
    week_us = 7 * 86_400 * 1_000_000
    change(
        store,
        f"UPDATE message SET arrival_us = arrival_us - {week_us} "
        "WHERE id > (SELECT max(id) / 2 FROM message)",
        f"UPDATE detection SET onset_us = onset_us - {week_us}, report_us = report_us - {week_us} "
        "WHERE id > (SELECT max(id) / 2 FROM detection)",
    )
    found = node(tune(capsys, store))
    assert found["listened_h"] <= before["listened_h"] / 2 + 1
    assert all(hours <= 8 for hours in found["quiet_by_hour_h"])


def test_exposure_is_by_the_heartbeat_interval_of_then(tmp_path: Path, capsys: Capture) -> None:
    store = live(tmp_path, NOW_US, Plan(days=4))
    with closing(sqlite3.connect(store)) as db, db:
        newest = db.execute("SELECT max(id), max(arrival_us) FROM message").fetchone()
        message = Hello(
            t_ms=0, fw="0.1", board="played", schema=3, reset_cause=ResetCause.POWER_ON,
            fs_hz=250, heap_free=1, settings=settings(heartbeat_s=60),
        )  # fmt: skip
        row = (newest[0] + 1, NOISY, 1, 2, 1, newest[1] + 1, "hello", codec.encode(message))
        db.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    found = node(tune(capsys, store))
    assert found["listened_h"] == pytest.approx(96, abs=0.5)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--store", "none.db"], "there is no store"),
        (["--store", "text.db"], "not a database"),
        (["--store", "STORE", "--weeks", "0"], "--weeks must be 1 to 52"),
        (["--store", "STORE", "--weeks", "53"], "--weeks must be 1 to 52"),
        (["--store", "STORE", "--weeks", "x"], "not a valid integer"),
        (["--store", "STORE", "--node", "n99"], "there is no node 'n99'"),
        (["--store", "STORE", "--reason", "x"], "belong to --apply"),
        (["--store", "STORE", "--apply", "n02", "--reason", "x"], "leave out --store"),
        (["--apply", "n02", "--config", "CONFIG"], "give a reason"),
        (["--apply", "n02", "--reason", "x", "--days", "91", "--config", "CONFIG"], "1 to 90"),
        (["--apply", "n02", "--reason", "x", "--config", "CONFIG"], "no gateway answers"),
        (["--config", "none.toml"], "cannot be read"),
    ],
)
def test_tune_of_bad_input_is_one_line_and_status_2(
    words: list[str],
    expected: str,
    store: Path,
    fortnight: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(store.parent)
    Path("text.db").write_text("text " * 2000)
    named = {"STORE": str(store), "CONFIG": str(fortnight / "gateway.toml")}
    assert main(["tune", *[named.get(word, word) for word in words]]) == 2
    error = capsys.readouterr().err
    assert (expected in error, error.count("\n")) == (True, 1), error


def test_store_that_holds_no_log_or_an_altered_one_is_one_line(
    store: Path, capsys: Capture
) -> None:
    change(store, "UPDATE log SET value = '[]' WHERE kind = 'Detection' AND id % 50 = 0")
    assert main(["tune", "--store", str(store)]) == 0
    assert main(["tune", "--store", str(store), "--replay"]) == 2
    error = capsys.readouterr().err
    assert ("cannot be replayed: log" in error, error.count("\n")) == (True, 1), error
    change(store, "DELETE FROM log")
    assert main(["tune", "--store", str(store)]) == 2
    error = capsys.readouterr().err
    assert ("holds no log" in error, error.count("\n")) == (True, 1), error
