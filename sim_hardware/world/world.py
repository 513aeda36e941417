# SPDX-License-Identifier: MIT
"""Ground layer: ground velocity and PIR edges at every node, from a scenario and a seed.

The data are made second by second, with a separate generator for each node, actor and pass. A seed
gives the same samples for any block length and any other actors.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from sim_hardware.errors import SimError
from sim_hardware.fault_tables import to_tables
from sim_hardware.sandbox import Faults
from sim_hardware.signals import Signal
from sim_hardware.site import Site
from sim_hardware.take import Take
from sim_hardware.world.actors import Pass, crossings, make_pass
from sim_hardware.world.ambient import Gusts
from sim_hardware.world.audibility import Audibility
from sim_hardware.world.geophone import FS_HZ, Geophone
from sim_hardware.world.ground import AHEAD, NodeGround
from sim_hardware.world.nuisance import Place
from sim_hardware.world.pir import STEP_S, Bodies
from sim_hardware.world.recorded import load_background
from sim_hardware.world.scenario import ActorSpec, Scenario
from sim_hardware.world.sources import nuisance_conditions

_TICKS = int(round(1 / STEP_S))
_PASSES_KEPT = 200
FArray = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """A block of data from `start_s`: per node id float32 m/s, and PIR edge times in seconds."""

    start_s: float
    velocity_m_s: dict[str, NDArray[np.float32]]
    pir_edges_s: dict[str, list[float]]


class World:
    """Simulated ground. `take` and `blocks` start over at time 0 each time they are called."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario = scenario
        self.seed = seed
        self.fs_hz = FS_HZ
        self.nodes = scenario.nodes
        self.sectors = scenario.sectors
        self._passes: dict[tuple[str, int], Pass] = {}
        self._background: NDArray[np.float32] | None = None
        if scenario.recording is not None:
            self._background = load_background(scenario.recording, scenario.weather.level_nm_s)

    @property
    def faults(self) -> dict[str, Faults]:
        """The faults by node, for a run of the nodes."""
        return {one.node: one.faults for one in self.scenario.node_faults}

    def _pass(self, spec: ActorSpec, number: int) -> Pass:
        key = (spec.id, number)
        one = self._passes.get(key)
        if one is None:
            if len(self._passes) >= _PASSES_KEPT:
                self._passes.pop(next(iter(self._passes)))
            rng = np.random.default_rng([self.seed, crc32(spec.id.encode()), 7, number])
            one = self._passes[key] = make_pass(spec, number, rng)
        return one

    def passes(self, start_s: float, end_s: float) -> list[Pass]:
        """All passes that are under way at some time in start_s..end_s."""
        found = []
        for spec in self.scenario.actors:
            first = 0
            if spec.every_s:
                longest_s = self._pass(spec, 0).track.end_s + 600
                first = max(0, int((start_s - spec.start_s - longest_s) // spec.every_s))
            number = first
            while spec.start_s + number * spec.every_s < end_s:
                one = self._pass(spec, number)
                if one.end_s > start_s:
                    found.append(one)
                number += 1
                if not spec.every_s:
                    break
        return found

    def truth(self, duration_s: float, audibility: Audibility | None = None) -> dict[str, object]:
        """Truth: actors with paths, crossings of the line of nodes, weather. With the `audibility`
        that a run has filled also `passes`: which pass was audible at which node."""
        line = np.array([[n.x_m, n.y_m] for n in self.nodes])
        actors, over = [], []
        for one in self.passes(0.0, duration_s):
            path = [
                [round(float(t), 3), round(float(x), 3), round(float(y), 3)]
                for t, (x, y) in zip(one.track.t_s, one.track.xy_m, strict=True)
            ]
            name = one.spec.class_name
            actors.append(
                {
                    "id": one.id,
                    "class": name,
                    "count": one.spec.count,
                    "detail": one.spec.kind,
                    "path": path,
                }
            )
            for t_s, x_m, y_m, heading in crossings(one.track, line):
                if t_s < duration_s:
                    over.append(
                        {
                            "actor": one.id,
                            "class": name,
                            "t_s": round(t_s, 3),
                            "x_m": round(x_m, 2),
                            "y_m": round(y_m, 2),
                            "direction_deg": round(heading, 1),
                        }
                    )
        over.sort(key=lambda crossing: str(crossing["actor"]))
        over.sort(key=lambda crossing: float(str(crossing["t_s"])))
        truth: dict[str, object] = {
            "version": 1,
            "duration_s": duration_s,
            "actors": actors,
            "conditions": self._conditions(duration_s),
            "crossings": over,
        }
        if self.scenario.node_faults:
            truth["faults"] = to_tables(self.scenario.node_faults)
        if audibility is not None:
            passes = self.passes(0.0, duration_s)
            truth["passes"] = audibility.passes(passes, self.nodes, duration_s)
        return truth

    def _conditions(self, duration_s: float) -> list[dict[str, object]]:
        weather = self.scenario.weather
        middle = np.mean([[n.x_m, n.y_m] for n in self.nodes], axis=0)
        gusts = Gusts(np.random.default_rng(0), weather.wind_m_s)
        place = Place(float(middle[0]), float(middle[1]), Geophone(), self.seed, (), weather, gusts)
        return [
            *weather.conditions(duration_s),
            *nuisance_conditions(self.scenario.nuisances, place, duration_s),
        ]

    def _seconds(self, audibility: Audibility | None = None) -> Iterator[Block]:
        gusts = Gusts(np.random.default_rng([self.seed, 8]), self.scenario.weather.wind_m_s)
        grounds = [
            NodeGround(self.scenario, spec, self.seed, gusts, self._background)
            for spec in self.nodes
        ]
        if audibility is not None:
            for ground in grounds:
                ground.audibility = audibility.node(ground.spec.id, AHEAD)
        second = 0
        present: dict[str, Pass] = {}
        while True:
            start_s = float(second)
            now = {one.id: one for one in self.passes(start_s, start_s + 1)}
            for name in present.keys() - now.keys():
                for ground in grounds:
                    ground.forget(name)
            present = now
            bodies: Bodies = {}
            for one in present.values():
                _move(one, start_s, grounds, bodies)
            wind_m_s = self.scenario.weather.at(start_s).wind_m_s
            edges = {
                g.spec.id: g.pir.second(start_s, bodies, wind_m_s) if g.pir else [] for g in grounds
            }
            yield Block(start_s, {g.spec.id: g.second() for g in grounds}, edges)
            second += 1

    def blocks(
        self,
        block_s: float,
        audibility: Audibility | None = None,
        done: Callable[[float], None] | None = None,
    ) -> Iterator[Block]:
        """Endless stream of blocks of `block_s` seconds (a whole number of samples).

        The run fills a new `audibility` for `truth`; the samples are the same without it.
        """
        count = round(block_s * FS_HZ)
        if count < 1 or abs(count - block_s * FS_HZ) > 1e-6:
            raise SimError(f"block_s: {block_s} s is no whole number of samples at {FS_HZ} Hz")
        parts: dict[str, list[NDArray[np.float32]]] = {n.id: [] for n in self.nodes}
        held = 0
        edges: dict[str, list[float]] = {n.id: [] for n in self.nodes}
        seconds = self._seconds(audibility)
        at = 0
        while True:
            while held < count:
                more = next(seconds)
                held += FS_HZ
                if done is not None:
                    done(more.start_s + 1)
                for name, own in parts.items():
                    own.append(more.velocity_m_s[name])
                    edges[name] += more.pir_edges_s[name]
            left = {name: np.concatenate(own) for name, own in parts.items()}
            end_s = (at + count) / FS_HZ
            yield Block(
                at / FS_HZ,
                {name: data[:count].copy() for name, data in left.items()},
                {name: [t for t in times if t < end_s] for name, times in edges.items()},
            )
            parts = {name: [data[count:]] for name, data in left.items()}
            held -= count
            edges = {name: [t for t in times if t >= end_s] for name, times in edges.items()}
            at += count

    def record(self, duration_s: float, audibility: Audibility | None = None) -> Block:
        """The first `duration_s` seconds as one block."""
        return next(self.blocks(duration_s, audibility))

    def take(self, duration_s: float, done: Callable[[float], None] | None = None) -> Take:
        """The first `duration_s` seconds with their truth.

        `done` is called after each second with the time that is complete.
        """
        audibility = Audibility()
        block = next(self.blocks(duration_s, audibility, done))
        signals = {
            node.id: Signal(
                float(FS_HZ),
                velocity_m_s=block.velocity_m_s[node.id],
                pir_edges_s=np.array(block.pir_edges_s[node.id], np.float64),
            )
            for node in self.nodes
        }
        site = Site(self.scenario.name, self.nodes, self.sectors, self.scenario.origin)
        return Take(site, signals, self.truth(duration_s, audibility))


def _move(one: Pass, start_s: float, grounds: list[NodeGround], bodies: Bodies) -> None:
    """Add one pass to every node for the second from `start_s`."""
    ticks = start_s + STEP_S * np.arange(_TICKS, dtype=np.float64)
    for index, track in enumerate(one.bodies):
        if track.start_s < start_s + 1 and track.end_s > start_s:
            bodies[f"{one.id}/{index}"] = track.at(ticks), one.seen
    for index, track in enumerate(one.vehicles):
        if track.start_s < start_s + 1 and track.end_s > start_s:
            xy = track.at(start_s + np.arange(FS_HZ, dtype=np.float64) / FS_HZ)
            for ground in grounds:
                ground.hum(f"{one.id}/{index or ''}", one.spec, xy)
    for index, (steps, track) in enumerate(one.members):
        t_s = track.start_s + steps.t_s
        chosen = np.nonzero((t_s >= start_s) & (t_s < start_s + 1))[0]
        for i, xy in zip(chosen, track.at(t_s[chosen]), strict=True):
            at = (t_s[i] - start_s) * FS_HZ
            for ground in grounds:
                ground.strike(f"{one.id}/{index}", steps.strike, at, float(steps.force[i]), xy)
