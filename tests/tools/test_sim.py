# SPDX-License-Identifier: MIT
"""`groundwatch sim`: takes with truth, pictures, and errors of one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim_hardware import take
from sim_hardware.world import World, load
from sim_hardware.world.scenario import SCENARIOS
from tools.cli import main


def test_sim_writes_the_take_of_a_scenario_and_the_same_one_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["sim", "night_walker_two_nodes", "--seconds", "12", "--seed", "3"]
    assert main([*words, "--out", str(tmp_path / "a")]) == 0
    assert "night_walker, seed 3: 2 nodes, 12 s" in capsys.readouterr().out
    assert main([*words, "--out", str(tmp_path / "b")]) == 0
    first, second = take.load(tmp_path / "a"), take.load(tmp_path / "b")
    assert first.truth == second.truth
    assert first.truth is not None and first.truth["duration_s"] == 12
    for name, signal in first.signals.items():
        assert np.array_equal(signal.velocity(), second.signals[name].velocity())
    assert main([*words, "--seed", "4", "--out", str(tmp_path / "c")]) == 0
    third = take.load(tmp_path / "c").signals["n01"]
    assert not np.array_equal(third.velocity(), first.signals["n01"].velocity())


def test_every_built_in_scenario_becomes_a_take_that_can_be_read(tmp_path: Path) -> None:
    for path in sorted(SCENARIOS.glob("*.toml")):
        made = World(load(path), 1).take(1.0)
        if len(made.site.name) <= 16:
            take.save(made, tmp_path / path.stem)
            assert take.load(tmp_path / path.stem).truth == made.truth


def test_sim_lists_scenarios_with_their_descriptions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim", "--list"]) == 0
    out = capsys.readouterr().out
    assert all(path.stem[:20] in out for path in SCENARIOS.glob("*.toml"))
    assert "two groups cross the line at once" in " ".join(out.split())


def test_sim_plot_is_a_png(tmp_path: Path) -> None:
    picture = tmp_path / "night.png"
    words = ["sim", "night_walker_two_nodes", "--seconds", "5", "--plot", str(picture)]
    assert main(words) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "name a scenario"),
        (["nowhere", "--out", "x"], "no scenario nowhere"),
        (["demo"], "name an output"),
        (["demo", "--out", "x", "--seconds", "0"], "--seconds must be"),
        (["demo", "--out", "x", "--seconds", "nan"], "--seconds must be"),
        (["demo", "--out", "x", "--seconds", "86400"], "too much for one take"),
        (["demo", "--out", "x", "--seed", "-1"], "--seed must be"),
        (["demo", "--out", "."], "exists already"),
        (["demo", "--seconds", "1", "--out", "/proc/nowhere"], "cannot write"),
        (["demo", "--seconds", "1", "--plot", "/proc/nowhere.png"], "cannot write"),
    ],
)
def test_sim_with_invalid_arguments_is_one_clear_line(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sim", *words]) == 2
    error = capsys.readouterr().err.strip()
    assert complaint in error
    assert error.splitlines()[-1].startswith("groundwatch: ")
