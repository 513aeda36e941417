# SPDX-License-Identifier: MIT
"""Train: features that the node's own code computes from a site, hop by hop, with their labels.

The features come from the firmware itself, so training and node cannot differ. A hop has the label
of the actor that the world knows to have been audible at that node. A hop with an actor near but
hardly audible is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from sim_hardware.fastpath import FeatureRun, Halver
from sim_hardware.signals import quiet_floor
from sim_hardware.virtual import Pace
from sim_hardware.world import Audibility, World
from sim_hardware.world.actors import Pass
from sim_hardware.world.audibility import CELLS_PER_S, NodeAudibility, closest
from tools.train.sites import SiteJob
from tools.train.wild import WildGround

CLASSES = ("nothing", "person", "group", "animal", "vehicle", "digging")
LEFT_OUT = 255
_BLOCK_S = 20.0
_BACK_S = 2.0  # the middle of the time that a hop looks back on
_SHORT, _LONG = 8, 16  # cells: 4 s and 8 s, as the features look back
_FAR_M = {"vehicle": 400.0}
# A car is detected farther away than it can be distinguished from one on a road.
LABEL_M = {"vehicle": 80.0}
_FAR_FOOT_M = 160.0
_PACE = Pace()


@dataclass(frozen=True)
class Hops:
    """`features` uint8 (n, 86), `labels` uint8 (n,) index of CLASSES or LEFT_OUT, `t_s` (n,),
    `node` (n,): number of the node in its site."""

    features: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    t_s: NDArray[np.float64]
    node: NDArray[np.uint8]


class _Ground:
    """One node's place, with a resonance (buried 20..40 Hz, others on floors and roots) and a
    spectral slope of its own, so that training cannot depend on one spectral shape."""

    def __init__(self, rng: np.random.Generator, fs_hz: int) -> None:
        sections = []
        if rng.random() < 0.6:
            sections.append(
                _peak(rng.uniform(9, 70), rng.uniform(0.8, 4), rng.uniform(-9, 9), fs_hz)
            )
        if rng.random() < 0.5:
            sections.append(
                _peak(rng.uniform(9, 90), rng.uniform(0.8, 4), rng.uniform(-9, 9), fs_hz)
            )
        if rng.random() < 0.4:
            sections.append(_shelf(rng.uniform(15, 60), rng.uniform(-8, 8), fs_hz))
        self._sos = np.array(sections)
        self._state = np.zeros((len(sections), 2))

    def pass_on(self, velocity: NDArray[np.float32]) -> NDArray[np.float64]:
        data = np.asarray(velocity, np.float64)
        if not len(self._sos):
            return data
        out, self._state = signal.sosfilt(self._sos, data, zi=self._state)
        return np.asarray(out)


def _peak(hz: float, q: float, gain_db: float, fs_hz: int) -> list[float]:
    """Peaking equaliser of the audio EQ cookbook (Bristow-Johnson)."""
    a, w = 10 ** (gain_db / 40), 2 * np.pi * hz / fs_hz
    alpha, c = np.sin(w) / (2 * q), np.cos(w)
    a0 = 1 + alpha / a
    return [
        (1 + alpha * a) / a0,
        -2 * c / a0,
        (1 - alpha * a) / a0,
        1.0,
        -2 * c / a0,
        (1 - alpha / a) / a0,
    ]


def _shelf(hz: float, gain_db: float, fs_hz: int) -> list[float]:
    """First-order shelf: `gain_db` above `hz`."""
    g, k = 10 ** (gain_db / 20), np.tan(np.pi * hz / fs_hz)
    return [(g + k) / (1 + k), (k - g) / (1 + k), 0.0, 1.0, (k - 1) / (k + 1), 0.0]


def _grounds(
    job: SiteJob, rng: np.random.Generator, names: list[str], fs_hz: int
) -> dict[str, _Ground | WildGround]:
    floor_nm_s = job.scenario.weather.level_nm_s
    return {
        name: WildGround(rng, fs_hz, floor_nm_s) if job.is_wild else _Ground(rng, fs_hz)
        for name in names
    }


def listen(job: SiteJob, micropython: Path, *, vary_spectrum: bool) -> Hops:
    """Play one site through the nodes' detectors."""
    world, audibility = World(job.scenario, job.seed), Audibility()
    names = [node.id for node in world.nodes]
    halvers = {name: Halver() for name in names}
    rng = np.random.default_rng([job.seed, 43])
    grounds = _grounds(job, rng, names, world.fs_hz) if vary_spectrum or job.is_wild else {}
    blocks = max(1, round(job.duration_s / _BLOCK_S))
    with FeatureRun(world.nodes, micropython, job.seed, _PACE) as run:
        for number, block in zip(range(blocks), world.blocks(_BLOCK_S, audibility), strict=False):
            for name, given in block.velocity_m_s.items():
                velocity = (
                    grounds[name].pass_on(given) if grounds else np.asarray(given, np.float64)
                )
                if number == 0:
                    run.lead(name, 1e9 * quiet_floor(velocity, float(world.fs_hz)))
                run.feed(
                    name,
                    halvers[name].push(velocity, last=number == blocks - 1),
                    block.pir_edges_s[name],
                )
        features_of = run.features()
    passes = world.passes(0.0, job.duration_s)
    parts = []
    for index, name in enumerate(names):
        t_s, values = features_of[name]
        t_s = t_s - _PACE.lead_s
        kept = (t_s > _PACE.lead_s) & (t_s < job.duration_s)
        t_s, values = t_s[kept], values[kept]
        node = world.nodes[index]
        place = (node.x_m, node.y_m)
        labels = label(audibility.nodes[name], passes, place, t_s, job.duration_s)
        parts.append((values, labels, t_s, np.full(t_s.size, index, np.uint8)))
    features, labels, times, nodes = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Hops(features, labels, times, nodes)


