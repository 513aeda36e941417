# SPDX-License-Identifier: MIT
"""Ground layer: a scene rendered into a take: output of each geophone and PIR, and the truth."""

from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from sim_hardware.second import ambient, falling, ground, wind
from sim_hardware.second.ground import GROUND_FS_HZ, Ground
from sim_hardware.second.parameters import draw
from sim_hardware.second.scene import NUISANCES, Scene
from sim_hardware.second.sensor import geophone, pir_output, pir_trips
from sim_hardware.second.truth import actor_truth, crossings_truth, pass_truth
from sim_hardware.signals import Signal
from sim_hardware.site import Site
from sim_hardware.take import Take

Array = NDArray[np.float64]


def render(scene: Scene, seed: int) -> Take:
    """The take of a scene: the same scene and seed give the same bytes."""
    earth = ground.drawn(scene.ground_seed)
    floor = ambient.noise(
        len(scene.nodes), scene.samples, scene.ambient_nm_s * 1e-9, _stream(seed, "ambient")
    )
    total = floor + _weather(scene, earth, seed)
    for name in scene.nuisances:
        total += NUISANCES[name](scene, earth, _stream(seed, name))
    passes = []
    for actor in scene.actors:
        strikes = actor.strikes(_stream(seed, f"actor {actor.id}"))
        alone = earth.propagate(strikes, scene.places, scene.samples)
        total += alone
        for at, (node, place) in enumerate(zip(scene.nodes, scene.places, strict=True)):
            passes.append(pass_truth(actor, node.id, place, alone[at], floor[at]))
    signals = {node.id: _signal(scene, at, total[at], seed) for at, node in enumerate(scene.nodes)}
    return Take(Site(scene.name, scene.nodes), signals, _truth(scene, passes))


def _stream(seed: int, part: str) -> np.random.Generator:
    # Each part draws from its own stream, so that adding one changes no other.
    return np.random.default_rng([seed, crc32(part.encode())])


def _weather(scene: Scene, earth: Ground, seed: int) -> Array:
    nodes, samples, weather = len(scene.nodes), scene.samples, scene.weather
    out = np.zeros((nodes, samples))
    if weather.wind_m_s > 0:
        rng = _stream(seed, "wind")
        out += wind.noise(wind.gusts(weather.wind_m_s, scene.places, samples, rng), samples, rng)
    if weather.rain_mm_h > 0:
        out += falling.rain(weather.rain_mm_h, earth, nodes, samples, _stream(seed, "rain"))
    if weather.hail:
        out += falling.hail(earth, nodes, samples, _stream(seed, "hail"))
    return out


def _signal(scene: Scene, at: int, velocity_m_s: Array, seed: int) -> Signal:
    node = scene.nodes[at]
    coil = geophone(_stream(scene.ground_seed, f"geophone {node.id}"))
    rng = _stream(seed, f"pir {node.id}")
    contrast = draw(_stream(seed, "contrast"), "pir.range_share")
    trips = [
        time
        for actor in scene.actors
        for time in pir_trips(node, actor.track, actor.small, contrast, rng)
    ]
    edges = pir_output(trips, scene.duration_s, rng) if node.pir_range_m > 0 else np.zeros(0)
    sensed = coil.sense(velocity_m_s, _stream(seed, f"noise {node.id}"))
    return Signal(float(GROUND_FS_HZ), 0.0, sensed.astype(np.float32), pir_edges_s=edges)


def _truth(scene: Scene, passes: list[dict[str, Any]]) -> dict[str, Any]:
    levels = {
        "wind_m_s": scene.weather.wind_m_s,
        "rain_mm_h": scene.weather.rain_mm_h,
        "hail": float(scene.weather.hail),
        **dict.fromkeys(scene.nuisances, 1.0),
    }
    whole = {"t0_s": 0.0, "t1_s": scene.duration_s}
    line = list(scene.line)
    return {
        "version": 1,
        "duration_s": scene.duration_s,
        "actors": [actor_truth(actor) for actor in scene.actors],
        "conditions": [
            {**whole, "kind": kind, "level": round(level, 2)}
            for kind, level in levels.items()
            if level > 0 or kind in ("wind_m_s", "rain_mm_h")
        ],
        "crossings": [row for actor in scene.actors for row in crossings_truth(actor, line)],
        "passes": passes,
    }
