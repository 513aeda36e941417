# SPDX-License-Identifier: MIT
"""What passes: the trend of the level, and bands over their own two minutes."""

from array import array

import numpy as np
import pytest

from ugs.detect.shape import SpectralShape
from ugs.detect.trend import LevelTrend
from ugs.dsp.spectrum import BANDS

RISEN, FALL, SINCE, RISE, ROUGH, ABOVE, OPEN, OVER, UNREST = slice(0, 5), 5, 6, 7, 8, 9, 10, 11, 12
LEVEL = 128


def taken(levels, over=0, is_open=False):
    trend = LevelTrend()
    for level in levels:
        trend.take(int(level), over, is_open)
    return list(trend.numbers)


def spindle(hops, high):
    """Calm of a minute, then a level that rises by `high` and falls as it rose."""
    half = np.linspace(0, high, hops // 2)
    return 500 + np.concatenate([np.zeros(120), half, half[::-1]])


def test_course_of_a_pass_rises_and_falls():
    levels = spindle(40, 200)
    coming, gone = taken(levels[:140]), taken(levels)
    assert coming[RISEN] == sorted(coming[RISEN])
    assert coming[3] == LEVEL + 100
    assert (coming[FALL], coming[RISE]) == (0, 100)
    assert (gone[FALL], gone[RISE]) == (100, 0)
    assert gone[SINCE] == 4 * 19
    assert gone[2] < LEVEL - 50


def test_course_of_a_machine_that_stays_is_level():
    trend = taken([500] * 120 + [800] * 300, over=300, is_open=True)
    assert trend[RISEN] == [LEVEL] * 5
    assert (trend[FALL], trend[RISE], trend[ROUGH]) == (0, 0, 0)
    assert trend[OPEN] > 150
    assert trend[OVER] > 150
    assert trend[UNREST] < 30


def test_course_in_gusts_stays_restless_for_two_minutes():
    rng = np.random.default_rng(1)
    gusts = 500 + 150 * np.sin(np.arange(400) / 5) + rng.normal(0, 20, 400)
    windy = taken(gusts)
    after = taken([*gusts, *[500] * 60])
    calm = taken(500 + rng.normal(0, 5, 400))
    assert windy[UNREST] > 5 * calm[UNREST]
    assert after[UNREST] > 2 * calm[UNREST]
    assert windy[ROUGH] > 3 * calm[ROUGH]


def test_course_of_one_level_is_level_from_the_first_hop():
    trend = taken([700])
    assert (trend[FALL], trend[RISE], trend[ABOVE]) == (0, 0, LEVEL)


def shaped(hops, levels_of, is_open=False):
    rng = np.random.default_rng(2)
    shape = SpectralShape()
    for hop in range(hops):
        levels = levels_of(hop) + rng.normal(0, 8, BANDS)
        shape.take(array("i", [int(level) for level in levels]), is_open)
    return shape


def test_colour_of_a_faint_pass_stands_over_two_minutes_where_the_floor_has_followed():
    rumble = np.array([0, 10, 10, 0, 0, 0])  # 2 dB in two bands, for half a minute
    shape = shaped(400, lambda hop: 300 + (rumble if hop > 340 else 0))
    assert np.all(np.array(shape.broad)[[1, 2]] >= 5)
    assert np.all(np.abs(np.array(shape.broad)[[0, 3, 4, 5]]) <= 5)
    assert shape.broad[1] > shape.above[1]


def test_colour_of_a_tone_is_even_and_of_noise_is_not():
    tone = SpectralShape()
    for _ in range(60):
        tone.take(array("i", [300] * BANDS), False)
    noise = shaped(60, lambda hop: np.full(BANDS, 300.0))
    assert max(tone.jitter) < 16 * 2
    assert min(noise.jitter) > 16 * 4


def test_colour_while_the_trigger_is_open_keeps_its_two_minutes():
    shape = shaped(400, lambda hop: np.full(BANDS, 300.0))
    for _ in range(100):
        shape.take(array("i", [500] * BANDS), True)
    assert shape.broad[0] == pytest.approx(200, abs=9)
