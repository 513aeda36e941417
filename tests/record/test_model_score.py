# SPDX-License-Identifier: MIT
"""`groundwatch model score`, `calibrate` and `replay` on recorded takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from scipy.stats import beta, chi2

from sim_hardware.world import World, load
from sim_hardware.world.scenario import SCENARIOS
from tests.record.conftest import MARKS
from tests.record.played import NODE, ground_of, recorded, session_of, streamed
from tools.cli import main
from tools.record.marks import Label, Mark
from tools.record.session import Session
from tools.record.truth import stretches, truth_of
from tools.score.walktest import walk_test


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_model_score_gives_exact_intervals_by_label_person_and_session(
    takes: Path, walked: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    missed = [Mark(50.0, Label("stands")), Mark(56.0, Label("end"))]
    recorded(walked, takes / "d2-p03-stands", missed, label="p03 stands at 4 m")
    assert main(["model", "score", "--takes", str(takes), "--json"]) == 0
    *lines, summary = _lines(capsys)
    groups = {(row["by"], row["name"]): row for row in summary["groups"]}
    # One stretch for each mark; the second one lasts a second.
    assert groups[("label", "walks")]["stretches"] == 2
    assert groups[("label", "walks")]["detected"] >= 1
    assert groups[("label", "stands")]["detected"] == 0
    person = groups[("person", "p03")]
    hits, trials = person["detected"], person["stretches"]
    assert trials == 3 and 1 <= hits <= 2
    low, high = beta.ppf(0.025, hits, trials - hits + 1), beta.ppf(0.975, hits + 1, trials - hits)
    assert person["detected_share"]["low"] == pytest.approx(low, abs=1e-4)
    assert person["detected_share"]["high"] == pytest.approx(high, abs=1e-4)
    assert groups[("session", "d2-p03-stands")]["stretches"] == 1
    null = summary["null"]
    # Ten seconds after the synthetic ground and around each mark do not count.
    assert null["node_hours"] == pytest.approx(50 / 3600, abs=0.0005)
    assert null["false_detections"] == 0
    most = chi2.ppf(0.975, 2) / 2 / null["node_hours"]
    assert null["per_node_hour"]["high"] == pytest.approx(most, rel=1e-2)
    assert {one["type"] for one in lines} == {"stretch", "null"}


def test_model_score_in_words_shows_the_same(
    takes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["model", "score", "--takes", str(takes)]) == 0
    shown = capsys.readouterr().out
    assert "walks" in shown and "p03" in shown
    assert "0 false detections in" in shown


def test_model_score_without_a_take_is_one_line(
    tmp_path: Path, one_line: Callable[[int], str]
) -> None:
    assert "no such folder" in one_line(main(["model", "score", "--takes", "/nowhere"]))
    assert "no recorded take" in one_line(main(["model", "score", "--takes", str(tmp_path)]))
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "recording.json").write_text("{}")
    one_line(main(["model", "score", "--takes", str(tmp_path)]))


def test_replay_of_a_recorded_take_detects_the_person(
    takes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(takes / "d1-p03-walks"), "--json"]) == 0
    *lines, summary = _lines(capsys)
    assert any(line["type"] == "detection" and line["class"] == "person" for line in lines)
    assert summary["nodes"] == 1


def test_calibrate_takes_a_recorded_walk_test(
    tmp_path: Path, micropython: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario, _ = walk_test(load(SCENARIOS / "bench_walker.toml"))
    seconds = 560  # seven passes
    world = World(scenario, 3)
    node = scenario.nodes[0]
    feed, edges_s = ground_of(world, node.id, seconds)
    session = session_of(streamed(tmp_path, micropython, feed, edges_s))
    marks: list[Mark] = []
    for one in world.passes(0.0, seconds):
        way = list(zip(one.track.t_s, one.track.xy_m, strict=True))
        step = max(1, len(way) // 24)  # a key about every two seconds
        for t_s, (x_m, y_m) in [*way[::step], way[-1]]:
            if t_s < session.seconds and (not marks or t_s > marks[-1].t_s):
                marks.append(Mark(float(t_s), Label("walks", (float(x_m), float(y_m)))))
        marks.append(Mark(marks[-1].t_s + 0.1, Label("end")))
    recorded(session, tmp_path / "take", marks, x_m=node.x_m, y_m=node.y_m)
    assert main(["calibrate", str(tmp_path / "take"), "--json"]) == 0
    (found,) = _lines(capsys)
    assert found["passes"] >= 6
    assert NODE in found["gain_db"]


def test_truth_states_only_what_the_marks_state() -> None:
    assert truth_of([Mark(1.0, Label("walks"))], 60.0, False, "person", 1) is None
    background = truth_of([], 60.0, True, "person", 1)
    assert background is not None and background["actors"] == []
    walk = truth_of(MARKS, 60.0, False, "group", 4)
    assert walk is not None
    (actor,) = walk["actors"]
    assert (actor["class"], actor["count"], len(actor["path"])) == ("group", 4, 2)
    found = stretches(MARKS, 60.0, False)
    assert [one.label for one in found] == ["background", "walks", "walks"]
    assert found[0].is_null and not found[1].is_null
