# SPDX-License-Identifier: MIT
"""`groundwatch recordings`: real files through the node's detector, reported by folder."""

import json

import numpy as np
import pytest

from sim_hardware.signals import FEED_FS_HZ
from sim_hardware.world import World
from sim_hardware.world.ambient import Weather
from sim_hardware.world.scenario import ActorSpec, NodeSpec, Scenario
from tools.added import LEAD_S, mix
from tools.cli import main
from tools.stretches import rises


def write(path, actors):
    """A recording of one node for 50 s, with these actors."""
    node = NodeSpec("n0", 0.0, 0.0, "s")
    scenario = Scenario("site", (node,), (), actors, Weather(80.0), excess_loss_db=(0.0, 0.0))
    velocity = World(scenario, 3).record(50.0).velocity_m_s["n0"]
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, velocity_m_s=velocity, fs_hz=500.0, t0_utc_s=0.0, pir_edges_s=np.zeros(0))


def test_recordings_are_reported_by_folder_file_and_class(tmp_path, capsys):
    walker = ActorSpec("w", "person", ((-30.0, 6.0), (30.0, 6.0)), start_s=5.0)
    write(tmp_path / "walks" / "a.npz", (walker,))
    write(tmp_path / "quiet" / "b.npz", ())
    table = tmp_path / "table.md"
    assert (
        main(["recordings", str(tmp_path), "--json", "--workers", "1", "--markdown", str(table)])
        == 0
    )
    *files, summary = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    classes = {one["name"]: one["classes"] for one in files}
    assert classes == {"a.npz": ["person"], "b.npz": []}
    assert {one["name"]: one["alarms"] for one in files} == {"a.npz": ["person"], "b.npz": []}
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


def test_walks_are_added_to_the_ground_at_their_ratio(tmp_path, capsys):
    walker = ActorSpec("w", "person", ((-30.0, 6.0), (30.0, 6.0)), start_s=5.0)
    write(tmp_path / "walks" / "one_pA.npz", (walker,))
    ground = tmp_path / "ground" / "long.npz"
    write(ground, ())
    quiet = np.load(ground)["velocity_m_s"]
    np.savez(ground, velocity_m_s=np.tile(quiet, 4), fs_hz=500.0, t0_utc_s=0.0)
    words = ["recordings", str(tmp_path / "walks"), "--added-to", str(ground.parent)]
    words += ["--snr=-20,18", "--group-by", "_(p.)", "--json", "--workers", "1"]
    assert main(words) == 0
    *trials, summary = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert [(one["group"], one["snr_db"]) for one in trials] == [
        ("pA", None),
        ("pA", -20.0),
        ("pA", 18.0),
    ]
    assert [bool(one["classes"]) for one in trials] == [False, False, True]
    detected = {
        (row["group"], row["SNR dB"]): row["detected (95 %)"][:4] for row in summary["folders"]
    }
    assert detected["pA", "none added"] == detected["pA", "-20"] == "0 % "
    assert detected["all", "18"] == "100 "


def test_clip_has_the_given_ratio_to_the_ground_and_no_seam():
    rng = np.random.default_rng(5)
    ground = rng.normal(0.0, 1.0, 120 * FEED_FS_HZ)
    clip = rng.normal(0.0, 40.0, 10 * FEED_FS_HZ)
    added_part = mix(ground, clip, 12.0) - ground
    at = round(LEAD_S * FEED_FS_HZ)
    assert not added_part[:at].any() and not added_part[at + clip.size :].any()
    loud = added_part[at + 2 * FEED_FS_HZ : at + 8 * FEED_FS_HZ]
    assert 20 * np.log10(loud.std() / ground.std()) == pytest.approx(12.0, abs=1.0)
    begin = added_part[at : at + 10]
    assert np.abs(begin).max() < 0.01 * loud.std()


@pytest.mark.parametrize(
    "words", [["--snr", "loud"], ["--snr", "99"], ["--group-by", "("], ["--group-by", "none"]]
)
def test_bad_options_of_added_recordings_are_refused(words, tmp_path, capsys):
    write(tmp_path / "a.npz", ())
    try:
        code = main(["recordings", str(tmp_path), "--added-to", str(tmp_path), *words])
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert words[0] in capsys.readouterr().err.splitlines()[-1]


def test_ground_that_is_too_short_is_refused(tmp_path, capsys):
    write(tmp_path / "a.npz", ())
    assert main(["recordings", str(tmp_path), "--added-to", str(tmp_path), "--workers", "1"]) == 2
    assert "a.npz: shorter than" in capsys.readouterr().err


def test_stretches_of_a_list_are_answered_one_by_one(tmp_path, capsys):
    walker = ActorSpec("w", "person", ((-30.0, 6.0), (30.0, 6.0)), start_s=5.0)
    write(tmp_path / "walks" / "a.npz", (walker,))
    write(tmp_path / "quiet" / "b.npz", ())
    steps = tmp_path / "steps.csv"
    steps.write_text("file,t0_s,t1_s,remark\nwalks/a.npz,15,40,a walk\nquiet/b.npz,10,20,-\n")
    assert main(["recordings", str(tmp_path), "--stretches", str(steps), "--json"]) == 0
    *each, summary = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert [(one["file"], one["classes"], one["alarms"]) for one in each] == [
        ("walks/a.npz", ["person"], ["person"]),
        ("quiet/b.npz", [], []),
    ]
    assert each[0]["after_s"] is not None and each[1]["after_s"] is None
    assert summary["folders"][-1]["reported after s"] == "1 reported"
    assert summary["folders"][-1]["alarmed"] == "1 alarmed"


