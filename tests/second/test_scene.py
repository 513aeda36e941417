# SPDX-License-Identifier: MIT
"""Scenes become takes that load, repeat byte for byte and carry their truth."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from sim_hardware.errors import SimError
from sim_hardware.second.__main__ import main
from sim_hardware.second.actor import Actor
from sim_hardware.second.ground import GROUND_FS_HZ
from sim_hardware.second.render import render
from sim_hardware.second.scene import Scene
from sim_hardware.second.scenes import names, scene
from sim_hardware.second.track import Track, crossings, standing, straight
from sim_hardware.second.truth import audible_from_s
from sim_hardware.site import NodeSpec
from sim_hardware.take import load, save

CLASSES = {"person", "group", "vehicle", "animal", "digging"}
NODES = (NodeSpec("n01", 0.0, 0.0, ""), NodeSpec("n02", 20.0, 0.0, "", pir_range_m=8.0))
LINE = ((0.0, 0.0), (20.0, 0.0))
WALK = straight(2.0, (12.0, -14.0), (12.0, 14.0), 1.4)


def small(**changes):
    given = {"actors": (Actor("first", "walk", WALK),), "duration_s": 22.0, **changes}
    return Scene("small", NODES, LINE, 1, 60.0, **given)


def same(one, two):
    return all(
        one.signals[key].velocity_m_s.tobytes() == two.signals[key].velocity_m_s.tobytes()
        and one.signals[key].pir_edges_s.tobytes() == two.signals[key].pir_edges_s.tobytes()
        for key in one.signals
    )


def test_same_seed_gives_the_same_bytes_and_another_seed_others():
    assert same(render(small(), 1), render(small(), 1))
    assert not same(render(small(), 1), render(small(), 2))
    first, again = render(scene("walker_01", 3, 20.0), 3), render(scene("walker_01", 3, 20.0), 3)
    assert same(first, again) and first.truth == again.truth
    assert not same(first, render(scene("walker_01", 4, 20.0), 4))


def test_further_nuisance_leaves_the_other_parts_as_they_are():
    plain, fenced = render(small(), 1), render(small(nuisances=("fence",)), 1)
    differ = fenced.signals["n01"].velocity_m_s - plain.signals["n01"].velocity_m_s
    assert np.abs(differ).max() > 1e-8
    assert np.median(np.abs(differ)) < 1e-10
    assert fenced.truth["passes"] == plain.truth["passes"]


def test_walker_of_a_scene_crosses_and_passes_where_it_was_sent():
    truth = render(small(), 1).truth
    assert truth["version"] == 1 and truth["duration_s"] == 22.0
    assert truth["actors"][0]["class"] == "person"
    (crossing,) = truth["crossings"]
    assert crossing == {
        "actor": "first",
        "class": "person",
        "t_s": 12.0,
        "x_m": 12.0,
        "y_m": 0.0,
        "direction_deg": 0.0,
    }
    near = {row["node"]: row for row in truth["passes"]}
    assert near["n01"]["distance_m"] == pytest.approx(12.0, abs=0.1)
    assert near["n02"]["t_cpa_s"] == pytest.approx(12.0, abs=0.1)
    assert near["n02"]["audible"] is True and 1.0 <= near["n02"]["audible_from_s"] < 14.0


def test_source_is_audible_from_the_second_it_exceeds_ambient_by_6_db():
    rng = np.random.default_rng(1)
    ambient = rng.normal(size=30 * GROUND_FS_HZ)
    tone = np.sin(2 * np.pi * 25 * np.arange(ambient.size) / GROUND_FS_HZ)
    # White noise of deviation 1 has a fifth of its power in 10 to 60 Hz.
    needed = 2**0.5 * 0.2**0.5 * 10 ** (6 / 20)
    late = np.where(np.arange(ambient.size) >= 12 * GROUND_FS_HZ, tone, 0.0)
    assert audible_from_s(1.1 * needed * late, ambient) == 12.0
    assert audible_from_s(0.9 * needed * late, ambient) is None


def test_bearing_of_a_crossing_counts_from_north():
    line = [(0.0, 0.0), (10.0, 0.0), (20.0, 0.0)]
    north_east = straight(0.0, (0.0, -5.0), (10.0, 5.0), 1.0)
    ((t_s, x_m, y_m, bearing),) = crossings(north_east, line)
    assert (x_m, y_m, bearing) == pytest.approx((5.0, 0.0, 45.0))
    assert t_s == pytest.approx(50**0.5)
    assert crossings(straight(0.0, (5.0, 1.0), (5.0, 9.0), 1.0), line) == []
    twice = Track(((0.0, 5.0, -5.0), (10.0, 5.0, 5.0), (20.0, 5.0, -5.0)))
    assert [round(one[3]) for one in crossings(twice, line)] == [0, 180]


@pytest.mark.parametrize("name", names())
def test_every_named_scene_is_drawn_with_actors_that_fit(name):
    for seed in (1, 2):
        drawn = scene(name, seed)
        assert drawn.name == name and drawn.duration_s == 60.0
        assert {actor.class_name for actor in drawn.actors} <= CLASSES
        for actor in drawn.actors:
            assert actor.track.start_s >= 0
        again = scene(name, seed)
        assert again == drawn
    assert scene(name, 1) != scene(name, 2)


def test_take_of_a_scene_loads_as_it_was_saved(tmp_path):
    made = render(small(nuisances=("mains",)), 1)
    save(made, tmp_path / "take")
    read = load(tmp_path / "take")
    assert same(made, read) and read.truth == made.truth
    assert read.signals["n01"].fs_hz == GROUND_FS_HZ
    assert read.duration_s == 22.0


def test_command_writes_a_take_and_lists_the_names(tmp_path, capsys):
    words = ["shovel_01", "--seed", "3", "--seconds", "20", "--out", str(tmp_path / "t")]
    assert main(words) == 0
    assert load(tmp_path / "t").truth["actors"][0]["class"] == "digging"
    assert main(["--list"]) == 0
    assert capsys.readouterr().out.split() == names()


@pytest.mark.parametrize(
    "words",
    [
        ["walker_99", "--out", "x"],
        ["walker_01"],
        [],
        ["walker_01", "--seconds", "1", "--out", "x"],
        ["walker_01", "--seed", "-1", "--out", "x"],
    ],
)
def test_command_with_bad_input_prints_one_line_and_returns_2(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and printed.count("\n") == 1
    assert not any(tmp_path.iterdir())


def test_scenes_and_actors_that_cannot_be_are_refused():
    with pytest.raises(SimError, match="nuisance bees"):
        small(nuisances=("bees",))
    with pytest.raises(SimError, match="5..3600"):
        small(duration_s=1.0)
    with pytest.raises(SimError, match="kind swim"):
        Actor("a", "swim", WALK)
    with pytest.raises(SimError, match="count 3"):
        Actor("a", "car", WALK, count=3)
    with pytest.raises(SimError, match="rising times"):
        standing(3.0, 3.0, (0.0, 0.0))


@pytest.mark.long
def test_take_of_a_scene_is_accepted_by_replay(tmp_path):
    assert main(["walker_01", "--seed", "1", "--seconds", "20", "--out", str(tmp_path / "t")]) == 0
    command = [sys.executable, "-m", "tools.cli", "replay", str(tmp_path / "t"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert all(json.loads(line) for line in done.stdout.splitlines())
