# SPDX-License-Identifier: MIT
"""Roads of ISO 8608, vehicles that hop at 8 to 15 Hz, and tools that strike unevenly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal as dsp

from sim_hardware.errors import SimError
from sim_hardware.second.digging import strokes
from sim_hardware.second.parameters import value
from sim_hardware.second.road import CLASSES, axle_share, profile
from sim_hardware.second.strike import FORCE_FS_HZ, moving, timeline
from sim_hardware.second.track import standing, straight
from sim_hardware.second.vehicle import axle_forces, drive, vehicle


@pytest.mark.parametrize("road", CLASSES)
def test_density_of_a_road_falls_with_the_square_of_wavenumber(road):
    height = profile(road, 2**18, 0.02, np.random.default_rng(1))
    n, density = dsp.welch(height, 1 / 0.02, nperseg=2**14)
    inside = (n > 0.03) & (n < 2.0)
    slope, level = np.polyfit(np.log10(n[inside] / 0.1), np.log10(density[inside]), 1)
    assert slope == pytest.approx(-2.0, abs=0.1)
    assert 10**level == pytest.approx(value(f"road.class_{road}_m3"), rel=0.25)


def test_axle_follows_long_waves_whole_and_short_ones_by_half_the_power():
    share = axle_share(np.array([0.001, 10.0]), 1.5)
    assert share == pytest.approx([1.0, 0.5**0.5], abs=1e-3)


@pytest.mark.parametrize("kind", ["car", "truck"])
@pytest.mark.parametrize("seed", range(6))
def test_axle_load_on_a_road_peaks_at_wheel_hop(kind, seed):
    one = vehicle(kind, np.random.default_rng(seed))
    assert 8.0 < one.hop_hz() < 15.0
    f_hz = np.arange(5.0, 30.0, 0.05)
    # Road height falls with frequency at a steady speed.
    load = np.abs(one.loads(f_hz)[:, 0, 0]) / f_hz
    assert 8.0 <= f_hz[np.argmax(load)] <= 15.0


def test_body_of_a_vehicle_bounces_at_one_to_two_hertz():
    one = vehicle("car", np.random.default_rng(2))
    f_hz = np.arange(0.3, 5.0, 0.01)
    # Both axles raised alike: the load lifts the body, on its springs and the softer for the tyres.
    lift = np.abs(one.loads(f_hz)[:, 0, :].sum(axis=1)) / f_hz**2
    assert 0.9 <= f_hz[np.argmax(lift)] <= 2.0


def test_rear_axle_meets_the_road_one_wheelbase_later():
    one, speed = vehicle("car", np.random.default_rng(5)), 10.0
    front, rear = axle_forces(one, "c", speed, 60.0, np.random.default_rng(6))
    match = dsp.correlate(rear - rear.mean(), front - front.mean(), "full", "fft")
    lag_s = (np.argmax(match) - (front.size - 1)) / FORCE_FS_HZ
    assert lag_s == pytest.approx(one.wheelbase_m / speed, abs=0.015)


def test_rougher_road_and_heavier_vehicle_load_the_ground_more():
    rng = np.random.default_rng(8)
    car, truck = vehicle("car", rng), vehicle("truck", rng)

    def load(one, road):
        return axle_forces(one, road, 10.0, 20.0, np.random.default_rng(9)).std()

    assert load(car, "b") < load(car, "d") < load(truck, "d")


def test_blocks_of_a_moving_force_sum_to_the_force():
    force = np.random.default_rng(1).normal(size=3 * FORCE_FS_HZ)
    track = straight(1.0, (0.0, 0.0), (30.0, 0.0), 10.0)
    blocks = moving(force, 1.0, track)
    assert np.allclose(timeline(blocks, 5.0)[1000:4000], force)
    ahead = np.array([block.x_m for block in blocks])
    trailing = np.array([block.x_m for block in moving(force, 1.0, track, behind_m=2.5)])
    assert np.allclose((ahead - trailing)[2:-3], 2.5)


def test_speed_that_no_vehicle_drives_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(SimError, match="speed"):
        drive(vehicle("car", rng), "c", straight(0.0, (0.0, 0.0), (100.0, 0.0), 60.0), rng)
    with pytest.raises(SimError, match="vehicle sled"):
        vehicle("sled", rng)
    with pytest.raises(SimError, match="road class a"):
        profile("a", 1000, 0.1, rng)


@pytest.mark.parametrize("tool", ["shovel", "pickaxe"])
def test_strokes_of_a_tool_are_uneven_and_pause(tool):
    blows = strokes(tool, standing(0.0, 300.0, (3.0, 4.0)), np.random.default_rng(2))
    times = np.array([blow.t_s for blow in blows[:: 3 if tool == "shovel" else 1]])
    gaps = np.diff(times)
    working = gaps[gaps < 4.5]
    assert 0.1 < working.std() / working.mean() < 0.6
    assert (gaps > 4.5).sum() >= 5
    assert all(np.hypot(blow.x_m - 3.0, blow.y_m - 4.0) < 2.5 for blow in blows)
    assert all((np.isfinite(blow.force_n)).all() for blow in blows)


def test_unknown_tool_of_a_digger_is_refused():
    with pytest.raises(SimError, match="shovel, pickaxe"):
        strokes("spoon", standing(0.0, 9.0, (0.0, 0.0)), np.random.default_rng(0))
