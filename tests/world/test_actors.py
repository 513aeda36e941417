# SPDX-License-Identifier: MIT
"""Kinds of actors: their cadence, weight and level at one node on still ground."""

import numpy as np
import pytest
from scipy import signal

from sim_hardware.world import World
from sim_hardware.world.actors import make_pass
from sim_hardware.world.ambient import Weather
from sim_hardware.world.geophone import FS_HZ, Geophone
from sim_hardware.world.kinds import KINDS
from sim_hardware.world.scenario import ActorSpec, NodeSpec, Scenario
from sim_hardware.world.soil import SOILS, PulseBank, Strike, coda_kernel

BAND = signal.butter(2, [8, 60], "band", fs=FS_HZ, output="sos")
STILL = Weather(level_nm_s=0.01, drift_db=0.0, wind_m_s=0.0)
WAY = ((-30.0, 10.0), (30.0, 10.0))


def spec_of(kind, **more):
    known = KINDS[kind]
    values = {"class_name": known.class_name, "speed_m_s": known.speed_m_s, "path": WAY}
    return ActorSpec("a", kind=kind, **{**values, **more})


def pass_of(kind, seed=1, **more):
    return make_pass(spec_of(kind, **more), 0, np.random.default_rng(seed))


def recorded(kind, seconds, seed=1, x_m=0.0, **more):
    """nm/s at one node without loss or coupling, but for 0.01 nm/s of noise."""
    node = NodeSpec("n01", x_m, 0.0, "s")
    scenario = Scenario(
        "one", (node,), (), (spec_of(kind, **more),), STILL, "loam", (0.0, 0.0), coupling_db=0.0
    )
    return 1e9 * World(scenario, seed).record(seconds).velocity_m_s["n01"].astype(np.float64)


def band_rms(data):
    return float(np.sqrt(np.mean(signal.sosfilt(BAND, data) ** 2)))


@pytest.mark.parametrize(
    ("kind", "low_hz", "high_hz"),
    [("walker", 1.5, 2.2), ("runner", 2.4, 3.1), ("sneaker", 0.7, 1.5)],
)
def test_people_step_at_the_rate_of_their_kind(kind, low_hz, high_hz):
    rates = []
    for seed in range(8):
        (steps, _) = pass_of(kind, seed).members[0]
        rates.append(1 / np.median(np.diff(steps.t_s)))
    assert low_hz < min(rates) and max(rates) < high_hz
    assert np.std(rates) > 0.02  # every walker has a pace of its own


def test_runner_is_louder_than_walker_and_sneaker_ten_times_quieter():
    peaks = {}
    for kind in ("runner", "walker", "sneaker"):
        strikes = [pass_of(kind, seed).members[0][0].strike for seed in range(20)]
        peaks[kind] = np.median([strike.newton for strike in strikes])
    assert peaks["runner"] > 2 * peaks["walker"]
    assert 5 < peaks["walker"] / peaks["sneaker"] < 15
    assert 745 * 0.005 < peaks["sneaker"] < 745 * 0.035


@pytest.mark.parametrize(("gait", "beats"), [("walk", 4), ("trot", 2), ("canter", 3)])
def test_horse_beats_as_its_gait(gait, beats):
    (steps, _) = pass_of("horse", 2, gait=gait, cadence_hz=1.0).members[0]
    phases = np.sort(steps.t_s % 1.0)  # strides drift by 3 % each: look at single strides
    starts = steps.t_s[:: 4 * 3]
    assert phases.size > 40 and starts.size > 3
    gaps = np.diff(steps.t_s)
    together = np.mean(gaps < 0.1)
    # two of four feet together in each beat of a trot, once in a canter, never at a walk
    expected = {4: 0.0, 2: 0.5, 3: 0.25}[beats]
    assert together == pytest.approx(expected, abs=0.12)


def test_group_walks_with_steps_of_their_own():
    group = pass_of("group", 3, count=4)
    rates = [1 / np.median(np.diff(steps.t_s)) for steps, _ in group.members]
    assert len(group.bodies) == 4
    assert len({round(rate, 3) for rate in rates}) == 4
    starts = [track.start_s for _, track in group.members]
    gaps_m = np.diff(starts) * 1.3
    assert (gaps_m >= 1).all() and (gaps_m <= 3).all()


