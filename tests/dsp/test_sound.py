# SPDX-License-Identifier: MIT
"""Spectrum, moments and quantiles of the node against their definitions."""

from array import array

import numpy as np
import pytest
from scipy.stats import kurtosis

from ugs.dsp.moments import Moments
from ugs.dsp.quantiles import Quantiles
from ugs.dsp.spectrum import BANDS, Spectrum

EDGES = (3, 5, 9, 16, 26, 38, 61)  # of 1.95 Hz
FS_HZ = 250


def ints(values):
    return array("i", [int(v) for v in values])


def fed(room, samples):
    """Half a second at a time, as the detector feeds it."""
    for start in range(0, len(samples) - 127, 128):
        for at in range(start, start + 128, 32):
            room.add(ints(samples[at : at + 32]))
        room.measure()
    return room


@pytest.mark.parametrize("rms", [4, 60, 3000])
def test_spectrum_of_noise_has_the_power_of_its_bands(rms):
    rng = np.random.default_rng(rms)
    samples = np.clip(rng.standard_normal(128) * rms, -32767, 32767).astype(int)
    levels = np.array(fed(Spectrum(), samples).levels)
    power = np.abs(np.fft.rfft(samples)) ** 2
    expected = [16 * np.log2(power[a:b].sum()) for a, b in zip(EDGES, EDGES[1:], strict=False)]
    offset = levels - np.array(expected)
    assert len(levels) == BANDS
    # one constant for all bands and loudnesses, within the straight line between octaves
    assert np.all(np.abs(offset + 193) < 6), offset


def test_spectrum_of_two_tones_of_different_level_differs_by_their_ratio_only():
    tone = np.sin(2 * np.pi * 23.4 * np.arange(128) / FS_HZ)
    loud, quiet = (fed(Spectrum(), np.round(a * tone)) for a in (25600, 100))
    assert loud.levels[2] - quiet.levels[2] == pytest.approx(16 * 16, abs=3)
    assert max(range(BANDS), key=lambda band: loud.levels[band]) == 2


def test_spectrum_of_a_machine_has_a_line_and_noise_has_none():
    rng = np.random.default_rng(5)
    noise = rng.standard_normal(2560) * 100
    tone = 300 * np.sin(2 * np.pi * 50.0 * np.arange(2560) / FS_HZ)
    still, machine = fed(Spectrum(), noise), fed(Spectrum(), noise + tone)
    assert machine.contrast_x16() > 48 > still.contrast_x16()
    assert machine.top_share() > 3 * still.top_share()


def test_spectrum_of_a_blade_keeps_its_strongest_line_and_of_noise_does_not():
    rng = np.random.default_rng(6)
    blade = 300 * np.sin(2 * np.pi * 17.0 * np.arange(5120) / FS_HZ)
    still, flown = fed(Spectrum(), 100 * rng.standard_normal(5120)), fed(Spectrum(), blade)
    assert flown.top_line() == round(17.0 / 1.953)
    assert flown.wander_x32() < 16 < still.wander_x32()


def test_spectrum_at_full_scale_and_of_silence_stays_in_range():
    square = np.where(np.arange(1280) // 5 % 2, 32767, -32767)
    assert max(fed(Spectrum(), square).levels) < 1000
    silent = fed(Spectrum(), np.zeros(1280))
    assert max(silent.levels) < 0
    assert silent.contrast_x16() == 0


@pytest.mark.parametrize("rms", [3, 100, 5000])
def test_kurtosis_is_that_of_the_samples(rms):
    rng = np.random.default_rng(rms)
    for spike in (0, 5, 12):
        samples = rng.standard_normal(128) * rms
        samples[50] += spike * rms
        samples = np.clip(samples, -32767, 32767).astype(int)
        measured = fed(Moments(), samples).kurtosis_x16
        assert measured == pytest.approx(16 * np.log2(kurtosis(samples, fisher=False)), abs=6)


def test_crossings_count_the_swings_of_a_tone():
    tone = 500 * np.sin(2 * np.pi * 25 * np.arange(128) / FS_HZ + 0.3)
    assert fed(Moments(), tone).crossings == pytest.approx(25.6, abs=1)


def test_moments_of_silence_and_of_full_scale_stay_in_range():
    assert fed(Moments(), np.zeros(128)).kurtosis_x16 == 112  # nothing to divide by: at the bound
    square = np.where(np.arange(128) % 2, 32767, -32767)
    assert fed(Moments(), square).kurtosis_x16 == pytest.approx(0, abs=3)


def test_quantiles_are_those_of_the_last_levels():
    rng = np.random.default_rng(2)
    levels = rng.integers(300, 700, 256)
    quantiles = Quantiles()
    at = 40
    quantiles.take(ints(levels), at, 128)
    last = np.roll(levels, -at)[-128:]
    for tenths in (1, 5, 9):
        assert quantiles.below(tenths) == pytest.approx(np.quantile(last, tenths / 10), abs=8)
    assert quantiles.mean() == int(last.mean())


def test_quantiles_of_levels_beyond_the_scale_end_at_it():
    quantiles = Quantiles()
    quantiles.take(ints([5000] * 256), 0, 256)
    assert 1008 <= quantiles.below(5) <= 1024
