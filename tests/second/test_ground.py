# SPDX-License-Identifier: MIT
"""Soils of the second family have the known properties of surface waves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim_hardware.second import ground
from sim_hardware.second.ground import GROUND_FS_HZ
from sim_hardware.second.parameters import span
from sim_hardware.second.strike import Strike, pulse

SEEDS = range(12)
F_HZ = np.geomspace(4.0, 80.0, 60)


@pytest.mark.parametrize("seed", SEEDS)
def test_phase_velocity_of_a_soil_falls_with_frequency(seed):
    soil = ground.drawn(seed).soil
    phase, group = soil.phase_m_s(F_HZ), soil.group_m_s(F_HZ)
    assert (np.diff(phase) <= 1e-6).all()
    assert (group <= phase * 1.001).all() and (group > 50).all()
    assert 80 <= phase[-1] <= phase[0] <= 650


@pytest.mark.parametrize("seed", SEEDS)
def test_wave_of_a_point_load_fades_faster_than_its_spreading(seed):
    earth = ground.drawn(seed)
    # Two modes beat against each other: one alone must fade at every step.
    earth = replace(earth, soil=replace(earth.soil, second_share=0.0))
    f_hz = ground.frequencies()
    band = (f_hz > 10) & (f_hz < 60)
    level = [
        np.sqrt(np.sum(np.abs(earth.transfer(r_m)[band]) ** 2)) for r_m in (5.0, 10.0, 20.0, 40.0)
    ]
    ratios = np.array(level[1:]) / level[:-1]
    assert (ratios < 0.5**0.5).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_loss_between_two_distances_grows_with_frequency(seed):
    earth = ground.drawn(seed)
    f_hz = ground.frequencies()
    ratio = np.abs(earth.transfer(40.0)) / np.maximum(np.abs(earth.transfer(20.0)), 1e-30)
    low = ratio[(f_hz > 8) & (f_hz < 12)].mean()
    high = ratio[(f_hz > 60) & (f_hz < 80)].mean()
    assert high < low


def test_near_a_load_spreading_is_steeper_than_far_away():
    earth = ground.drawn(3)
    at = int(np.argmin(np.abs(ground.frequencies() - 5.0)))

    def slope(near_m, far_m):
        near, far = (abs(earth.transfer(r_m)[at]) for r_m in (near_m, far_m))
        return np.log(near / far) / np.log(far_m / near_m)

    # At 5 Hz a wavelength is tens of metres, and Q takes little between 40 and 60 m.
    assert slope(1.0, 2.0) > 0.8
    assert slope(40.0, 60.0) < slope(1.0, 2.0) + 0.3


@pytest.mark.parametrize("seed", range(6))
def test_coda_after_a_blow_decays_as_the_site_was_drawn(seed):
    earth = ground.drawn(seed)
    low, high = span("site.coda_s")
    assert low <= earth.coda_s <= high
    distance_m = 30.0
    blows = [
        Strike(0.5, 4.0 * k * np.cos(k), 4.0 * k * np.sin(k), pulse(1.0, 0.01))
        for k in range(1, 12)
    ]
    energy = np.zeros(2 * GROUND_FS_HZ)
    for blow in blows:
        place = (blow.x_m + distance_m, blow.y_m)
        moved = earth.propagate([blow], [place], 4 * GROUND_FS_HZ)[0]
        peak = int(np.argmax(np.abs(moved)))
        energy += moved[peak : peak + energy.size] ** 2 / np.sum(moved**2)
    smooth = energy.reshape(-1, 25).mean(axis=1)
    late = slice(6, 6 + int(3 * earth.coda_s / 0.05))
    t_s = (np.arange(smooth.size) + 0.5) * 0.05
    decay_s = -2 / np.polyfit(t_s[late], np.log(smooth[late]), 1)[0]
    assert 0.6 * earth.coda_s < decay_s < 1.6 * earth.coda_s


def test_wave_arrives_after_the_time_its_group_velocity_needs():
    earth = ground.drawn(1)
    place = (60.0, 0.0)
    moved = earth.propagate([Strike(1.0, 0.0, 0.0, pulse(5.0, 0.02))], [place], 2000)[0]
    arrival_s = np.argmax(np.abs(moved)) / GROUND_FS_HZ - 1.0
    group = earth.soil.group_m_s(np.array([10.0, 60.0]))
    assert 60.0 / (group.max() * earth.soil.second_speed) < arrival_s < 60.0 / group.min() + 0.5


def test_blows_of_a_place_superpose_and_repeat():
    earth, place = ground.drawn(5), [(10.0, 3.0)]
    one = Strike(0.4, 0.0, 0.0, pulse(2.0, 0.01))
    two = Strike(1.4, 0.0, 0.0, pulse(2.0, 0.01))
    both = earth.propagate([one, two], place, 2000)
    apart = earth.propagate([one], place, 2000) + earth.propagate([two], place, 2000)
    assert np.allclose(both, apart, atol=1e-15)
    again = ground.drawn(5).propagate([one, two], place, 2000)
    assert both.tobytes() == again.tobytes()
    assert not np.allclose(both, ground.drawn(6).propagate([one, two], place, 2000))
