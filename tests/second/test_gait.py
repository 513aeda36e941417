# SPDX-License-Identifier: MIT
"""Footfalls of people and animals: rhythm, load and flight agree with published measurements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim_hardware.errors import SimError
from sim_hardware.second.gait import footfalls, group, person_gait
from sim_hardware.second.parameters import span
from sim_hardware.second.quadruped import SPECIES, animal, gaits, hoofbeats
from sim_hardware.second.strike import FORCE_FS_HZ, timeline
from sim_hardware.second.track import straight

SECONDS = 40.0
LEVEL = slice(5 * FORCE_FS_HZ, 35 * FORCE_FS_HZ)
WALKS = [(species, gait) for species in SPECIES for gait in gaits(species)]


def track(speed_m_s=1.4):
    return straight(0.0, (0.0, 0.0), (SECONDS * speed_m_s, 0.0), speed_m_s)


def person(style, seed, **changes):
    rng = np.random.default_rng(seed)
    gait = replace(person_gait(style, rng), **changes)
    return gait, timeline(footfalls(gait, track(), rng), SECONDS)[LEVEL]


@pytest.mark.parametrize("seed", range(4))
def test_spectrum_of_a_regular_walk_peaks_at_multiples_of_cadence(seed):
    gait, force = person("walk", seed, jitter=0.0, asymmetry=0.0)
    spectrum = np.abs(np.fft.rfft((force - force.mean()) * np.hanning(force.size)))
    f_hz = np.fft.rfftfreq(force.size, 1 / FORCE_FS_HZ)
    for order in (1, 2, 3):
        near = np.abs(f_hz - order * gait.cadence_hz) < 0.15
        between = np.abs(f_hz - (order + 0.5) * gait.cadence_hz) < 0.15
        assert spectrum[near].max() > 5 * spectrum[between].max()
    assert f_hz[np.argmax(spectrum)] == pytest.approx(gait.cadence_hz, abs=0.05)


@pytest.mark.parametrize(("style", "seed"), [("walk", 1), ("walk", 2), ("run", 1), ("run", 2)])
def test_ground_under_a_person_carries_the_weight_on_average(style, seed):
    gait, force = person(style, seed)
    assert force.mean() == pytest.approx(gait.weight_n, rel=0.12)


@pytest.mark.parametrize("seed", range(4))
def test_runner_in_flight_loads_the_ground_with_nothing(seed):
    gait, force = person("run", seed)
    assert 0.1 < np.mean(force == 0.0) < 0.5
    late = gait.stance.force(gait.weight_n)[gait.stance.force(1.0).size // 3 :]
    assert 1.9 <= late.max() / gait.weight_n <= 3.1


@pytest.mark.parametrize("seed", range(4))
def test_walker_never_leaves_the_ground_and_shows_two_humps(seed):
    gait, force = person("walk", seed)
    assert (force > 0).all()
    stance = replace(gait.stance, heel=0.0).force(1.0)
    third = stance.size // 3
    assert stance[:third].max() > 1.0 and stance[-third:].max() > 1.0
    assert stance[third:-third].min() < 0.85


def test_steps_of_a_walker_vary_by_a_few_percent():
    gait, _ = person("walk", 7)
    rng = np.random.default_rng(7)
    times = [strike.t_s for strike in footfalls(gait, track(), rng)]
    steps = np.diff(times)
    assert 0.01 < steps.std() / steps.mean() < 0.06
    assert 1.5 < 1 / steps.mean() < 2.3


def test_stealthy_heel_is_softer_than_any_walkers():
    heels = [person("sneak", seed)[0].stance.heel for seed in range(8)]
    assert max(heels) < span("walk.heel_share")[0]


def test_group_has_the_footfalls_of_all_its_people():
    rng = np.random.default_rng(3)
    alone = len(footfalls(person_gait("walk", rng), track(), rng))
    together = len(group("walk", 4, track(), rng))
    assert 3 * alone < together < 5 * alone
    with pytest.raises(SimError, match="two people"):
        group("walk", 1, track(), rng)


@pytest.mark.parametrize(("species", "gait"), WALKS)
def test_limbs_of_an_animal_carry_its_weight_at_its_stride(species, gait):
    rng = np.random.default_rng(4)
    one = replace(animal(species, gait, rng), impact=0.0)
    strikes = hoofbeats(one, track(one.speed_m_s), rng)
    force = timeline(strikes, SECONDS)[LEVEL]
    assert force.mean() == pytest.approx(9.81 * one.mass_kg, rel=0.06)
    assert len(strikes) / 4 / SECONDS == pytest.approx(one.stride_hz, rel=0.05)
    assert 0.3 < one.speed_m_s < 8.0


def test_unknown_gaits_and_species_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(SimError, match="known: walk, run, sneak"):
        person_gait("hop", rng)
    with pytest.raises(SimError, match="species newt"):
        animal("newt", "walk", rng)
    with pytest.raises(SimError, match="cow has no canter"):
        animal("cow", "canter", rng)
