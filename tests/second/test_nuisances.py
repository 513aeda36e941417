# SPDX-License-Identifier: MIT
"""Ambient noise, weather and distant sources: level, rhythm, reach and sharpness."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal as dsp
from scipy.stats import kurtosis

from sim_hardware.second import aircraft, distant, falling, ground, impact, pickup, wind
from sim_hardware.second.ambient import BAND_HZ, drawn_level_nm_s, noise, peterson
from sim_hardware.second.ground import GROUND_FS_HZ
from sim_hardware.second.parameters import span
from sim_hardware.second.strike import timeline

FS = GROUND_FS_HZ
EVEN = np.ones(4)
ROW = [(0.0, 0.0), (30.0, 0.0), (60.0, 0.0), (90.0, 0.0)]


def rng(seed):
    return np.random.default_rng(seed)


def banded(data, low_hz, high_hz):
    return dsp.sosfiltfilt(dsp.butter(4, (low_hz, high_hz), "bandpass", fs=FS, output="sos"), data)


@pytest.mark.parametrize("seed", range(4))
def test_ambient_noise_has_the_level_it_was_asked_for(seed):
    quiet = noise(2, 300 * FS, 100e-9, rng(seed))
    for row in quiet:
        assert 70e-9 < banded(row, *BAND_HZ).std() < 150e-9


def test_levels_of_sites_stay_within_the_published_range():
    levels = [drawn_level_nm_s(rng(seed)) for seed in range(200)]
    low, high = span("ambient.level_nm_s")
    assert low <= min(levels) < 2 * low and high / 2 < max(levels) <= high


def test_ambient_noise_is_coloured_and_changes_over_minutes():
    row = noise(1, 900 * FS, 100e-9, rng(5))[0]
    f_hz, density = dsp.welch(row, FS, nperseg=8 * FS)
    assert density[np.argmin(abs(f_hz - 3))] > 3 * density[np.argmin(abs(f_hz - 90))]
    minutes = banded(row, 5, 60).reshape(15, -1).std(axis=1)
    assert 1.05 < minutes.max() / minutes.min() < 6


def test_noise_models_of_peterson_have_their_published_values():
    one_hz = np.array([1.0])
    # -166.4 + 28.9 log10(1) dB and -116.85 dB at a period of one second.
    for model, level_db in (("low", -166.4), ("high", -116.85)):
        density = peterson(model, one_hz)[0] * (2 * np.pi) ** 2
        assert 10 * np.log10(density) == pytest.approx(level_db, abs=1.5)


@pytest.mark.parametrize("seed", range(4))
def test_fence_pulses_repeat_exactly_and_reach_all_nodes_at_once(seed):
    pulses, period_s = pickup.fence(3, 60 * FS, rng(seed))
    low, high = span("fence.period_s")
    assert low <= period_s <= high
    spectrum = np.abs(np.fft.rfft(pulses[0], 2**20))
    f_hz = np.fft.rfftfreq(2**20, 1 / FS)
    for order in (10, 20, 30):
        near = np.abs(f_hz - order / period_s) < 0.2 / period_s
        assert f_hz[near][np.argmax(spectrum[near])] * period_s / order == pytest.approx(
            1, abs=1e-3
        )
    assert np.corrcoef(pulses)[0] == pytest.approx(1.0)


def test_mains_lines_stand_at_the_grid_and_its_harmonics():
    lines = pickup.mains(50.0, 1, 120 * FS, rng(1))[0]
    f_hz, density = dsp.welch(lines, FS, nperseg=8 * FS)
    for order in (1, 2, 3):
        assert (
            density[np.abs(f_hz - 50 * order) < 1].max()
            > 100 * density[(f_hz > 70) & (f_hz < 80)].max()
        )


def test_pump_beats_on_its_line_and_stops_between():
    force = timeline(impact.pump(300.0, (5.0, 5.0), rng(2)), 300.0)
    seconds = force.reshape(300, -1).std(axis=1)
    assert 0.2 < np.mean(seconds > 1.0) < 0.8
    f_hz, density = dsp.welch(force, 1000, nperseg=4000)
    low, high = span("pump.line_hz")
    assert low - 0.5 <= f_hz[np.argmax(density)] <= high + 0.5


def test_hail_is_sharper_than_rain_and_rain_sharper_than_noise():
    earth = ground.drawn(3)
    stones = falling.hail(earth, 1, 60 * FS, rng(1))[0]
    drops = falling.rain(10.0, earth, 1, 60 * FS, rng(1))[0]
    assert kurtosis(stones) > 6
    assert kurtosis(stones) > kurtosis(drops)
    assert stones.std() > drops.std()


def test_heavier_rain_is_stronger_and_holds_the_water_it_stands_for():
    earth = ground.drawn(4)
    light, heavy = (falling.rain(r, earth, 1, 20 * FS, rng(1)).std() for r in (2.0, 20.0))
    assert heavy > 1.5 * light
    impulse, flux = falling.drops(10.0)
    speed = 9.65 - 10.3 * np.exp(-0.6 * np.array([0.75, 1.25, 1.75, 2.25, 2.75, 3.5, 4.5]))
    mm_h = np.sum(impulse / speed * flux) * 3600
    assert 5 < mm_h < 15


def test_gusts_agree_over_metres_and_not_over_hundreds():
    blowing = wind.gusts(8.0, [(0.0, 0.0), (5.0, 0.0), (400.0, 300.0)], 900 * FS, rng(3))
    agreed = np.corrcoef(blowing.speed_m_s)
    assert agreed[0, 1] > 0.6 > agreed[0, 2]
    assert blowing.speed_m_s.min() >= 0
    assert blowing.speed_m_s.mean() == pytest.approx(8.0, rel=0.15)


def test_stronger_wind_shakes_the_ground_more():
    def level(mean_m_s):
        return wind.noise(wind.gusts(mean_m_s, ROW, 60 * FS, rng(4)), 60 * FS, rng(5)).std()

    assert level(12.0) > 2 * level(4.0)


@pytest.mark.parametrize("seed", range(6))
def test_quake_arrives_at_all_nodes_within_a_tenth_of_a_second(seed):
    waves = distant.quake(5.0, ROW, EVEN, 60 * FS, rng(seed))
    onsets = [np.argmax(np.abs(wave) > 0.02 * np.abs(wave).max()) / FS for wave in waves]
    assert max(onsets) - min(onsets) < 0.1
    assert 5.0 <= min(onsets) < 6.0


def test_wave_from_afar_passes_the_nodes_at_its_apparent_velocity():
    blow = np.zeros(4 * FS)
    blow[FS : FS + 20] = np.hanning(20)
    late = distant.plane(blow, 400.0, ROW, EVEN, rng(11))
    peaks = [np.argmax(row) / FS for row in late]
    assert 0 < max(peaks) - min(peaks) <= 90 / 400 + 0.02


def test_thunder_rolls_for_seconds_and_stops():
    waves = distant.thunder(5.0, ROW, EVEN, 60 * FS, rng(3))
    assert np.abs(waves[:, : 4 * FS]).max() == 0
    assert np.abs(waves[:, 40 * FS :]).max() < 0.05 * np.abs(waves).max()


def test_tremor_stays_below_five_hertz_or_so():
    wave = distant.tremor(ROW, EVEN, 120 * FS, rng(2))[0]
    f_hz, density = dsp.welch(wave, FS, nperseg=8 * FS)
    assert density[f_hz < 8].sum() > 0.8 * density.sum()


def test_helicopter_rises_and_falls_with_a_tone_that_drops():
    wave = aircraft.helicopter(30.0, ROW, EVEN, 60 * FS, rng(6))[0]
    seconds = wave.reshape(60, -1).std(axis=1)
    assert 24 <= np.argmax(seconds) <= 36

    def tone(part):
        f_hz, density = dsp.welch(part, FS, nperseg=4 * FS)
        return f_hz[(f_hz > 8) & (f_hz < 45)][np.argmax(density[(f_hz > 8) & (f_hz < 45)])]

    assert tone(wave[10 * FS : 20 * FS]) > tone(wave[42 * FS : 52 * FS])


def test_rocks_fall_within_seconds_in_one_place():
    blows = impact.rockfall(10.0, (0.0, 0.0), rng(4))
    low, high = span("rockfall.distance_m")
    assert len(blows) >= 5
    assert all(10.0 <= blow.t_s <= 20.0 for blow in blows)
    assert all(low - 20 < np.hypot(blow.x_m, blow.y_m) < high + 20 for blow in blows)


def test_knocks_come_one_by_one_within_their_area():
    blows = impact.knocks(600.0, (-5.0, -5.0), (30.0, 5.0), rng(4))
    assert 50 < len(blows) < 200
    assert all(-5 <= blow.x_m <= 30 and -5 <= blow.y_m <= 5 for blow in blows)
