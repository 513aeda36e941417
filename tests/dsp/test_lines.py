# SPDX-License-Identifier: MIT
"""Notches on stationary lines: found, followed, removed; ground without a line is unchanged."""

from array import array

import numpy as np
import pytest

from ugs.dsp.biquad import FOOT_BAND, Cascade
from ugs.dsp.lines import Lines

FS_HZ = 250


def play(samples, lines, is_open=lambda t_s: False):
    """(output, seconds at which the first notch appeared or None)"""
    band, out, found_s = Cascade(FOOT_BAND), [], None
    for start in range(0, len(samples) - 31, 32):
        block = array("i", [int(x) for x in samples[start : start + 32]])
        lines.run(block)
        out.append(np.array(block))
        band.run(block)
        lines.look(block, is_open(start / FS_HZ))
        if found_s is None and lines.hz_x64[0]:
            found_s = start / FS_HZ
    return np.concatenate(out), found_s


def amplitude(samples, hz):
    t_s = np.arange(samples.size) / FS_HZ
    return 2 * abs(np.mean(samples * np.exp(-2j * np.pi * hz * t_s)))


def ground(seconds, *lines, noise=150.0, seed=1):
    rng = np.random.default_rng(seed)
    t_s = np.arange(int(seconds * FS_HZ)) / FS_HZ
    data = rng.normal(0, noise, t_s.size)
    for hz, level in lines:
        data += level * np.sin(2 * np.pi * hz * t_s)
    return data


@pytest.mark.parametrize("hz", [12.3, 16.67, 20.0, 24.9, 33.27, 50.0, 60.0])
def test_line_of_a_place_is_lowered_by_18_db_or_more_within_half_a_minute(hz):
    lines = Lines()
    out, found_s = play(ground(50, (hz, 300)), lines)
    assert found_s < 30
    assert abs(lines.hz_x64[0] / 64 - hz) < 0.15
    assert amplitude(out[-2500:], hz) < 300 / 8


def test_two_lines_have_a_notch_each():
    lines = Lines()
    out, _ = play(ground(90, (20.0, 600), (50.0, 400)), lines)
    assert sorted(round(hz / 64) for hz in lines.hz_x64) == [20, 50]
    assert amplitude(out[-2500:], 20.0) < 75 and amplitude(out[-2500:], 50.0) < 50


def test_noise_without_a_line_is_unchanged():
    data = np.trunc(ground(180))
    lines = Lines()
    out, found_s = play(data, lines)
    assert found_s is None
    assert np.array_equal(out, data[: out.size])


def test_line_that_ends_frees_its_notch():
    lines = Lines()
    play(ground(50, (20.0, 400)), lines)
    assert lines.hz_x64[0]
    play(ground(60, seed=2), lines)
    assert list(lines.hz_x64) == [0, 0]


def test_tone_of_an_engine_that_passes_is_no_line():
    # 20 s of a constant tone with the trigger open, as a vehicle passes in one gear
    lines = Lines()
    _, found_s = play(ground(20, (31.0, 900)), lines, is_open=lambda t_s: True)
    assert found_s is None


def test_full_scale_input_neither_overflows_nor_rings_on():
    square = np.where(np.sin(2 * np.pi * 50 * np.arange(60 * FS_HZ) / FS_HZ) > 0, 32767, -32767)
    lines = Lines()
    play(square, lines)
    out, _ = play(np.zeros(10 * FS_HZ), lines)
    assert np.max(np.abs(out)) <= 32767 and np.max(np.abs(out[-500:])) <= 1


def test_walker_under_a_line_stands_out_again():
    rng = np.random.default_rng(5)
    step = np.diff(np.hanning(9)) * 900
    data = ground(120, (20.0, 800), noise=40.0)
    for t_s in np.arange(80, 110, 0.54) + rng.normal(0, 0.015, 56):
        data[int(t_s * FS_HZ) : int(t_s * FS_HZ) + step.size] += step
    out, _ = play(data, Lines())
    foot = np.abs(out)
    walk, quiet = foot[80 * FS_HZ : 110 * FS_HZ], foot[60 * FS_HZ : 78 * FS_HZ]
    assert np.quantile(walk, 0.97) > 2 * np.quantile(quiet, 0.97)
    assert np.quantile(np.abs(data[80 * FS_HZ : 110 * FS_HZ]), 0.97) < 1.5 * np.quantile(
        np.abs(data[60 * FS_HZ : 78 * FS_HZ]), 0.97
    )


def test_notch_stays_under_a_level_above_its_line():
    rng = np.random.default_rng(8)
    data = ground(170, (20.0, 600))
    data[50 * FS_HZ : 120 * FS_HZ] += rng.normal(0, 5000, 70 * FS_HZ)
    lines = Lines()
    play(data[: 119 * FS_HZ], lines, is_open=lambda t_s: t_s >= 50)
    assert abs(lines.hz_x64[0] / 64 - 20) < 0.5
