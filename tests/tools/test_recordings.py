# SPDX-License-Identifier: MIT
"""`groundwatch recordings`: real files through the node's detector, told folder by folder."""

import json

import numpy as np
import pytest

from sim_hardware.world import World
from sim_hardware.world.ambient import Weather
from sim_hardware.world.scenario import ActorSpec, NodeSpec, Scenario
from tools.cli import main


def write(path, actors):
    """One node's ground for 50 s, with whoever passes it at 6 m."""
    node = NodeSpec("n0", 0.0, 0.0, "s")
    scenario = Scenario("site", (node,), (), actors, Weather(80.0), excess_loss_db=(0.0, 0.0))
    velocity = World(scenario, 3).record(50.0).velocity_m_s["n0"]
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, velocity_m_s=velocity, fs_hz=500.0, t0_utc_s=0.0, pir_edges_s=np.zeros(0))


def test_recordings_are_told_by_folder_file_and_class(tmp_path, capsys):
    walker = ActorSpec("w", "person", ((-30.0, 6.0), (30.0, 6.0)), start_s=5.0)
    write(tmp_path / "walks" / "a.npz", (walker,))
    write(tmp_path / "quiet" / "b.npz", ())
    table = tmp_path / "table.md"
    assert (
        main(["recordings", str(tmp_path), "--json", "--workers", "1", "--markdown", str(table)])
        == 0
    )
    *files, summary = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    told = {one["name"]: one["classes"] for one in files}
    assert told == {"a.npz": ["person"], "b.npz": []}
    assert [row["folder"] for row in summary["folders"]] == ["quiet", "walks"]
    assert "| walks | 1 |" in table.read_text()


@pytest.mark.parametrize("name", ["", "nothing"])
def test_recordings_of_no_folder_or_an_empty_one_is_one_line(name, tmp_path, capsys):
    assert main(["recordings", str(tmp_path / name)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_recordings_with_a_damaged_file_names_it(tmp_path, capsys):
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 cut")
    assert main(["recordings", str(tmp_path), "--workers", "1"]) == 2
    assert "bad.npz" in capsys.readouterr().err
