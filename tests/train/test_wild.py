# SPDX-License-Identifier: MIT
"""Wild ground: the same in pieces of any size, with the power of its input, and its extras."""

import numpy as np
import pytest

from tools.train.sites import site
from tools.train.wild import WildGround

FS_HZ = 500
FLOOR = 100.0


def ground(seed):
    return WildGround(np.random.default_rng([seed, 43]), FS_HZ, FLOOR)


def calm(place):
    place._extras._shocks_per_s = place._extras._falls_per_s = place._extras._white = 0.0


def test_pieces_of_any_size_join_without_a_seam():
    rng = np.random.default_rng(1)
    data = rng.normal(0, 1e-6, 20_000).astype(np.float32)
    for seed in range(8):
        whole = ground(seed)
        calm(whole)  # these are drawn per piece
        cut = ground(seed)
        calm(cut)
        parts = np.split(data, [1, 7, 900, 901, 12_345])
        joined = np.concatenate([cut.pass_on(part) for part in parts])
        assert np.allclose(joined, whole.pass_on(data), atol=1e-12)


def test_ground_keeps_the_power_of_what_it_passes():
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 1e-6, 50_000).astype(np.float32)
    for seed in range(20):
        place = ground(seed)
        calm(place)
        place._extras._lines, place._extras._fence_s = [], 0.0
        out = place.pass_on(noise)
        f_hz = np.fft.rfftfreq(noise.size, 1 / FS_HZ)
        inside = (f_hz > 8) & (f_hz < 60)
        ratio = np.linalg.norm(np.fft.rfft(out)[inside]) / np.linalg.norm(
            np.fft.rfft(noise)[inside]
        )
        assert 0.9 < ratio < 1.1


def test_fence_clicks_with_an_exact_period_and_equal_height():
    place = next(p for p in map(ground, range(100)) if p._extras._fence_s)
    calm(place)
    place._extras._lines = []
    out = np.concatenate([place.pass_on(np.zeros(5000, np.float32)) for _ in range(12)])
    period = place._extras._fence_s * FS_HZ
    heights = [np.abs(out[round(n * period) : round(n * period) + 40]).max() for n in range(2, 30)]
    assert np.std(heights) < 0.1 * np.mean(heights) and np.mean(heights) > 0


@pytest.mark.parametrize("name", ["vehicle", "digging"])
def test_every_second_site_is_wild_and_what_comes_there_is_any(name):
    jobs = [site("train", seed) for seed in range(1, 41)]
    assert [job.is_wild for job in jobs] == [seed % 2 == 0 for seed in range(1, 41)]
    kinds = {a.kind for j in jobs if j.is_wild for a in j.scenario.actors if a.class_name == name}
    assert kinds == {{"vehicle": "any_vehicle", "digging": "any_digger"}[name]}
    people = [a for j in jobs for a in j.scenario.actors if a.class_name == "person"]
    assert sum("runner" in a.kind for a in people) > len(people) / 5


@pytest.mark.parametrize("seed", range(3))
def test_one_seed_is_one_ground(seed):
    data = np.random.default_rng(9).normal(0, 1e-6, 5000).astype(np.float32)
    assert np.array_equal(ground(seed).pass_on(data), ground(seed).pass_on(data))
