# SPDX-License-Identifier: MIT
"""Nuisances by their physics: fronts, lines, combs, and their decay with distance."""

import numpy as np
import pytest
from scipy import signal

from sim_hardware.world import World
from sim_hardware.world.ambient import Weather
from sim_hardware.world.geophone import FS_HZ
from sim_hardware.world.nuisance import NuisanceSpec
from sim_hardware.world.scenario import NodeSpec, Scenario

STILL = Weather(level_nm_s=0.01, drift_db=0.0, wind_m_s=0.0)
LINE = tuple(NodeSpec(f"n{i}", 100.0 * i, 0.0, "s") for i in range(3))


def recorded(spec, seconds, seed=1, weather=STILL):
    """{node: nm/s} of one nuisance on a line of nodes 100 m apart, and the truth about it."""
    world = World(Scenario("one", LINE, nuisances=(spec,), weather=weather), seed)
    data = world.record(seconds).velocity_m_s
    own = [c for c in world.truth(seconds)["conditions"] if c["kind"] == spec.kind]
    return {name: 1e9 * v.astype(np.float64) for name, v in data.items()}, own


def delay_s(first, second):
    """How much later the second is, by cross-correlation."""
    lags = signal.correlation_lags(second.size, first.size)
    return lags[np.argmax(signal.correlate(second, first))] / FS_HZ


def share(data, low_hz, high_hz):
    f_hz, power = signal.welch(data, FS_HZ, nperseg=1024)
    return power[(f_hz >= low_hz) & (f_hz <= high_hz)].sum() / power.sum()


def test_thunder_runs_over_the_line_at_the_speed_of_sound():
    data, truth = recorded(NuisanceSpec("t", "thunder", -3000.0, 0.0, start_s=1.0), 45)
    for seed in (2, 3):
        more, _ = recorded(NuisanceSpec("t", "thunder", -3000.0, 0.0, start_s=1.0), 45, seed)
        assert delay_s(more["n0"], more["n2"]) == pytest.approx(200 / 340, abs=0.02)
    assert delay_s(data["n0"], data["n2"]) == pytest.approx(200 / 340, abs=0.02)
    (condition,) = truth
    assert condition["t0_s"] == pytest.approx(1 + 3100 / 340, abs=0.01)
    assert 5 <= condition["t1_s"] - condition["t0_s"] <= 30
    assert share(data["n1"], 3, 15) > 0.8
    assert not np.abs(data["n0"][: 9 * FS_HZ]).max() > 1  # it has not arrived yet


@pytest.mark.parametrize("kind", ["blast", "quake"])
def test_blast_and_quake_reach_all_nodes_within_a_tenth_of_a_second(kind):
    data, truth = recorded(NuisanceSpec("q", kind, -4000.0, 500.0, start_s=2.0), 40, 5)
    assert 0 < delay_s(data["n0"], data["n2"]) < 0.11
    assert share(data["n1"], 1, 20) > 0.85
    (condition,) = truth
    loud = [np.sqrt(np.mean(one**2)) for one in np.split(data["n1"], 40)]
    assert condition["t0_s"] - 1 < np.argmax(loud) < condition["t1_s"]


def test_events_come_as_often_as_configured_and_at_the_configured_level():
    spec = NuisanceSpec("q", "blast", 2000.0, start_s=5.0, every_s=60.0)
    _, truth = recorded(spec, 3, 6)
    assert truth == []
    world = World(Scenario("one", LINE, nuisances=(spec,), weather=STILL), 6)
    blasts = [c for c in world.truth(3600.0)["conditions"] if c["kind"] == "blast"]
    assert 55 <= len(blasts) <= 61
    data, _ = recorded(NuisanceSpec("q", "blast", 2000.0, start_s=1.0, level_nm_s=3000.0), 30, 6)
    loudest = max(np.sqrt(np.mean(one**2)) for one in np.split(data["n1"], 30))
    assert 1500 < loudest < 5000


