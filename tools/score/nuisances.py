# SPDX-License-Identifier: MIT
"""Score: random sites with many nuisances, one for each seed.

Ground, nodes and weather are drawn as for the sites on which the nodes' model is trained, with
other seeds. Two sites in five have people, vehicles and animals. The others have nothing to alarm
about: animals, knocks, trees, machines, roads, rain, thunder, blasts and quakes.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from sim_hardware.world.nuisance import NuisanceSpec
from sim_hardware.world.scenario import ActorSpec, Scenario
from tools.score.suite import WorldJob
from tools.train.sites import site

FIRST_SEED = 20_001  # no site of the model or of a suite has a seed from here on
_BUSY = 0.4
_ANIMALS = ("cattle", "deer", "dog", "horse")
_MIDDLE_M = 55.0


def sites(count: int, hours: float, first: int = FIRST_SEED) -> list[WorldJob]:
    """`count` sites; those with nothing to alarm about last `hours`."""
    return [_job(seed, 3600 * hours) for seed in range(first, first + count)]


def _job(seed: int, duration_s: float) -> WorldJob:
    rng = np.random.default_rng([seed, 51])
    if rng.random() < _BUSY:
        number = seed
        while not (drawn := site("train", number)).scenario.actors:
            number += 1_000_000
        return WorldJob(_renamed(drawn.scenario, seed, "busy"), seed, drawn.duration_s)
    scenario = site("machines", seed).scenario
    scenario = dataclasses.replace(
        scenario,
        actors=_animals(rng, duration_s),
        knocks_per_h=float(rng.choice([0, 20, 60, 180])),
        nuisances=_nuisances(rng),
        weather=dataclasses.replace(
            scenario.weather,
            wind_m_s=float(rng.choice([rng.uniform(0, 4), rng.uniform(4, 16)])),
            rain_mm_h=float(rng.choice([0.0, 0.0, rng.uniform(1, 25)])),
        ),
    )
    return WorldJob(_renamed(scenario, seed, "unwanted"), seed, duration_s)


def _renamed(scenario: Scenario, seed: int, kind: str) -> Scenario:
    return dataclasses.replace(scenario, name=f"{kind}_{seed}")


def _animals(rng: np.random.Generator, duration_s: float) -> tuple[ActorSpec, ...]:
    if rng.random() < 0.6:
        return ()
    found = []
    for number in range(int(rng.integers(1, 3))):
        turn = float(rng.uniform(0, 2 * math.pi))
        middle = (float(rng.uniform(0, 2 * _MIDDLE_M)), float(rng.uniform(-15, 15)))
        step = (70 * math.cos(turn), 70 * math.sin(turn))
        path = (
            (middle[0] - step[0], middle[1] - step[1]),
            (middle[0] + step[0], middle[1] + step[1]),
        )
        start_s = float(rng.uniform(20, max(30.0, duration_s / 2)))
        every_s = float(rng.uniform(120, 300))
        kind = str(rng.choice(_ANIMALS))
        speed = float(rng.uniform(0.8, 2.5))
        count = int(rng.integers(1, 4))
        found.append(
            ActorSpec(
                f"animal{number}",
                "animal",
                path,
                start_s,
                every_s,
                speed_m_s=speed,
                kind=kind,
                count=count,
                spread_m=4.0,
            )
        )
    return tuple(found)


def _nuisances(rng: np.random.Generator) -> tuple[NuisanceSpec, ...]:
    found = []
    for kind in ("thunder", "blast", "quake"):
        if rng.random() < 0.4:
            place = (float(rng.uniform(-4000, 4000)), float(rng.uniform(-4000, 4000)))
            every_s = float(rng.uniform(40, 200))
            found.append(NuisanceSpec(kind, kind, *place, start_s=30.0, every_s=every_s))
    for number in range(int(rng.integers(0, 4))):
        x_m, y_m = float(rng.uniform(-20, 130)), float(rng.uniform(-30, 30))
        found.append(NuisanceSpec(f"tree{number}", "tree", x_m, y_m))
    if rng.random() < 0.4:
        away = float(rng.choice([-1, 1])) * float(rng.uniform(80, 500))
        path = ((-800.0, away), (1000.0, away))
        per_h, speed = float(rng.uniform(20, 300)), float(rng.uniform(8, 30))
        found.append(NuisanceSpec("road", "road", path=path, per_h=per_h, speed_m_s=speed))
    if rng.random() < 0.4:
        x_m = float(rng.uniform(-60, 170))
        y_m = float(rng.choice([-1, 1])) * float(rng.uniform(10, 90))
        on_s, off_s = float(rng.uniform(20, 300)), float(rng.uniform(30, 400))
        hz = float(rng.uniform(18, 105))
        found.append(NuisanceSpec("pump", "pump", x_m, y_m, hz=hz, on_s=on_s, off_s=off_s))
    if rng.random() < 0.2:
        aside = float(rng.uniform(-500, 500))
        found.append(
            NuisanceSpec(
                "helicopter",
                "helicopter",
                path=((-2500.0, aside), (2500.0, -aside)),
                start_s=float(rng.uniform(0, 600)),
                every_s=600.0,
                height_m=float(rng.uniform(60, 400)),
                speed_m_s=float(rng.uniform(25, 70)),
            )
        )
    return tuple(found)
