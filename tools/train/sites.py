# SPDX-License-Identifier: MIT
"""Train: random sites, one for each seed. Three of five have people, animals, vehicles or digging.

Every second site is wild (tools.train.wild): resonant, noisy ground and vehicles drawn at random.

They share nothing with the held-out suite: no training site has a wave speed within an eighth of
that of firm ground or clay, and no seed from 9001 on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sim_hardware.site import NodeSpec
from sim_hardware.world.kinds import KINDS
from sim_hardware.world.nuisance import NuisanceSpec
from sim_hardware.world.scenario import ActorSpec, Scenario
from sim_hardware.world.soil import SOILS, Soil
from sim_hardware.world.warmth import PirWeather
from sim_hardware.world.weather import Weather

SHEAR_M_S = (90.0, 450.0)  # from peat to gravel (BSSA 100, 1528)
HELD_OUT_SOILS = ("firm", "clay")
APART = 1 / 8  # of a held-out soil's wave speed
VALIDATION_SOILS = ("loam",)
SLOT_S = 110.0
_LULL_S = 150.0  # at the most, between some of them
QUIET_S = 900.0
_NODES = 6
_CLASSES = ("person", "group", "animal", "vehicle", "digging")
_DRAWN = "any_"  # kinds whose figures are drawn wide: on wild sites
_OF = {
    name: tuple(key for key, kind in KINDS.items() if kind.class_name == name and _DRAWN not in key)
    for name in _CLASSES
}
_CALM, _WINDY, _RAINY, _STORMY = 0.5, 0.7, 0.85, 1.0


@dataclass(frozen=True)
class SiteJob:
    """One site to play for `duration_s`; its name and `seed` determine it completely."""

    scenario: Scenario
    seed: int
    duration_s: float
    is_wild: bool = False


def site(family: str, seed: int) -> SiteJob:
    """The site of one seed; `family` is train, machines (no person, more machines) or check."""
    rng = np.random.default_rng([seed, {"train": 41, "check": 42, "machines": 43}[family]])
    soil = str(rng.choice(VALIDATION_SOILS)) if family == "check" else _soil(rng)
    kinds = [str(rng.choice(_CLASSES, p=(0.32, 0.14, 0.13, 0.22, 0.19))) for _ in range(8)]
    nodes = tuple(_node(rng, index) for index in range(_NODES))
    is_busy = rng.random() < 0.6 and family != "machines"
    starts_s = _starts(rng, len(kinds))
    is_wild = seed % 2 == 0
    actors = tuple(
        _actor(rng, f"a{i}", name, start_s, is_wild)
        for i, (name, start_s) in enumerate(zip(kinds, starts_s, strict=False))
    )
    odds = 0.1 if is_busy else 0.6 if family == "machines" else 0.35
    weather = _weather(rng)
    scenario = Scenario(
        name=f"{family}_{seed}",
        nodes=nodes,
        actors=actors if is_busy else (),
        weather=weather,
        soil=soil,
        excess_loss_db=(0.0, float(rng.uniform(2, 20 if is_wild else 14))),
        coupling_db=float(rng.uniform(1, 4)),
        knocks_per_h=float(rng.choice([0, 6, 20])),
        pir_false_per_h=float(rng.choice([0, 0.5, 3])),
        nuisances=_nuisances(rng, odds, weather.wind_m_s),
        pir_weather=PirWeather(air_c=float(rng.uniform(-5, 38))),
    )
    return SiteJob(scenario, seed, starts_s[-1] if is_busy else QUIET_S, is_wild)


def _soil(rng: np.random.Generator) -> Soil:
    while True:
        shear_m_s = math.exp(rng.uniform(*np.log(SHEAR_M_S)))
        held_out = (SOILS[name].shear_m_s for name in HELD_OUT_SOILS)
        if all(abs(shear_m_s / known_m_s - 1) > APART for known_m_s in held_out):
            break
    quality = shear_m_s / 10.5 * float(rng.uniform(0.7, 1.45))
    return Soil(shear_m_s, float(rng.uniform(1300, 2000)), quality)


def _starts(rng: np.random.Generator, count: int) -> list[float]:
    """When each actor comes, and when the last one has gone; lulls give calm before a car."""
    starts = [12.0]
    for _ in range(count):
        lull_s = float(rng.uniform(0, _LULL_S)) if rng.random() < 0.3 else 0.0
        starts.append(starts[-1] + SLOT_S + lull_s)
    return starts


def _node(rng: np.random.Generator, index: int) -> NodeSpec:
    x_m = index * 22.0 + float(rng.uniform(-6, 6))
    azimuth = float(rng.choice([0.0, 90.0, 180.0]))
    return NodeSpec(f"n{index}", x_m, float(rng.uniform(-10, 10)), "s", "pico_w", azimuth, 12.0)


def _weather(rng: np.random.Generator) -> Weather:
    kind = rng.random()
    wind = float(rng.uniform(0, 4) if kind < _CALM else rng.uniform(4, 14))
    rain = float(rng.uniform(1, 20)) if kind >= _WINDY else 0.0
    if _WINDY <= kind < _RAINY:
        wind = float(rng.uniform(0, 4))
    return Weather(
        level_nm_s=float(np.clip(math.exp(rng.normal(math.log(90), 0.5)), 30, 300)),
        drift_db=float(rng.uniform(0.5, 3)),
        wind_m_s=wind,
        rain_mm_h=rain,
        wind_db_per_m_s=float(rng.uniform(1.5, 3)),
    )


def _path(rng: np.random.Generator, length_m: float) -> tuple[tuple[float, float], ...]:
    middle = (float(rng.uniform(0, 110)), float(rng.uniform(-15, 15)))
    turn = float(rng.uniform(0, 2 * math.pi))
    step = (length_m / 2 * math.cos(turn), length_m / 2 * math.sin(turn))
    return ((middle[0] - step[0], middle[1] - step[1]), (middle[0] + step[0], middle[1] + step[1]))


def _actor(
    rng: np.random.Generator, key: str, name: str, start_s: float, is_wild: bool
) -> ActorSpec:
    kind = str(rng.choice(_OF[name])) if rng.random() < 0.5 else ""
    if name == "person":  # a third runs
        kind = str(rng.choice(["", "walker", "runner", "sneaker"], p=(0.3, 0.3, 0.33, 0.07)))
        if is_wild:
            kind = {"runner": "any_runner", "sneaker": kind}.get(kind, "any_walker")
    if name == "vehicle" and (is_wild or rng.random() < 0.3):
        kind = "any_vehicle"
    if name == "digging" and is_wild:
        kind = "any_digger"
    own = KINDS.get(kind)
    typical = own.speed_m_s if own else {"vehicle": 8.0, "animal": 1.7}.get(name, 1.35)
    speed = typical * float(rng.uniform(0.7, 1.5))
    # the actor comes from far away and is gone before the next one starts
    path = _path(rng, min(75.0 * speed, 500.0 if name == "vehicle" else 150.0))
    spec: dict[str, object] = {}
    if name == "vehicle":  # from a crawl to a hurry, and of any weight
        speed = float(np.clip(math.exp(rng.normal(math.log(8), 0.6)), 1.5, 25))
        path = _path(rng, min(80.0 * speed, 600.0))
        typical_nm_s = own.level_nm_s if own else 5500.0
        spec["level_nm_s"] = typical_nm_s * math.exp(float(rng.normal(0, 1.3 if is_wild else 0.7)))
    if name == "digging":
        path = ((float(rng.uniform(-5, 115)), float(rng.uniform(-30, 30))),)
        spec["stay_s"] = 75.0
    if name == "group":
        spec["count"] = int(rng.integers(2, 8))
        spec["spread_m"] = float(rng.uniform(0, 1.5))
    if name == "animal":
        spec["gait"] = str(rng.choice(["", "", "trot", "canter"])) if kind else "walk"
        if not kind:
            spec["mass_kg"] = float(math.exp(rng.uniform(math.log(25), math.log(700))))
            spec["gait"] = str(rng.choice(["walk", "trot"]))
    return ActorSpec(key, name, path, start_s, speed_m_s=speed, kind=kind, **spec)  # type: ignore[arg-type]  # by name


def _nuisances(rng: np.random.Generator, odds: float, wind_m_s: float) -> tuple[NuisanceSpec, ...]:
    found = []
    x_m, y_m = float(rng.uniform(-60, 170)), float(rng.choice([-1, 1])) * float(rng.uniform(15, 90))
    if rng.random() < odds:
        every_s = float(rng.uniform(60, 400))
        kind = str(rng.choice(["thunder", "blast", "quake"]))
        place = (float(rng.uniform(-3000, 3000)), float(rng.uniform(-3000, 3000)))
        found.append(NuisanceSpec("far", kind, *place, every_s=every_s, start_s=30.0))
    if rng.random() < odds:
        start_s = float(rng.uniform(0, 600))
        for number in range(1 if odds < 0.2 else 4):
            turn = float(rng.uniform(0, 2 * math.pi))
            aside = float(rng.uniform(-600, 600))
            c, s = math.cos(turn), math.sin(turn)
            path = tuple((50 + d * c - aside * s, d * s + aside * c) for d in (-2500.0, 2500.0))
            found.append(
                NuisanceSpec(
                    f"heli{number}",
                    "helicopter",
                    path=path,
                    start_s=start_s + 300 * number,
                    height_m=float(rng.uniform(60, 400)),
                    speed_m_s=float(rng.uniform(25, 70)),
                    level_nm_s=float(rng.uniform(300, 2500)),
                )
            )
    if rng.random() < odds:
        hz = float(rng.choice([25.0, 50.0, 75.0, 100.0])) * float(rng.uniform(0.9, 1.05))
        found.append(
            NuisanceSpec(
                "pump",
                "pump",
                x_m,
                y_m,
                hz=hz,
                start_s=float(rng.uniform(0, 300)),
                on_s=float(rng.uniform(60, 300)),
                off_s=float(rng.uniform(60, 400)),
            )
        )
    if rng.random() < odds:
        away = float(rng.choice([-1, 1])) * float(rng.uniform(150, 600))
        found.append(
            NuisanceSpec(
                "road",
                "road",
                path=((-600.0, away), (800.0, away)),
                per_h=float(rng.uniform(20, 300)),
                speed_m_s=float(rng.uniform(10, 28)),
            )
        )
    if rng.random() < (min(0.7, 2 * odds) if wind_m_s > 4 else odds):
        found.append(NuisanceSpec("tree", "tree", x_m, y_m * 0.5))
    return tuple(found)