def label(
    audible: NodeAudibility,
    passes: list[Pass],
    place: tuple[float, float],
    t_s: NDArray[np.float64],
    end_s: float,
) -> NDArray[np.uint8]:
    """The label of each hop that ended at t_s."""
    labels = np.zeros(t_s.size, np.uint8)
    most = np.zeros(t_s.size, np.int64)
    for one in passes:
        name = one.spec.class_name
        _, distance_m = closest(one.track, *place, end_s)
        about = _about(one, place, t_s)
        if distance_m < _FAR_M.get(name, _FAR_FOOT_M):
            labels[about & (labels == 0)] = LEFT_OUT
        short, long = _loud(audible, one.id, t_s)
        count = long // 2 if name == "digging" else short
        is_clear = (long >= 3 if name == "digging" else short >= 2) & (count > most)
        is_clear &= _away_m(one, place, t_s - _BACK_S) < LABEL_M.get(name, math.inf)
        labels[(long > 0) & (labels == 0)] = LEFT_OUT
        labels[is_clear] = CLASSES.index(name)
        most[is_clear] = count[is_clear]
    return labels


def _about(one: Pass, place: tuple[float, float], t_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """When the actor is near enough that the node may detect it, and ten seconds after."""
    far_m = _FAR_M.get(one.spec.class_name, _FAR_FOOT_M)
    near = np.zeros(t_s.size, bool)
    for back_s in (0.0, 5.0, 10.0):
        then = t_s - back_s
        under_way = (then >= one.track.start_s) & (then <= one.end_s)
        near |= under_way & (_away_m(one, place, then) < far_m)
    return near


def _away_m(one: Pass, place: tuple[float, float], t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    xy = one.track.at(t_s)
    return np.asarray(np.hypot(xy[:, 0] - place[0], xy[:, 1] - place[1]))


def _loud(
    audible: NodeAudibility, name: str, t_s: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Loud half-second cells in the last 4 s and 8 s before each time."""
    start_s, cells = audible.cells(name)
    total = np.concatenate([[0], np.cumsum(np.asarray(cells, np.int64))])
    end = np.clip(((t_s - start_s) * CELLS_PER_S).astype(np.int64), 0, len(cells))
    return (
        total[end] - total[np.clip(end - _SHORT, 0, len(cells))],
        total[end] - total[np.clip(end - _LONG, 0, len(cells))],
    )
