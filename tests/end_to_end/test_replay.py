# SPDX-License-Identifier: MIT
"""A walk in the ground becomes an alarm: real firmware, real gateway, virtual time."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim_hardware import take
from sim_hardware.take import Take
from sim_hardware.world import World, load
from sim_hardware.world.scenario import SCENARIOS
from tools.replay import replay


def scene(name: str, seconds: float, seed: int = 5) -> Take:
    """A take of one of the project's scenarios."""
    return World(load(SCENARIOS / f"{name}.toml"), seed).take(seconds)


def groundwatch(*words: str) -> subprocess.CompletedProcess[str]:
    """The command as a user types it."""
    command = [sys.executable, "-m", "tools.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def replayed(path: Path) -> list[dict[str, Any]]:
    """The lines of `groundwatch replay PATH --json`."""
    done = groundwatch("replay", str(path), "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_replay_walker_between_two_nodes_raises_one_alarm_on_both() -> None:
    result = replay(scene("night_walker_two_nodes", 110), seed=5)
    alarms = [line for line in result.lines if line["type"] == "alarm"]
    assert len(alarms) == 1
    assert {line["node"] for line in result.lines if line["type"] == "detection"} == {"n01", "n02"}
    assert alarms[0]["class"] == "person"
    assert result.summary["crossings_alarmed"] == result.summary["crossings"] == 1
    assert result.summary["false_alarms"] == result.summary["messages_lost"] == 0


def test_replay_same_seed_twice_gives_the_same_lines() -> None:
    given = scene("night_walker_two_nodes", 60)
    assert replay(given, seed=9) == replay(given, seed=9)


@pytest.mark.long
def test_replay_quiet_line_of_eight_stays_silent() -> None:
    result = replay(scene("quiet_line_of_8", 240), seed=3)
    assert [line for line in result.lines if line["type"] != "node_alarm"] == []
    assert result.summary["alarms"] == 0
    assert result.summary["messages"] >= 8 * 4, "each node sends a hello and heartbeats"


@pytest.mark.parametrize("board", [pytest.param("esp32", marks=pytest.mark.long), "esp32_s3"])
def test_replay_take_folder_of_nodes_with_an_spi_adc_detects(tmp_path: Path, board: str) -> None:
    take.save(scene("night_walker_two_nodes", 90), tmp_path / "walk")
    site = tmp_path / "walk" / "site.toml"
    text = site.read_text()
    assert "pico_w" in text
    site.write_text(text.replace("pico_w", board))
    lines = replayed(tmp_path / "walk")
    assert {line["node"] for line in lines if line["type"] == "detection"} == {"n01", "n02"}
    assert lines[-1]["type"] == "summary"
    assert lines[-1]["alarms"] == 1


@pytest.mark.parametrize("kind", ["npz", "wav"])
def test_replay_bare_recording_of_a_walk_is_detected(tmp_path: Path, kind: str) -> None:
    given = scene("night_walker_two_nodes", 80)
    velocity = given.signals["n01"].velocity(100.0)
    counts = np.clip(np.round(velocity / 2e-9), -32768, 32767).astype(np.int16)
    path = tmp_path / f"walk.{kind}"
    fs_hz = given.signals["n01"].fs_hz
    if kind == "npz":
        np.savez(path, counts=counts, fs_hz=fs_hz, t0_utc_s=0.0)
    else:
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(round(fs_hz))
            file.writeframes(counts.astype("<i2").tobytes())
    lines = replayed(path)
    first = lines[0]
    assert set(first) == {"type", "node", "t_s", "class", "confidence"}
    assert (first["type"], first["node"], first["class"]) == ("detection", "n01", "person")
    assert lines[-1]["detections"] >= 1


def test_replay_damaged_recording_is_one_line_and_exit_2(tmp_path: Path) -> None:
    path = tmp_path / "walk.npz"
    path.write_bytes(b"PK\x03\x04 cut off")
    done = groundwatch("replay", str(path))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("groundwatch: ")
    assert len(done.stderr.splitlines()) == 1