def test_herd_spreads_to_both_sides():
    herd = pass_of("cattle", 4, count=12)
    aside = [track.xy_m[0, 1] - 10 for _, track in herd.members]
    assert min(aside) < -3 and max(aside) > 3


def test_horse_is_ten_decibels_above_a_person():
    horse = np.median([np.abs(recorded("horse", 36, seed)).max() for seed in range(4)])
    person = np.median([np.abs(recorded("walker", 43, seed)).max() for seed in range(4)])
    assert 2.5 < horse / person < 12


def test_digger_strikes_and_scrapes_with_pauses():
    digger = pass_of("shovel", 5, path=((0.0, 10.0),), stay_s=120.0)
    strikes, scrapes = digger.members[0][0], digger.members[1:]
    gaps = np.diff(strikes.t_s)
    assert 1 / 0.65 < np.median(gaps) < 1 / 0.28
    assert gaps.max() > 2 + np.median(gaps) * 0.8  # a rest
    assert len(digger.bodies) == 1
    assert sum(steps.t_s.size for steps, _ in scrapes) == strikes.t_s.size
    assert 0.2 <= scrapes[0][0].strike.width_s <= 0.5


def test_scrape_is_noise_between_10_and_80_hz():
    bank = PulseBank(
        SOILS["loam"],
        Strike(10, 0.4, drag_seed=3),
        Geophone(),
        coda_kernel(np.random.default_rng(3)),
    )
    pulse = bank.pulse(10.0)
    power = np.abs(np.fft.rfft(pulse)) ** 2
    f_hz = np.fft.rfftfreq(pulse.size, 1 / FS_HZ)
    inside = power[(f_hz > 8) & (f_hz < 110)].sum() / power.sum()
    assert inside > 0.9
    lasting = np.nonzero(np.abs(pulse) > 0.2 * np.abs(pulse).max())[0]
    assert 0.15 < np.ptp(lasting) / FS_HZ < 0.7


@pytest.mark.parametrize(("kind", "low", "high"), [("car", 1000, 5000), ("truck", 5000, 30000)])
def test_vehicle_at_10_m_is_as_loud_as_its_kind(kind, low, high):
    speed_m_s = KINDS[kind].speed_m_s
    near = []
    for seed in range(4):
        data = recorded(kind, 24, seed, path=((-10 * speed_m_s, 10.0), (14 * speed_m_s, 10.0)))
        near.append(band_rms(data[int(9.5 * FS_HZ) : int(10.5 * FS_HZ)]))
    assert low < np.median(near) < high


def test_vehicle_band_is_below_25_hz_and_tracks_beat_at_speed_over_pitch():
    data = recorded("truck", 16, 2, path=((-64.0, 12.0), (64.0, 12.0)))
    f_hz, power = signal.welch(data, FS_HZ, nperseg=1024)
    assert power[(f_hz > 5) & (f_hz < 25)].sum() > 0.5 * power.sum()
    tracked = recorded("tracked", 24, 2, path=((-60.0, 20.0), (60.0, 20.0)))
    f_hz, power = signal.welch(tracked, FS_HZ, nperseg=1024)
    line = power[(f_hz > 30) & (f_hz < 37)].max()  # 5 m/s over 0.15 m
    assert line > 3 * np.median(power[(f_hz > 20) & (f_hz < 28)])


def test_convoy_comes_one_after_another_and_is_one_pass():
    convoy = pass_of("truck", 6, count=3)
    starts = [track.start_s for track in convoy.vehicles]
    assert len(starts) == 3 and (np.diff(starts) >= 3).all() and (np.diff(starts) <= 6).all()
    assert convoy.end_s == convoy.vehicles[-1].end_s
    data = recorded("truck", 40, 6, path=((-100.0, 8.0), (100.0, 8.0)), count=3)
    seconds = data.reshape(-1, FS_HZ // 2).std(axis=1)
    peaks, _ = signal.find_peaks(seconds, prominence=seconds.max() * 0.25, distance=4)
    assert 3 <= peaks.size <= 5
