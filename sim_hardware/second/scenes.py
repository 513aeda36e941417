# SPDX-License-Identifier: MIT
"""Ground layer: the fixed list of evaluation scenes of the second family, each drawn by a seed."""

from collections.abc import Callable
from zlib import crc32

import numpy as np

from sim_hardware.errors import SimError
from sim_hardware.second import quadruped, vehicle
from sim_hardware.second.actor import Actor
from sim_hardware.second.ambient import drawn_level_nm_s
from sim_hardware.second.parameters import draw
from sim_hardware.second.plan import Plan, across, beside, grid, row
from sim_hardware.second.road import CLASSES
from sim_hardware.second.scene import Scene, Weather
from sim_hardware.second.street import street
from sim_hardware.second.track import standing

Cast = Callable[[Plan, float, np.random.Generator], tuple[Actor, ...]]
SECONDS = 60.0


def _on_foot(style: str) -> Cast:
    def cast(plan: Plan, seconds: float, rng: np.random.Generator) -> tuple[Actor, ...]:
        track = across(plan, seconds, draw(rng, f"{style}.speed_m_s"), rng)
        return (Actor("first", style, track),)

    return cast


def _group(plan: Plan, seconds: float, rng: np.random.Generator) -> tuple[Actor, ...]:
    track = across(plan, seconds, draw(rng, "walk.speed_m_s"), rng)
    return (Actor("first", "walk", track, count=int(rng.integers(2, 7))),)


def _driven(kind: str) -> Cast:
    def cast(plan: Plan, seconds: float, rng: np.random.Generator) -> tuple[Actor, ...]:
        speed = draw(rng, "vehicle.speed_m_s")
        track = (across if rng.uniform() < 0.5 else beside)(plan, seconds, speed, rng)
        return (Actor("first", kind, track, manner=str(rng.choice(CLASSES))),)

    return cast


def _digging(tool: str) -> Cast:
    def cast(plan: Plan, seconds: float, rng: np.random.Generator) -> tuple[Actor, ...]:
        x_m, y_m = plan.near(rng.uniform(4.0, 25.0), rng)
        return (Actor("first", tool, standing(4.0, seconds - 2.0, (x_m, y_m))),)

    return cast


def _animal(species: str) -> Cast:
    def cast(plan: Plan, seconds: float, rng: np.random.Generator) -> tuple[Actor, ...]:
        manner = str(rng.choice(quadruped.gaits(species)))
        speed = quadruped.animal(species, manner, rng).speed_m_s
        return (Actor("first", species, across(plan, seconds, speed, rng), manner),)

    return cast


def _no_actor(_plan: Plan, _seconds: float, _rng: np.random.Generator) -> tuple[Actor, ...]:
    return ()


CASTS: dict[str, Cast] = (
    {"walker": _on_foot("walk"), "runner": _on_foot("run"), "sneak": _on_foot("sneak")}
    | {"group": _group, "street": street}
    | {kind: _driven(kind) for kind in vehicle.KINDS}
    | {tool: _digging(tool) for tool in ("shovel", "pickaxe")}
    | {species: _animal(species) for species in quadruped.SPECIES}
)
NUISANCES = {
    "fence": ("fence",),
    "mains": ("mains",),
    "pump": ("pump",),
    "knocks": ("knocks",),
    "thunder": ("thunder",),
    "quake": ("quake",),
    "tremor": ("tremor",),
    "rockfall": ("rockfall",),
    "helicopter": ("helicopter",),
    "storm": ("thunder",),
    "street": ("mains",),
}
# Scenes with their own wind or rain; the others are calm and dry.
WINDY, RAINY = ("wind", "storm", "hail", "mixed"), ("rain", "storm", "hail")
COUNTS = {
    "walker": 8,
    "runner": 4,
    "sneak": 4,
    "group": 4,
    "car": 4,
    "truck": 3,
    "tracked": 2,
    "shovel": 4,
    "pickaxe": 3,
    "horse": 3,
    "cow": 2,
    "deer": 2,
    "dog": 2,
    "boar": 2,
    "quiet": 2,
    "wind": 2,
    "rain": 2,
    "hail": 2,
    "storm": 2,
    "thunder": 2,
    "quake": 2,
    "tremor": 1,
    "rockfall": 2,
    "helicopter": 2,
    "fence": 2,
    "mains": 1,
    "pump": 2,
    "knocks": 2,
    "street": 2,
    "mixed": 4,
}
_MIXED_KINDS = ("walker", "runner", "group", "car", "shovel", "horse", "dog")
_MIXED_NUISANCES = ("fence", "mains", "pump", "knocks", "helicopter")


def names() -> list[str]:
    """The names of all evaluation scenes, in order."""
    return [f"{kind}_{at:02d}" for kind, count in COUNTS.items() for at in range(1, count + 1)]


def scene(name: str, seed: int, seconds: float = SECONDS) -> Scene:
    """An evaluation scene by name. The seed draws site, actors and weather; raises SimError."""
    if name not in names():
        raise SimError(f"scene {name} is unknown; --list shows the {len(names())} names")
    if not 0 <= seed < 2**32:
        raise SimError(f"the seed must be 0..4294967295, not {seed}")
    if not 20.0 <= seconds <= 3600.0:
        raise SimError(f"a scene lasts 20..3600 s, not {seconds:g}")
    kind = name.rpartition("_")[0]
    rng = np.random.default_rng([seed, crc32(name.encode())])
    plan = grid(rng) if name.endswith(("03", "04")) else row(rng)
    nuisances = NUISANCES.get(kind, ())
    cast = CASTS.get(kind, _no_actor)
    if kind == "mixed":
        cast = CASTS[str(rng.choice(_MIXED_KINDS))]
        nuisances = (str(rng.choice(_MIXED_NUISANCES)),)
    weather = Weather(
        draw(rng, f"weather.{kind if kind in WINDY else 'calm'}_wind_m_s"),
        draw(rng, f"weather.{kind}_rain_mm_h") if kind in RAINY else 0.0,
        kind == "hail",
    )
    return Scene(
        name,
        plan.nodes,
        plan.line,
        int(rng.integers(2**31)),
        drawn_level_nm_s(rng),
        seconds,
        cast(plan, seconds, rng),
        weather,
        nuisances,
    )
