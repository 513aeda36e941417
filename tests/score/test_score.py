# SPDX-License-Identifier: MIT
"""From ground to table: the command, its files and its errors."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from sim_hardware import take
from sim_hardware.world import World, load
from tools.cli import main
from tools.errors import UserError
from tools.replay import replay
from tools.score import plots
from tools.score.alarms import surer_alarms
from tools.score.cli import parse_seeds
from tools.score.figures import figures, reliability
from tools.score.goals import goals
from tools.score.line import alarm_lines
from tools.score.observe import activities, observe_take, observe_world
from tools.score.suite import HELD_OUT, read_suite
from tools.score.tables import MARKS, between_marks, markdown
from tools.score.tally import Cell, Tally, tally, total
from tools.score.truth import CLASSES


def groundwatch(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.cli", "score", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_score_of_a_take_gives_json_page_pictures_and_tables(tmp_path: Path) -> None:
    take.save(World(load(Path("night_walker_two_nodes")), 5).take(110), tmp_path / "walk")
    page, table = tmp_path / "out.html", tmp_path / "out.md"
    done = groundwatch(
        str(tmp_path / "walk"), "--json", "--html", str(page), "--png", str(tmp_path / "png"),
        "--markdown", str(table),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    score = json.loads(done.stdout)
    (audible,) = score["pd_of_audible"]
    assert (audible["class"], audible["passes"]) == ("person", 2)
    assert audible["pd"]["low"] <= audible["pd"]["value"] <= audible["pd"]["high"]
    assert score["crossings_alarmed"][0]["crossings"] == 1
    text = page.read_text()
    assert text.count("data:image/png;base64,") == len(plots.PLOTS)
    assert "http" not in text and "<script" not in text
    pictures = sorted((tmp_path / "png").glob("*.png"))
    assert {path.stem for path in pictures} == set(plots.PLOTS)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
    assert "| person | calm |" in table.read_text()


def test_score_of_the_same_world_twice_is_the_same(micropython: Path) -> None:
    scenario = load(Path("night_walker_two_nodes"))
    first, second = (tally(observe_world(scenario, 5, 100, micropython)) for _ in range(2))
    assert figures(first) == figures(second)
    both = figures(total([first, second]))
    assert both["hours"] == pytest.approx(2 * figures(first)["hours"], abs=0.01)
    passes = [row["passes"] for row in both["pd_by_ring"]]
    assert passes == [2 * row["passes"] for row in figures(first)["pd_by_ring"]]
    assert markdown(both).count("###") == 10


def test_goals_are_reached_missed_or_open_by_their_interval() -> None:
    counts = Tally(false=Counter({"calm": 1, "wind 8-12 m/s": 40}))
    counts.quiet_s = Counter({"calm": 86_400, "wind 8-12 m/s": 86_400})
    counts.audible[("calm", "person")] = Cell(passes=200, hits=199)
    counts.rings[("calm", "person", "0-10 m")] = Cell(passes=100, hits=50)
    verdicts = {goal.name: goal.verdict for goal in goals(counts)}
    assert verdicts["audible passes of a person, one node, calm"] == "reached"
    assert verdicts["passes of a person within 10 m, one node, calm"] == "missed"
    assert verdicts["false detections per node-day, calm"] == "open"
    assert verdicts["false detections per node-day, wind 8-12 m/s"] == "missed"
    assert verdicts["vehicle within 50 m detected and named vehicle"] == "not measured"


def test_goals_go_between_the_marks_of_a_text_and_nowhere_else() -> None:
    score = figures(Tally())
    text = f"before {MARKS[0]} outdated {MARKS[1]} after"
    renewed = between_marks(text, score)
    assert renewed is not None
    assert renewed.startswith("before ") and renewed.endswith(" after")
    assert "outdated" not in renewed and "| figure | goal |" in renewed
    assert between_marks(renewed, score) == renewed
    assert between_marks("no marks", score) is None


def test_line_of_fast_reports_raises_the_alarms_that_replay_raises(micropython: Path) -> None:
    given = World(load(Path("night_walker_two_nodes")), 5).take(110)
    seen = observe_take(given, "walk", micropython, 5)
    fast = [line for line in alarm_lines(seen) if line["type"] != "event"]
    full = [r for r in replay(given, seed=5).lines if r["type"] in ("alarm", "alarm_update")]
    assert any(line["type"] == "alarm" for line in full)
    assert [(a["type"], a["nodes"], a["class"]) for a in fast] == [
        (b["type"], b["nodes"], b["class"]) for b in full
    ]
    # One that waits for a shock is raised by a tick, and those of the two lie up to a second apart.
    assert all(abs(a["t_s"] - b["t_s"]) < 1.25 for a, b in zip(fast, full, strict=True))


def test_threshold_of_confidence_only_takes_away(micropython: Path) -> None:
    scenario = load(Path("night_walker_two_nodes"))
    seen = observe_world(scenario, 5, 100, micropython)
    counts = [len(activities(seen, least)) for least in (0, 70, 90, 101)]
    assert counts[0] >= 2 and counts == sorted(counts, reverse=True) and counts[-1] == 0
    lines = alarm_lines(seen)
    kept = [surer_alarms(lines, least) for least in (0, 50, 101)]
    assert kept[0] == [line for line in lines if line["type"] == "alarm"] != []
    assert len(kept[0]) >= len(kept[1]) and kept[2] == []


def test_alarm_that_grew_sure_stands_above_a_threshold_of_confidence() -> None:
    lines = [
        {"type": "alarm", "id": 1, "confidence": 0.6},
        {"type": "event", "alarm": 1, "confidence": 0.9},
        {"type": "event", "alarm": None, "confidence": 0.99},
        {"type": "alarm", "id": 2, "confidence": 0.7},
        {"type": "alarm_update", "id": 2, "confidence": 0.5},
    ]
    assert [line["id"] for line in surer_alarms(lines, 70)] == [1, 2]
    assert [line["id"] for line in surer_alarms(lines, 80)] == [1]


def test_reliability_of_half_right_confidences_measures_how_far_off_they_are() -> None:
    given = Tally(
        beliefs=[(0.9, True, 1.0), (0.9, False, 0.5), (0.9, False, 0.5), (0.05, False, 2.0)]
    )
    found = reliability(given)
    assert [(row["from_pct"], row["events"], row["wanted_events"]) for row in found["rows"]] == [
        (0, 2.0, 0.0),
        (90, 2.0, 1.0),
    ]
    assert found["events"] == 4
    assert found["ece"] == pytest.approx((2 * 0.4 + 2 * 0.05) / 4)
    assert found["brier"] == pytest.approx((0.01 + 0.81 + 2 * 0.0025) / 4, abs=1e-4)
    assert reliability(Tally())["brier"] is None


def test_held_out_suite_covers_every_class_and_weather() -> None:
    jobs = read_suite(HELD_OUT)
    kinds = {actor.class_name for job in jobs for actor in job.scenario.actors}
    assert kinds == set(CLASSES)
    assert all(job.seed >= 9001 for job in jobs)
    assert {"firm", "clay"} <= {job.scenario.soil for job in jobs}
    assert any(job.scenario.weather.wind_m_s == 10 for job in jobs)
    assert any(job.scenario.weather.rain_mm_h == 10 for job in jobs)
    assert any(not job.scenario.actors for job in jobs)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "a suite is a list of"),
        ("[[run]]\nscenarios = ['demo']", "a run has"),
        ("[[run", "cannot read suite"),
        (
            "[[run]]\nscenarios=['demo']\nsoils=['loam']\nweathers=[{}]\nseeds=[1]\nminutes=0",
            "minutes: 0 is outside",
        ),
        (
            "[[run]]\nscenarios=['demo']\nseeds=[1]\nminutes=2\nclock_ms=true",
            "a clock's bound is 0 to 10 ms, not True",
        ),
    ],
)
def test_suite_that_is_damaged_is_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "suite.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=complaint):
        read_suite(path)


@pytest.mark.parametrize("text", ["", "x", "3-1", "1-", "-1", "1-5000", "1.5"])
def test_seeds_that_make_no_range_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="--seeds"):
        parse_seeds(text)


def test_seeds_are_one_number_or_a_range() -> None:
    assert list(parse_seeds("7")) == [7]
    assert list(parse_seeds("1-3")) == [1, 2, 3]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "nothing to score"),
        (["no_such_folder"], "no such take folder"),
        (["--scenario", "demo", "--hours", "0"], "--hours must be"),
        (["--scenario", "no_such_world"], "no scenario no_such_world"),
        (["--scenario", "demo", "--clock-ms", "11"], "a clock's bound is 0 to 10 ms, not 11"),
        (["tests", "--clock-ms", "2"], "--clock-ms is for worlds"),
    ],
)
def test_score_of_nothing_usable_is_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    assert main(["score", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("groundwatch: ") and complaint in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("option", "name", "problem"),
    [
        ("--into", "nosuch.md", "cannot read"),
        ("--into", "empty.md", "to write between"),
        ("--markdown", "no/such.md", "no such folder"),
        ("--png", "empty.md", "is a file"),
    ],
)
def test_place_of_a_result_is_looked_at_before_the_work(
    option: str,
    name: str,
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work(*_given: object) -> None:
        raise AssertionError("the work was started")

    monkeypatch.setattr("tools.score.cli.each", work)
    (tmp_path / "empty.md").write_text("no place for a table")
    assert main(["score", "--scenario", "car", option, str(tmp_path / name)]) == 2
    assert problem in capsys.readouterr().err


def test_score_of_takes_finishes_the_good_ones_and_keeps_the_goals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad, page = tmp_path / "good", tmp_path / "bad", tmp_path / "page.md"
    take.save(World(load(Path("car")), 1).take(20.0), good)
    take.save(take.load(good), bad)
    (bad / "truth.json").write_text("{")
    page.write_text("<!-- scores begin -->\nold\n<!-- scores end -->\n")
    words = ["score", str(good), str(bad), "--workers", "1", "--json", "--into", str(page)]
    assert main(words) == 1
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert len(found["runs"]) == 1
    assert [Path(one["file"]).name for one in found["refused"]] == ["bad"]
    assert "1 done, 1 refused" in shown.err
    assert "old" in page.read_text()  # the table of goals stands for every run
