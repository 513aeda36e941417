# SPDX-License-Identifier: MIT
"""A walk test finds the ground it was walked on; the site file keeps it, strictly read."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.config.site import load_site
from gateway.errors import ConfigError
from gateway.fusion.calibrate import Sample, calibrate
from gateway.model.place.site import Ground

GAINS = {"n01": 6.0, "n02": -4.0, "n03": 1.0, "n04": -3.0}


def samples(passes: int, absorption: float = 0.03, path_db: float = 3.0) -> list[Sample]:
    chance = random.Random(1)
    found = []
    for node, gain_db in GAINS.items():
        for walk in range(passes):
            lost_db = chance.gauss(0, path_db)
            for distance_m in (40, 33, 26, 19, 12, 8, 12, 19, 26, 33, 40):
                level = 1.9 - 0.5 * math.log(distance_m) - absorption * distance_m
                level += (gain_db + lost_db) * math.log(10) / 20 + chance.gauss(0, 0.15)
                peak = math.hypot(math.exp(level), 0.1)
                found.append(Sample(node, f"w{walk}", float(distance_m), peak, 0.1))
    return found


@pytest.mark.parametrize("absorption", [0.01, 0.03, 0.06])
def test_walk_test_finds_the_ground(absorption: float) -> None:
    found = calibrate(samples(16, absorption))
    assert found is not None
    assert found.ground.absorption_per_m == pytest.approx(absorption, abs=0.005)
    assert found.ground.walker_db == pytest.approx(1.9 * 20 / math.log(10), abs=1.5)
    assert found.ground.path_db == pytest.approx(3.0, abs=0.8)
    for node, gain_db in GAINS.items():
        assert found.gain_db[node] == pytest.approx(gain_db, abs=2.0)


def test_walk_test_with_too_few_samples_is_refused() -> None:
    assert calibrate([]) is None
    assert calibrate(samples(1)) is None
    far = [replace(one, distance_m=60.0) for one in samples(16)]
    assert calibrate(far) is None


SITE = '[site]\nname = "yard"\n[[node]]\nid = "n01"\nx_m = 0\ny_m = 0\n'


def test_site_file_holds_ground_and_gains(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(SITE + "gain_db = -2.5\n[ground]\nabsorption_per_m = 0.05\n")
    site = load_site(path)
    assert site.nodes["n01"].gain_db == -2.5
    assert site.ground == replace(Ground(), absorption_per_m=0.05)
    path.write_text(SITE)
    assert load_site(path).ground == Ground()


@pytest.mark.parametrize(
    "line",
    [
        "gain_db = 99",
        'gain_db = "loud"',
        "[ground]\nabsorption_per_m = -1",
        "[ground]\nexponent = nan",
        "[ground]\nsoil = 1",
    ],
)
def test_site_file_with_impossible_ground_is_refused_in_one_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(f"{SITE}{line}\n")
    with pytest.raises(ConfigError) as caught:
        load_site(path)
    assert "\n" not in str(caught.value)
