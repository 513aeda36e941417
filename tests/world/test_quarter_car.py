# SPDX-License-Identifier: MIT
"""Vehicles drawn at random: level, wheel hop, what distance takes away."""

import numpy as np
from scipy import signal

from sim_hardware.world.geophone import FS_HZ, Geophone
from sim_hardware.world.quarter_car import QuarterCar
from sim_hardware.world.soil import SOILS


def drive(seed, distance_m, seconds=40, soil="firm"):
    car = QuarterCar(
        np.random.default_rng(seed), SOILS[soil], Geophone(10.0, 0.6), 5000.0, 8.0, 1.0
    )
    return np.concatenate([car.second(np.full(FS_HZ, distance_m)) for _ in range(seconds)])[FS_HZ:]


def band_rms(data, low, high):
    sos = signal.butter(4, [low, high], "band", fs=FS_HZ, output="sos")
    return float(np.sqrt(np.mean(signal.sosfilt(sos, data)[FS_HZ:] ** 2)))


def test_level_is_that_at_10_m_whatever_is_drawn():
    levels = [band_rms(drive(seed, 10.0), 8, 60) for seed in range(25)]
    # bumps, engine lines above 60 Hz and the ground's own loss move it
    assert 1800 < np.median(levels) < 9000
    assert np.all(np.array(levels) > 300) and np.all(np.array(levels) < 25_000)


def test_far_away_it_is_fainter_and_lower():
    for seed in range(12):
        near, far = drive(seed, 8.0, soil="clay"), drive(seed, 60.0, soil="clay")
        assert band_rms(far, 8, 60) < 0.5 * band_rms(near, 8, 60)
        tone = [band_rms(x, 35, 60) / band_rms(x, 6, 18) for x in (near, far)]
        assert tone[1] < tone[0]


def test_most_have_their_power_where_wheels_hop_and_some_hum():
    low = [
        band_rms(drive(seed, 15.0), 5, 25) / band_rms(drive(seed, 15.0), 5, 100)
        for seed in range(25)
    ]
    assert np.median(low) > 0.6
    assert min(low) < 0.9


def test_one_seed_is_one_vehicle():
    assert np.array_equal(drive(4, 12.0), drive(4, 12.0))
