# SPDX-License-Identifier: MIT
"""The STA/LTA trigger: hysteresis, frozen floor, quick start, and ObsPy as oracle."""

from array import array

import numpy as np
import pytest

from ugs.dsp.minimum import Minimum
from ugs.dsp.stalta import READY, StaLta

PER_SECOND = 31.25


def run(trigger, levels):
    opened = []
    for i in range(0, len(levels) - 3, 4):
        trigger.step(array("i", [int(v) for v in levels[i : i + 4]]))
        opened.append(trigger.is_open())
    return opened


def settled(level=1000):
    trigger = StaLta()
    run(trigger, [level] * 2048)
    return trigger


def test_floor_of_steady_level_converges_to_it():
    assert settled(200).floor() == 200
    assert settled(1).floor() == 1


def test_trigger_between_its_thresholds_keeps_its_state():
    trigger = settled()
    assert not any(run(trigger, [2000] * 64))
    assert run(trigger, [4000] * 64)[-1]
    assert run(trigger, [2000] * 16)[-1]
    assert not run(trigger, [1000] * 64)[-1]


def test_trigger_by_one_single_loud_level_stays_closed():
    trigger = settled()
    assert not any(run(trigger, [1000, 1000, 11000, 1000] + [1000] * 60))


def test_floor_while_open_is_frozen_for_60_s_then_follows_slowly():
    trigger = settled()
    run(trigger, [20000] * 16)
    before = trigger.floor()
    run(trigger, [20000] * int(58 * PER_SECOND))
    assert trigger.floor() == before
    run(trigger, [20000] * int(20 * PER_SECOND))
    assert before * 1.2 < trigger.floor() < 8000


def test_floor_is_ready_within_3_s_and_near_the_mean():
    rng = np.random.default_rng(4)
    trigger = StaLta()
    run(trigger, rng.gamma(4, 50, READY + 4))
    assert trigger.is_ready()
    assert trigger.floor() == pytest.approx(200, rel=0.25)


def test_floor_bound_by_quiet_moments_starts_right_under_steps():
    trigger, minimum = StaLta(), Minimum()
    rng = np.random.default_rng(5)
    for i in range(0, int(12 * PER_SECOND), 4):
        step = np.array([(i + k) % 17 < 6 for k in range(4)])
        slow = array("i", [int(v) for v in rng.gamma(12, 20, 4) + 6000 * step])
        if minimum.add(slow):
            trigger.bound(minimum.bound())
        trigger.step(slow)
    assert 200 < trigger.floor() < 700  # their mean is 2200


def test_minimum_bound_on_steady_noise_leaves_the_mean_alone():
    rng = np.random.default_rng(6)
    minimum = Minimum()
    # magnitudes of 50 Hz wide noise averaged over 32 ms: about four independent values each
    levels = np.abs(rng.normal(0, 1000, (int(600 * PER_SECOND), 4))).mean(axis=1)
    lowest = None
    for i in range(0, levels.size - 3, 4):
        if minimum.add(array("i", [int(v) for v in levels[i : i + 4]])) and i > 70 * PER_SECOND:
            lowest = min(lowest or 10**9, minimum.bound())
    assert lowest > levels.mean()


def test_averages_below_the_threshold_equal_obspys_recursive_ones():
    trigger_module = pytest.importorskip("obspy.signal.trigger")
    rng = np.random.default_rng(7)
    levels = np.round(rng.gamma(6, 300, 6000))
    trigger = StaLta()
    ours = []
    for i in range(0, levels.size, 4):
        trigger.step(array("i", [int(v) for v in levels[i : i + 4]]))
        ours.append(trigger.short() / trigger.floor())
    # ObsPy squares its input: its root makes it an average of levels
    theirs = trigger_module.recursive_sta_lta(np.sqrt(levels), 8, 1024)[3::4]
    assert not trigger.is_open()
    late = slice(1200, None)
    assert np.abs(np.array(ours)[late] / theirs[late] - 1).max() < 0.03
