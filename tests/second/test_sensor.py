# SPDX-License-Identifier: MIT
"""A coil with the SM-24's response, and a PIR that switches on what passes near it."""

from __future__ import annotations

import numpy as np
import pytest

from sim_hardware.second.ground import GROUND_FS_HZ
from sim_hardware.second.sensor import Geophone, geophone, pir_output, pir_trips
from sim_hardware.second.track import straight
from sim_hardware.site import NodeSpec

NODE = NodeSpec("n01", 0.0, 0.0, "", pir_azimuth_deg=0.0, pir_range_m=10.0)


def test_response_of_a_coil_is_that_of_its_data_sheet():
    gain = np.abs(Geophone(10.0, 0.6, 1.0, 0.0).response(np.array([1.0, 10.0, 100.0])))
    assert gain[0] == pytest.approx(0.01, rel=0.03)
    assert gain[1] == pytest.approx(1 / 1.2)
    assert gain[2] == pytest.approx(1.0, rel=0.02)


def test_coils_differ_within_tolerance_and_have_noise():
    coils = [geophone(np.random.default_rng(seed)) for seed in range(20)]
    assert all(9.74 < coil.natural_hz < 10.26 and 0.56 < coil.damping < 0.64 for coil in coils)
    still = coils[0].sense(np.zeros(60 * GROUND_FS_HZ), np.random.default_rng(1))
    assert 1e-9 < still.std() < 15e-9


def test_pir_sees_what_crosses_near_and_not_what_passes_far():
    near = straight(0.0, (-10.0, 5.0), (10.0, 5.0), 1.4)
    far = straight(0.0, (-10.0, 20.0), (10.0, 20.0), 1.4)
    behind = straight(0.0, (-10.0, -5.0), (10.0, -5.0), 1.4)
    trips = [
        pir_trips(NODE, track, False, 1.0, np.random.default_rng(1))
        for track in (near, far, behind)
    ]
    assert len(trips[0]) >= 3
    assert trips[1] == trips[2] == []
    assert 2.0 < trips[0][0] < trips[0][-1] < 12.3


def test_small_animal_is_seen_from_less_far():
    track = straight(0.0, (-10.0, 7.5), (10.0, 7.5), 1.4)
    assert pir_trips(NODE, track, False, 1.0, np.random.default_rng(1))
    assert not pir_trips(NODE, track, True, 1.0, np.random.default_rng(1))


def test_output_of_a_pir_holds_and_its_edges_rise():
    edges = pir_output([3.0, 3.5, 9.0], 60.0, np.random.default_rng(5))
    assert edges[:4].tolist() == [3.0, 5.5, 9.0, 11.0]
    busy = pir_output(list(np.arange(0.0, 50.0, 0.7)), 40.0, np.random.default_rng(2))
    assert (np.diff(busy) > 0).all() and busy.max() < 40.0


def test_false_trips_come_a_few_times_an_hour():
    rng = np.random.default_rng(3)
    count = sum(pir_output([], 3600.0, rng).size / 2 for _ in range(50)) / 50
    assert 0.5 < count < 3.0