def test_helicopter_is_a_comb_that_falls_in_pitch_as_it_passes():
    spec = NuisanceSpec(
        "h", "helicopter", path=((-2000.0, 0.0), (2200.0, 0.0)), hz=16.0, speed_m_s=60.0
    )
    data, truth = recorded(spec, 66, 7)

    def pitch(from_s, to_s):
        piece = data["n1"][int(from_s * FS_HZ) : int(to_s * FS_HZ)]
        power = np.abs(np.fft.rfft(piece * np.hanning(piece.size), 1 << 15)) ** 2
        f_hz = np.fft.rfftfreq(1 << 15, 1 / FS_HZ)
        near = (f_hz > 12) & (f_hz < 21)
        return f_hz[near][np.argmax(power[near])]

    # the Doppler shift gives 16 / (1 -+ 60/340) Hz at the node
    assert pitch(15, 25) == pytest.approx(16 / (1 - 60 / 340), rel=0.03)
    assert pitch(50, 60) == pytest.approx(16 / (1 + 60 / 340), rel=0.03)
    piece = data["n1"][35 * FS_HZ : 36 * FS_HZ]
    _, power = signal.periodogram(piece, FS_HZ)
    strong, _ = signal.find_peaks(power, height=power.max() * 0.003)
    assert strong.size >= 4
    assert truth[0]["t1_s"] == pytest.approx(66, abs=4)
    loud = [np.std(one) for one in np.split(data["n1"], 66)]
    assert 33 <= np.argmax(loud) <= 38  # 2100 m at 60 m/s


def test_pump_is_a_line_that_goes_on_and_off():
    spec = NuisanceSpec("p", "pump", 0.0, 30.0, start_s=5.0, on_s=20.0, off_s=10.0)
    data, _ = recorded(spec, 60, 8)
    running = data["n0"][10 * FS_HZ : 20 * FS_HZ]
    f_hz, power = signal.welch(running, FS_HZ, nperseg=2048)
    assert f_hz[np.argmax(power)] == pytest.approx(75, abs=0.5)
    loud = np.array([np.std(one) for one in np.split(data["n0"], 60)]) > 0.5 * np.std(running)
    assert not loud[:5].any() and loud[7:24].all()
    assert not loud[26:35].any() and loud[37:54].all()
    assert np.std(data["n0"]) > 3 * np.std(data["n2"])  # 30 m and 202 m away


def test_road_rumbles_low_and_halves_with_each_doubling():
    near = NuisanceSpec("r", "road", path=((-800.0, 100.0), (1000.0, 100.0)), per_h=400.0)
    far = NuisanceSpec("r", "road", path=((-800.0, 200.0), (1000.0, 200.0)), per_h=400.0)
    # the first cars need some time to come by
    close, _ = recorded(near, 240, 9)
    distant, _ = recorded(far, 240, 9)
    late = slice(60 * FS_HZ, None)
    ratio = np.std(close["n1"][late]) / np.std(distant["n1"][late])
    assert 1.4 < ratio < 4
    assert share(close["n1"][late], 4, 30) > 0.8
    a, b = close["n0"][late], close["n1"][late]
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.1  # every node has its own ground


def test_tree_moves_with_the_square_of_the_wind():
    spec = NuisanceSpec("t", "tree", 5.0, 5.0)
    levels = []
    for wind_m_s in (4.0, 12.0):
        data, _ = recorded(spec, 120, 10, Weather(0.01, 0.0, wind_m_s, wind_db_per_m_s=0.0))
        levels.append(np.std(data["n0"]))
    assert levels[1] > 5 * levels[0]


def test_nuisances_leave_all_other_samples_unchanged():
    weather = Weather(100.0, 1.0, 5.0)
    late = NuisanceSpec("t", "thunder", 9000.0, 0.0, start_s=60.0)
    plain = World(Scenario("one", LINE, weather=weather), 11).record(20).velocity_m_s["n1"]
    more = World(Scenario("one", LINE, nuisances=(late,), weather=weather), 11).record(20)
    assert np.array_equal(plain, more.velocity_m_s["n1"])
