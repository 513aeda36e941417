# SPDX-License-Identifier: MIT
"""Ground layer: a scene of the second family: nodes, ground, actors, weather and nuisances."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim_hardware.errors import SimError
from sim_hardware.second import aircraft, distant, impact, pickup
from sim_hardware.second.actor import Actor
from sim_hardware.second.ground import GROUND_FS_HZ, Ground
from sim_hardware.second.track import Point
from sim_hardware.site import NodeSpec

Array = NDArray[np.float64]
DURATION_S = (5.0, 3600.0)


@dataclass(frozen=True)
class Weather:
    """Mean wind, rain, and whether it hails, for the whole scene."""

    wind_m_s: float = 0.0
    rain_mm_h: float = 0.0
    hail: bool = False


@dataclass(frozen=True)
class Scene:
    """The input of a rendered take. `line`: the points whose crossing counts.

    `nuisances`: names of NUISANCES.
    """

    name: str
    nodes: tuple[NodeSpec, ...]
    line: tuple[Point, ...]
    ground_seed: int
    ambient_nm_s: float
    duration_s: float
    actors: tuple[Actor, ...] = ()
    weather: Weather = Weather()
    nuisances: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise SimError for a length or nuisance that does not exist."""
        low, high = DURATION_S
        if not low <= self.duration_s <= high:
            raise SimError(f"a scene lasts {low:g}..{high:g} s, not {self.duration_s:g}")
        for nuisance in self.nuisances:
            if nuisance not in NUISANCES:
                raise SimError(f"nuisance {nuisance} is unknown; known: {', '.join(NUISANCES)}")

    @property
    def samples(self) -> int:
        """Samples of a node's record at GROUND_FS_HZ."""
        return round(self.duration_s * GROUND_FS_HZ)

    @property
    def places(self) -> list[Point]:
        """Where the nodes are, in the order of `nodes`."""
        return [(node.x_m, node.y_m) for node in self.nodes]


Made = Callable[[Scene, Ground, np.random.Generator], Array]


def _times(scene: Scene, every_s: float, rng: np.random.Generator) -> list[float]:
    count = max(1, round(scene.duration_s / every_s))
    return [float(t) for t in rng.uniform(0.1, 0.7, size=count) * scene.duration_s]


def _thunder(scene: Scene, ground: Ground, rng: np.random.Generator) -> Array:
    planting = ground.planting(len(scene.nodes))
    out = np.zeros((len(scene.nodes), scene.samples))
    for start_s in _times(scene, 30.0, rng):
        out += distant.thunder(start_s, scene.places, planting, scene.samples, rng)
    return out


def _quake(scene: Scene, ground: Ground, rng: np.random.Generator) -> Array:
    planting = ground.planting(len(scene.nodes))
    start_s = _times(scene, scene.duration_s, rng)[0]
    return distant.quake(start_s, scene.places, planting, scene.samples, rng)


def _tremor(scene: Scene, ground: Ground, rng: np.random.Generator) -> Array:
    planting = ground.planting(len(scene.nodes))
    return distant.tremor(scene.places, planting, scene.samples, rng)


def _helicopter(scene: Scene, ground: Ground, rng: np.random.Generator) -> Array:
    planting = ground.planting(len(scene.nodes))
    closest_s = _times(scene, scene.duration_s, rng)[0]
    return aircraft.helicopter(closest_s, scene.places, planting, scene.samples, rng)


def _fence(scene: Scene, _ground: Ground, rng: np.random.Generator) -> Array:
    return pickup.fence(len(scene.nodes), scene.samples, rng)[0]


def _mains(scene: Scene, _ground: Ground, rng: np.random.Generator) -> Array:
    line_hz = float(rng.choice(pickup.MAINS_HZ))
    return pickup.mains(line_hz, len(scene.nodes), scene.samples, rng)


def _pump(scene: Scene, ground: Ground, rng: np.random.Generator) -> Array:
    x_m, y_m = _beside(scene, rng)
    return ground.propagate(
        impact.pump(scene.duration_s, (x_m, y_m), rng), scene.places, scene.samples
    )


def _knocks(scene: Scene, ground: Ground, rng: np.random.Generator) -> Array:
    x_m, y_m = np.array(scene.places).T
    corner = (float(x_m.min()) - 10, float(y_m.min()) - 15)
    opposite = (float(x_m.max()) + 10, float(y_m.max()) + 15)
    blows = impact.knocks(scene.duration_s, corner, opposite, rng)
    return ground.propagate(blows, scene.places, scene.samples)


def _rockfall(scene: Scene, ground: Ground, rng: np.random.Generator) -> Array:
    centre = scene.places[len(scene.places) // 2]
    blows = impact.rockfall(_times(scene, scene.duration_s, rng)[0], centre, rng)
    return ground.propagate(blows, scene.places, scene.samples)


def _beside(scene: Scene, rng: np.random.Generator) -> Point:
    x_m, y_m = scene.places[int(rng.integers(len(scene.places)))]
    angle, far_m = rng.uniform(0, 2 * np.pi), rng.uniform(10.0, 60.0)
    return float(x_m + far_m * np.cos(angle)), float(y_m + far_m * np.sin(angle))


NUISANCES: dict[str, Made] = {
    "fence": _fence,
    "mains": _mains,
    "pump": _pump,
    "knocks": _knocks,
    "thunder": _thunder,
    "quake": _quake,
    "tremor": _tremor,
    "rockfall": _rockfall,
    "helicopter": _helicopter,
}
