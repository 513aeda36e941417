# SPDX-License-Identifier: MIT
"""Take folders: what is saved is loaded, what is damaged is named in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim_hardware import take as takes
from sim_hardware.errors import SimError
from sim_hardware.signals import Signal
from sim_hardware.site import NodeSpec, OriginSpec, SectorSpec, Site, read_site, write_site
from sim_hardware.take import Take

SITE = Site(
    "north",
    (
        NodeSpec("n01", 0.0, 1.5, "east", "pico_w", 90.0, 8.0),
        NodeSpec("n02", -25.125, 1e-3, "", "esp32"),
    ),
    (SectorSpec("east", ((0.0, 0.0), (10.5, 0.0), (10.0, -7.0))),),
)
TRUTH = {"version": 1, "duration_s": 4.0, "actors": [], "conditions": []}


def make_take() -> Take:
    rng = np.random.default_rng(1)
    velocity = (rng.normal(size=2000) * 1e-7).astype(np.float32)
    counts = rng.integers(-2000, 2000, 1000).astype(np.int32)
    signals = {
        "n01": Signal(
            500.0, 1.7e9, velocity_m_s=velocity, pir_edges_s=np.array([0.5, 1.0, 1.0, 3.25])
        ),
        "n02": Signal(250.0, counts=counts, counts_per_m_s=1.7e7),
    }
    return Take(SITE, signals, TRUTH)


def test_take_saved_and_loaded_is_the_same(tmp_path: Path) -> None:
    before = make_take()
    takes.save(before, tmp_path / "take")
    after = takes.load(tmp_path / "take")
    assert after.site == before.site
    assert after.truth == TRUTH
    assert after.duration_s == 4.0
    assert after.t0_utc_s == 1.7e9
    for node, signal in before.signals.items():
        other = after.signals[node]
        assert (other.fs_hz, other.t0_utc_s) == (signal.fs_hz, signal.t0_utc_s)
        assert other.counts_per_m_s == signal.counts_per_m_s
        np.testing.assert_array_equal(other.pir_edges_s, signal.pir_edges_s)
        for name in ("velocity_m_s", "counts"):
            np.testing.assert_array_equal(getattr(other, name), getattr(signal, name))


def test_take_saved_again_without_truth_forgets_the_old_one(tmp_path: Path) -> None:
    before = make_take()
    takes.save(before, tmp_path)
    takes.save(Take(before.site, before.signals), tmp_path)
    assert takes.load(tmp_path).truth is None


def test_take_without_truth_or_pir_edges_loads(tmp_path: Path) -> None:
    takes.save(make_take(), tmp_path)
    (tmp_path / "truth.json").unlink()
    np.savez(tmp_path / "n02.npz", velocity_m_s=np.zeros(300, np.float64), fs_hz=100)
    after = takes.load(tmp_path)
    assert after.truth is None
    assert after.signals["n02"].pir_edges_s.size == 0
    assert after.signals["n02"].velocity_m_s is not None
    assert after.signals["n02"].velocity_m_s.dtype == np.float32


GOOD: dict[str, Any] = {"velocity_m_s": np.zeros(500, np.float32), "fs_hz": 250.0}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"fs_hz": 250.0}, "needs velocity_m_s or counts"),
        (GOOD | {"counts": np.zeros(500, np.int32)}, "needs velocity_m_s or counts, one of them"),
        ({"velocity_m_s": np.zeros(500, np.float32)}, "fs_hz is missing"),
        (GOOD | {"fs_hz": np.array([250.0, 250.0])}, "fs_hz must be one number"),
        (GOOD | {"fs_hz": np.nan}, "fs_hz is nan"),
        (GOOD | {"fs_hz": 0.0}, "fs_hz 0 is outside"),
        (GOOD | {"fs_hz": -250.0}, "fs_hz -250 is outside"),
        (GOOD | {"velocity_m_s": np.zeros(100, np.float32)}, "1 s.."),
        (GOOD | {"velocity_m_s": np.zeros((250, 2), np.float32)}, "1 s.."),
        (GOOD | {"velocity_m_s": np.zeros(500, np.int32)}, "must be floating point"),
        (GOOD | {"velocity_m_s": np.full(500, np.nan, np.float32)}, "NaN or infinite"),
        (GOOD | {"velocity_m_s": np.full(500, 1e300)}, "NaN or infinite"),
        ({"counts": np.zeros(500), "fs_hz": 250.0}, "counts must be integers"),
        ({"counts": np.full(500, 2**31), "fs_hz": 250.0}, "do not fit 32 bits"),
        (
            {"counts": np.zeros(500, np.int32), "fs_hz": 250.0, "counts_per_m_s": 0.0},
            "counts_per_m_s 0 is no scale",
        ),
        (GOOD | {"pir_edges_s": np.array([2.0, 1.0])}, "pir_edges_s must be rising"),
        (GOOD | {"pir_edges_s": np.array([np.inf])}, "pir_edges_s must be rising"),
        (GOOD | {"pir_edges_s": np.array(["a"])}, "pir_edges_s must be numbers"),
        (GOOD | {"speed": 3}, "unknown array speed"),
    ],
)
def test_node_file_that_no_instrument_wrote_is_refused(
    tmp_path: Path, arrays: dict[str, Any], message: str
) -> None:
    takes.save(make_take(), tmp_path)
    np.savez(tmp_path / "n02.npz", **arrays)
    with pytest.raises(SimError) as error:
        takes.load(tmp_path)
    assert message in str(error.value)
    assert str(tmp_path / "n02.npz") in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_parts_are_named(tmp_path: Path) -> None:
    with pytest.raises(SimError, match="no such take folder"):
        takes.load(tmp_path / "nothing")
    with pytest.raises(SimError, match=r"site\.toml: cannot be read"):
        takes.load(tmp_path)
    takes.save(make_take(), tmp_path)
    (tmp_path / "n02.npz").unlink()
    with pytest.raises(SimError, match=r"n02\.npz is missing"):
        takes.load(tmp_path)


@pytest.mark.parametrize("text", ["[", "[]", '{"version": 2}', "\xff", "[" * 100_000])
def test_truth_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    takes.save(make_take(), tmp_path)
    (tmp_path / "truth.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(SimError, match=r"truth\.json"):
        takes.load(tmp_path)


def test_take_whose_nodes_and_signals_differ_is_refused() -> None:
    good = make_take()
    with pytest.raises(SimError, match="node n02 has no signal"):
        Take(SITE, {"n01": good.signals["n01"]})
    with pytest.raises(SimError, match="n03, which is no node"):
        Take(SITE, {**good.signals, "n03": good.signals["n01"]})


def test_site_written_and_read_is_the_same(tmp_path: Path) -> None:
    write_site(SITE, tmp_path / "site.toml")
    assert read_site(tmp_path / "site.toml") == SITE


def test_site_with_an_origin_written_and_read_is_the_same(tmp_path: Path) -> None:
    site = replace(SITE, origin=OriginSpec(-33.9, 18.4, 1100.0, 2.5))
    write_site(site, tmp_path / "site.toml")
    assert read_site(tmp_path / "site.toml") == site


NODE = '[[node]]\nid = "n01"\nx_m = 0\ny_m = 0\n'
HEAD = '[site]\nname = "north"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("site = ", "not valid TOML"),
        (NODE, "[site] with name"),
        (HEAD, "no [[node]]"),
        ("x = 1\n" + HEAD + NODE, "unknown key x"),
        (HEAD + "colour = 3\n" + NODE, "[site]: unknown key colour"),
        (HEAD + "latitude = 48.2\n" + NODE, "[site]: longitude must be a number"),
        (HEAD + "latitude = 98.2\nlongitude = 11.6\n" + NODE, "latitude must be a number -90..90"),
        (HEAD + NODE + "z_m = 3\n", "[[node]]: unknown key z_m"),
        (HEAD + NODE + NODE, "node id n01 is used twice"),
        (HEAD + NODE.replace("n01", "N 1"), "id must be 1..16 of a-z 0-9 _ -"),
        (HEAD + NODE.replace("x_m = 0", 'x_m = "0"'), "node n01: x_m must be a number"),
        (HEAD + NODE.replace("x_m = 0", "x_m = nan"), "node n01: x_m must be a number"),
        (HEAD + NODE.replace("x_m = 0", "x_m = true"), "node n01: x_m must be a number"),
        (HEAD + NODE.replace("y_m = 0", ""), "node n01: y_m must be a number"),
        (HEAD + NODE + "pir_range_m = -1\n", "pir_range_m must be a number 0..50"),
        (HEAD + '[node]\nid = "n01"\n', "node must be written as [[node]]"),
        (HEAD + NODE + '[[sector]]\nid = "a"\npolygon = [[0, 0], [1, 1]]\n', "3..1000"),
        (HEAD + NODE + '[[sector]]\nid = "a"\npolygon = [[0, 0], [1, 1], [2]]\n', "is no [x_m"),
        ("[site]\nname = '\x00'\n", "not valid TOML"),
    ],
)
def test_site_that_cannot_be_is_named_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(text)
    with pytest.raises(SimError) as error:
        read_site(path)
    assert message in str(error.value)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_world_gives_takes_that_survive_a_folder(tmp_path: Path) -> None:
    from sim_hardware.world.scenario import load
    from sim_hardware.world.world import World

    scenario = Path(takes.__file__).parent / "scenarios" / "demo.toml"
    before = World(load(scenario), 3).take(10.0)
    takes.save(before, tmp_path)
    after = takes.load(tmp_path)
    assert after.site == before.site
    assert json.loads(json.dumps(before.truth)) == after.truth
