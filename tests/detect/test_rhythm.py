# SPDX-License-Identifier: MIT
"""Cadence and step picking on synthetic beats."""

from array import array

import numpy as np
import pytest

from ugs.detect.cadence import Averaged, Cadence
from ugs.detect.picker import Picker
from ugs.dsp.compress import LENGTH, History
from ugs.dsp.correlate import Correlator

LEVELS_HZ = 31.25


def levels_of_beat(rate_hz, count, loud, rng, jitter=0.0):
    """Levels of 32 ms: noise of mean 400, and 130 ms long bumps `loud` times as high."""
    levels = rng.gamma(8, 50, count)
    at, period = 3.0, LEVELS_HZ / rate_hz
    while at < count:
        bump = np.exp(-0.5 * ((np.arange(count) - at) / 1.8) ** 2)
        levels += 400 * loud * bump
        at += period * (1 + jitter * rng.standard_normal())
    return levels


def measured(levels, window, teeth):
    history = History()
    for i in range(0, len(levels) - 3, 4):
        history.push(array("i", [int(v) for v in levels[i : i + 4]]), 400)
    correlator = Correlator()
    cadence = Cadence(window, teeth)
    correlator.run(history.levels, history.at, window, cadence.lags)
    cadence.measure(correlator.products)
    return cadence


@pytest.mark.parametrize(("window", "teeth"), [(LENGTH, 4), (192, 4), (128, 2)])
@pytest.mark.parametrize("rate_hz", [1.3, 1.6, 1.85, 2.2, 2.8, 3.4])
def test_cadence_of_a_clear_beat_is_exact_and_sure(rate_hz, window, teeth):
    rng = np.random.default_rng(1)
    cadence = measured(levels_of_beat(rate_hz, LENGTH, 6, rng), window, teeth)
    assert cadence.rate_x20() / 20 == pytest.approx(rate_hz, rel=0.04)
    assert cadence.score() > 190


def test_cadence_of_noise_scores_low():
    rng = np.random.default_rng(2)
    scores = [measured(rng.gamma(8, 50, LENGTH), LENGTH, 4).score() for _ in range(200)]
    assert max(scores) < 150
    assert np.median(scores) < 60


def test_cadence_of_two_knocks_is_no_walk():
    rng = np.random.default_rng(3)
    levels = rng.gamma(8, 50, LENGTH)
    levels[[100, 117]] += 20000
    assert measured(levels, LENGTH, 4).score() < 100


def test_cadence_with_human_jitter_stays_clear():
    rng = np.random.default_rng(4)
    cadence = measured(levels_of_beat(1.85, LENGTH, 6, rng, jitter=0.03), LENGTH, 4)
    assert cadence.score() > 150


def test_averaged_cadence_raises_a_faint_beat_above_noise():
    rng = np.random.default_rng(5)

    def settle(make):
        averaged, history, correlator = Averaged(), History(), Correlator()
        cadence = Cadence(LENGTH, 4)
        levels = make()
        for hop in range(len(levels) // 16):
            for i in range(hop * 16, hop * 16 + 16, 4):
                history.push(array("i", [int(v) for v in levels[i : i + 4]]), 400)
            if history.filled == LENGTH:
                correlator.run(history.levels, history.at, LENGTH, cadence.lags)
                cadence.measure(correlator.products)
                averaged.measure(cadence.r)
        assert averaged.halvings() == 0
        return averaged.score()

    count = LENGTH * 4
    noise = [settle(lambda: rng.gamma(8, 50, count)) for _ in range(12)]
    faint = [settle(lambda: levels_of_beat(1.8, count, 0.7, rng, 0.02)) for _ in range(12)]
    assert np.mean(np.array(faint) > max(noise)) >= 0.75


def pick_all(picker, fine, threshold):
    for i in range(0, len(fine) - 31, 32):
        picker.pick(array("i", [int(v) for v in fine[i : i + 32]]), threshold)


def test_picker_takes_each_step_once_at_its_peak():
    t = np.arange(2048)
    fine = 10 + 900 * np.exp(-(((t % 137) - 60) ** 2) / 50.0)
    picker = Picker()
    pick_all(picker, fine, 200)
    assert picker.total() == 15
    assert list(picker.times[:3]) == [60, 197, 334]
    assert picker.levels[0] == 910
    assert picker.regular(137, 2048) == 14
    assert picker.regular(100, 2048) == 0


def test_picker_within_180_ms_keeps_the_louder_of_two():
    fine = np.full(320, 10)
    fine[100] = 500
    fine[130] = 800
    picker = Picker()
    pick_all(picker, fine, 200)
    assert picker.total() == 1
    assert picker.times[0] == 130


def test_picker_below_the_threshold_takes_nothing():
    picker = Picker()
    pick_all(picker, np.full(640, 199), 200)
    assert picker.total() == 0
    assert picker.regular(137, 2048) == 0


def strokes_of(times_s, seconds):
    fine = np.full(round(seconds * 250), 10)
    fine[[round(t * 250) for t in times_s]] = 900
    picker = Picker()
    pick_all(picker, fine, 200)
    return picker.strokes()


def test_picker_counts_strokes_that_lie_apart_over_eight_seconds():
    assert strokes_of([], 20) == 0
    assert strokes_of([5], 20) == 0
    assert strokes_of([5, 5.3, 5.6, 5.9, 6.2], 20) == 0  # rattling
    assert strokes_of([5, 7, 9, 11], 13) == 0  # six seconds
    assert strokes_of([5, 7, 9, 11, 13.5], 15) == 5
    assert strokes_of([5, 5.3, 7.5, 7.8, 10, 10.3, 13.2, 13.5], 15) == 4  # two picks each
    assert strokes_of([1, 4, 7, 10], 33) == 0  # too long ago


def test_picker_clock_at_its_wrap_still_measures_intervals():
    picker = Picker()
    picker._state[0] = 0xFFFFFFF - 200  # twelve days on, without waiting for them
    t = np.arange(1024)
    pick_all(picker, 10 + 900 * ((t % 128) == 40), 200)
    assert picker.regular(128, 1100) == 7
