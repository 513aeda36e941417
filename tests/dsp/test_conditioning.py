# SPDX-License-Identifier: MIT
"""The node's integer filters against their floating-point definitions."""

from array import array

import numpy as np
import pytest
from scipy import signal

from ugs.dsp.biquad import FOOT_BAND, Cascade
from ugs.dsp.compress import LENGTH, History
from ugs.dsp.correlate import LAGS, Correlator
from ugs.dsp.envelope import Envelope
from ugs.dsp.intake import BLOCK, Intake

FOOT_SOS = np.vstack(
    [
        signal.butter(2, 10, "high", fs=250, output="sos"),
        signal.butter(2, 60, "low", fs=250, output="sos"),
    ]
)
UNIT_4_NM_S = 1024  # nm_s_per_count_x256 that makes a count a unit


def ints(values):
    return array("i", [int(v) for v in values])


def filtered(samples):
    cascade = Cascade(FOOT_BAND)
    out = []
    for i in range(0, len(samples) - BLOCK + 1, BLOCK):
        block = ints(samples[i : i + BLOCK])
        cascade.run(block)
        out.extend(block)
    return np.array(out)


def test_foot_band_is_the_rounded_butterworth():
    expected = [round(v * 16384) for row in FOOT_SOS for v in (row[0], row[1], row[2], *row[4:])]
    assert list(FOOT_BAND) == expected


def test_foot_band_impulse_response_leaves_room_in_31_bits():
    impulse = np.zeros(2000)
    impulse[0] = 1
    assert np.abs(signal.sosfilt(FOOT_SOS, impulse)).sum() < 4
    assert np.abs(signal.sosfilt(FOOT_SOS[:1], impulse)).sum() < 4


def test_cascade_on_quiet_noise_has_no_bias_and_less_than_a_unit_of_error():
    rng = np.random.default_rng(1)
    samples = np.round(rng.normal(0, 25, 32 * 400))
    error = filtered(samples) - signal.sosfilt(FOOT_SOS, samples)
    assert abs(error.mean()) < 0.02 + 0.5  # the shift floors: half a unit, never a drift
    assert error.std() < 1.0


def test_cascade_on_the_largest_square_wave_stays_exact():
    samples = np.where(np.arange(32 * 50) // 12 % 2, 32767, -32767)
    error = filtered(samples) - signal.sosfilt(FOOT_SOS, samples)
    # coefficients are rounded to 14 bits: relative error of about 1e-4
    assert np.abs(error).max() < 32767 * 2e-3


def test_intake_takes_the_offset_out_from_the_first_block():
    intake = Intake(UNIT_4_NM_S)
    ring = array("i", [5000] * 64)
    intake.take(ring, 0)
    assert max(abs(x) for x in intake.block) <= 16


def test_intake_scales_counts_to_units_and_wraps_in_the_ring():
    intake = Intake(3584)  # 14 nm/s
    ring = array("i", [0] * 64)
    intake.take(ring, 0)
    ring[60] = ring[3] = 1000
    intake.take(ring, 48)
    assert intake.block[12] == pytest.approx(3500, abs=8)
    assert intake.block[19] == pytest.approx(3500, abs=16)


def test_intake_of_counts_out_of_range_clamps_instead_of_overflowing():
    intake = Intake(8191)
    ring = array("i", [0] * 32 + [2**28, -(2**28)] * 16)
    intake.take(ring, 0)
    intake.take(ring, 32)
    assert max(intake.block) == 32767
    assert min(intake.block) == -32767


@pytest.mark.parametrize("scale", [0, -1, 8192])
def test_intake_of_impossible_scale_raises(scale):
    with pytest.raises(ValueError, match="1..8191"):
        Intake(scale)


def test_envelope_of_a_sine_is_its_mean_magnitude():
    envelope = Envelope()
    t = np.arange(32 * 40) / 250
    wave = np.round(1000 * np.sin(2 * np.pi * 31 * t))
    levels = []
    for i in range(0, t.size, 32):
        envelope.follow(ints(wave[i : i + 32]))
        levels.extend(envelope.slow)
    assert np.mean(levels[40:]) / 16 == pytest.approx(1000 * 2 / np.pi, rel=0.02)
    assert envelope.peak() == np.abs(wave[-32:]).max()


def test_log2_is_within_a_tenth_of_an_octave():
    for level in [0, 1, 3, 100, 1000, 4095, 2**19]:
        history = History()
        history.push(ints([level] * 4), 7)
        assert history.levels[0] / 64 == pytest.approx(np.log2(level + 7 + 64), abs=0.1)


@pytest.mark.parametrize(("count", "lags"), [(128, 55), (192, LAGS), (LENGTH, LAGS)])
def test_correlation_equals_numpy_on_the_detrended_levels(count, lags):
    rng = np.random.default_rng(3)
    history = History()
    for _ in range(LENGTH // 4 + 3):  # wraps
        history.push(ints(rng.integers(100, 4000, 4)), 200)
    levels = np.roll(np.array(history.levels), -history.at)[-count:]
    x = np.empty(count, np.int64)
    for i in range(count):
        near = levels[max(0, i - 16) : i + 17]
        x[i] = max(-160, min(160, (int(levels[i]) * near.size - int(near.sum())) >> 5))
    correlator = Correlator()
    correlator.run(history.levels, history.at, LENGTH, LAGS)  # of which nothing may stay
    correlator.run(history.levels, history.at, count, lags)
    expected = [int(np.dot(x[lag:], x[: count - lag])) for lag in range(lags)]
    assert list(correlator.products[:lags]) == expected