def test_rises_are_found_by_level_alone(tmp_path):
    rng = np.random.default_rng(2)
    t_s = np.arange(300 * 100) / 100
    swell = 1 + 9 * np.exp(-(((t_s - 150) / 6) ** 2))  # 20 dB, half a minute
    knocks = np.where((t_s > 220) & (t_s < 221), 30.0, 1.0)
    found = rises(rng.normal(0, 10, t_s.size) * swell * knocks, 100.0)
    assert len(found) == 1
    (from_s, to_s), *_ = found
    assert 138 < from_s < 148 and 152 < to_s < 162


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("file,t0_s\na.npz,1\n", "line 2"),
        ("file,t0_s,t1_s\na.npz,9,3\n", "line 2"),
        ("file,t0_s,t1_s\n../../etc/a.npz,1,3\n", "line 2"),
        ("file,t0_s,t1_s\nother.npz,1,3\n", "other.npz"),
        ("file,t0_s,t1_s\n", "no stretch"),
    ],
)
def test_recordings_with_an_invalid_list_is_one_clear_line(tmp_path, capsys, text, complaint):
    np.savez(tmp_path / "a.npz", counts=np.zeros(5000, np.int16), fs_hz=250.0, t0_utc_s=0.0)
    steps = tmp_path / "steps.csv"
    steps.write_text(text)
    assert main(["recordings", str(tmp_path), "--stretches", str(steps)]) == 2
    error = capsys.readouterr().err
    assert complaint in error and error.count("\n") == 1


def test_batch_with_bad_files_is_finished_and_summed_up(tmp_path, capsys):
    walker = ActorSpec("w", "person", ((-30.0, 6.0), (30.0, 6.0)), start_s=5.0)
    write(tmp_path / "walks" / "a.npz", (walker,))
    (tmp_path / "walks" / "bad.npz").write_bytes(b"PK\x03\x04 cut")
    (tmp_path / "walks" / "empty.mseed").write_bytes(b"")
    (tmp_path / "walks" / "notes.txt").write_text("no recording")
    both = np.stack([np.zeros(5000, np.int16), np.arange(5000, dtype=np.int16) % 99], axis=1)
    np.savez(tmp_path / "walks" / "b.npz", counts=both, fs_hz=250.0)
    table = tmp_path / "table.md"
    words = ["recordings", str(tmp_path), "--workers", "1", "--markdown", str(table)]
    assert main([*words, "--json"]) == 1
    shown = capsys.readouterr()
    *lines, summary = (json.loads(line) for line in shown.out.splitlines())
    done = {one["name"]: one for one in lines if one["type"] == "recording"}
    assert done.keys() == {"a.npz", "b.npz"} and done["a.npz"]["classes"] == ["person"]
    assert done["b.npz"]["remarks"] == ["channel 2 is taken, 1 left"]
    refused = [one for one in lines if one["type"] == "refused"]
    assert [one["file"].rpartition("/")[2] for one in refused] == ["bad.npz", "empty.mseed"]
    assert summary["refused"] == 2 and summary["folders"][0]["files"] == "2"
    assert "| walks | 2 |" in table.read_text()
    assert "walks/b.npz: channel 2 is taken, 1 left" in shown.err
    assert shown.err.count("refused: ") == 2 and "2 done, 2 refused" in shown.err


def test_place_of_the_table_is_checked_before_the_work(tmp_path, capsys):
    write(tmp_path / "a.npz", ())
    assert main(["recordings", str(tmp_path), "--markdown", str(tmp_path / "no" / "x.md")]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and "no such folder to write into" in shown.err


def test_table_on_a_full_disk_leaves_the_result_on_the_terminal(tmp_path, capsys):
    write(tmp_path / "a.npz", ())
    words = ["recordings", str(tmp_path), "--workers", "1", "--json", "--markdown", "/dev/full"]
    assert main(words) == 2
    shown = capsys.readouterr()
    assert json.loads(shown.out.splitlines()[-1])["type"] == "summary"
    assert shown.err.splitlines()[-1].startswith("groundwatch: cannot write /dev/full")


def test_replay_of_a_recording_reports_its_channel(tmp_path, capsys):
    still = np.zeros(2500, np.int16)
    noise = np.random.default_rng(1).integers(-50, 50, 2500).astype(np.int16)
    path = tmp_path / "two.npz"
    np.savez(path, counts=np.stack([still, noise], axis=1), fs_hz=250.0, t0_utc_s=-4e8)
    assert main(["replay", str(path), "--json"]) == 0
    shown = capsys.readouterr()
    summary = json.loads(shown.out.splitlines()[-1])
    assert summary["channel"] == "2" and summary["messages"] > 0
    assert len(summary["remarks"]) == 2 and shown.err.count("two.npz: ") == 2
    assert main(["replay", str(path), "--channel", "5"]) == 2
    assert "no channel 5; there are 1 to 2" in capsys.readouterr().err
