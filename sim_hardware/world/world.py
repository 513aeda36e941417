# SPDX-License-Identifier: MIT
"""Ground room: a scenario and a seed become ground velocity and PIR edges at every node.

Everything is made second by second with generators of their own for each node, actor and pass, so
one seed gives the same samples however the stream is cut and whoever else is in it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from sim_hardware.errors import SimError
from sim_hardware.nodebox import Faults
from sim_hardware.signals import Signal
from sim_hardware.site import NodeSpec, Site
from sim_hardware.take import Take
from sim_hardware.troubles import to_tables
from sim_hardware.world.actors import Pass, crossings, make_pass
from sim_hardware.world.ambient import Ambient, Gusts
from sim_hardware.world.geophone import FS_HZ, Geophone
from sim_hardware.world.hearing import Hearing, NodeHearing
from sim_hardware.world.kinds import KINDS
from sim_hardware.world.nuisance import Place
from sim_hardware.world.pir import STEP_S, Bodies, Pir
from sim_hardware.world.recorded import Background, load_background
from sim_hardware.world.scenario import ActorSpec, Scenario
from sim_hardware.world.soil import (
    FARTHEST_M,
    LEAD_S,
    LENGTH,
    SOILS,
    PulseBank,
    Strike,
    coda_kernel,
)
from sim_hardware.world.sources import make_sources, nuisance_conditions
from sim_hardware.world.vehicle import Hum, Rig
from sim_hardware.world.warmth import PirNuisances

_AHEAD = FS_HZ + LENGTH + int(FS_HZ * FARTHEST_M / 90)  # this second, a pulse, the longest way
_TICKS = int(round(1 / STEP_S))
_PASSES_KEPT = 200
_VEHICLE_NM_S = 8000.0  # of a vehicle without a kind, at 10 m
FArray = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """A stretch of data from `start_s`: per node id float32 m/s, and PIR edge times in seconds."""

    start_s: float
    velocity_m_s: dict[str, NDArray[np.float32]]
    pir_edges_s: dict[str, list[float]]


class _NodeGround:
    """One node's part of the world."""

    def __init__(
        self,
        scenario: Scenario,
        spec: NodeSpec,
        seed: int,
        gusts: Gusts,
        background: NDArray[np.float32] | None,
    ) -> None:
        self.spec = spec
        self._scenario = scenario
        self._seed = [seed, crc32(spec.id.encode())]
        rng = np.random.default_rng([*self._seed, 1])
        self._geophone = Geophone.specimen(rng)
        self._coupling_db = rng.normal(0, scenario.coupling_db)
        rng = np.random.default_rng([*self._seed, 2])
        self._ambient: Ambient | Background = (
            Ambient(rng, scenario.weather, self._geophone, gusts)
            if background is None
            else Background(background, rng)
        )
        place = Place(
            spec.x_m, spec.y_m, self._geophone, seed, tuple(self._seed), scenario.weather, gusts
        )
        self._sources = make_sources(scenario.nuisances, place)
        deaf = [t.deaf_from_s for t in scenario.troubles if t.node == spec.id]
        self._deaf_from_s = math.inf if not deaf or deaf[0] is None else deaf[0]
        self._number = 0
        self._knock_rng = np.random.default_rng([*self._seed, 3])
        self._ahead = np.zeros(_AHEAD)
        self._banks: dict[str, PulseBank] = {}
        self._hums: dict[str, Hum | Rig] = {}
        self.hearing: NodeHearing | None = None
        self.pir: Pir | None = None
        if spec.pir_range_m > 0:
            rng = np.random.default_rng([*self._seed, 4])
            self.pir = Pir(
                spec.x_m,
                spec.y_m,
                spec.pir_azimuth_deg,
                spec.pir_range_m,
                rng,
                scenario.pir_false_per_h,
                seed=self._seed,
                weather=scenario.pir_weather,
                nuisances=PirNuisances(
                    np.random.default_rng([*self._seed, 12]), scenario.pir_weather
                ),
            )

    def _gain(self, rng: np.random.Generator) -> float:
        loss_db = rng.uniform(*self._scenario.excess_loss_db)
        return float(10 ** ((self._coupling_db - loss_db) / 20))

    def strike(self, key: str, strike: Strike, at: float, force: float, xy: FArray) -> None:
        """Add one foot strike `at` samples into this second."""
        distance_m = math.hypot(xy[0] - self.spec.x_m, xy[1] - self.spec.y_m)
        if distance_m > FARTHEST_M:
            return
        soil = SOILS[self._scenario.soil]
        bank = self._banks.get(key)
        if bank is None:
            rng = np.random.default_rng([*self._seed, 5, crc32(key.encode())])
            scaled = self._gain(rng) * coda_kernel(rng)
            bank = self._banks[key] = PulseBank(soil, strike, self._geophone, scaled)
        start = int(round(at + FS_HZ * (distance_m / soil.rayleigh_m_s - LEAD_S)))
        pulse = bank.pulse(distance_m) * force
        skip = max(0, -start)  # the Gaussian's foot before a strike in the first 60 ms of a second
        self._ahead[start + skip : start + LENGTH] += pulse[skip:]
        if self.hearing is not None:
            self.hearing.add(key.split("/")[0], start + skip, pulse[skip:])

    def hum(self, key: str, spec: ActorSpec, xy: FArray) -> None:
        """Add one second of a vehicle at positions `xy`, one per sample."""
        hum = self._hums.get(key)
        if hum is None:
            rng = np.random.default_rng([*self._seed, 6, crc32(key.encode())])
            gain = self._gain(rng)
            hum = (
                Rig(rng, KINDS[spec.kind], spec.level_nm_s, spec.speed_m_s, gain)
                if spec.kind
                else Hum(rng, spec.level_nm_s or _VEHICLE_NM_S, gain)
            )
            self._hums[key] = hum
        distance_m = np.hypot(xy[:, 0] - self.spec.x_m, xy[:, 1] - self.spec.y_m)
        sound = hum.second(distance_m)
        self._ahead[:FS_HZ] += sound
        if self.hearing is not None:
            self.hearing.add(key.split("/")[0], 0, sound)

    def forget(self, name: str) -> None:
        """Drop what was kept for a pass that is over."""
        for store in (self._banks, self._hums):
            for key in [key for key in store if key.split("/")[0] == name]:
                del store[key]
        if self.hearing is not None:
            self.hearing.forget(name)
        if self.pir is not None:
            self.pir.forget(name)

    def _knock(self) -> None:
        rng = self._knock_rng
        for _ in range(int(rng.poisson(self._scenario.knocks_per_h / 3600))):
            strike = Strike(float(rng.lognormal(math.log(80), 0.8)), rng.uniform(0.008, 0.03))
            bank = PulseBank(SOILS[self._scenario.soil], strike, self._geophone, coda_kernel(rng))
            for _ in range(int(rng.integers(1, 4))):
                at = int(rng.integers(0, FS_HZ))
                self._ahead[at : at + LENGTH] += bank.pulse(rng.uniform(4, 40))

    def second(self) -> NDArray[np.float32]:
        """Finish this second: FS_HZ samples in m/s."""
        self._knock()
        noise = self._ambient.second()
        for source in self._sources:
            heard = source.second(self._number)
            if heard is not None:
                noise = noise + heard
        if self.hearing is not None:
            self.hearing.second(noise)
        out = (noise + self._ahead[:FS_HZ]) * 1e-9
        if self._number + 1 > self._deaf_from_s:
            out[max(0, math.ceil((self._deaf_from_s - self._number) * FS_HZ)) :] = 0
        self._number += 1
        self._ahead[:-FS_HZ] = self._ahead[FS_HZ:]
        self._ahead[-FS_HZ:] = 0
        return out.astype(np.float32)


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
        """What goes wrong beside the ground, by node, for a run of its nodes."""
        return {trouble.node: trouble.faults for trouble in self.scenario.troubles}

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

    def truth(self, duration_s: float, hearing: Hearing | None = None) -> dict[str, object]:
        """What happened: actors with paths, crossings of the line of nodes, weather; with the
        `hearing` that a run has filled also `passes`: who was audible where."""
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
        if self.scenario.troubles:
            truth["faults"] = to_tables(self.scenario.troubles)
        if hearing is not None:
            passes = self.passes(0.0, duration_s)
            truth["passes"] = hearing.passes(passes, self.nodes, duration_s)
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

    def _seconds(self, hearing: Hearing | None = None) -> Iterator[Block]:
        gusts = Gusts(np.random.default_rng([self.seed, 8]), self.scenario.weather.wind_m_s)
        grounds = [
            _NodeGround(self.scenario, spec, self.seed, gusts, self._background)
            for spec in self.nodes
        ]
        if hearing is not None:
            for ground in grounds:
                ground.hearing = hearing.node(ground.spec.id, _AHEAD)
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

    def blocks(self, block_s: float, hearing: Hearing | None = None) -> Iterator[Block]:
        """Endless stream of blocks of `block_s` seconds (a whole number of samples).

        A fresh `hearing` is filled on the way, for `truth`; the samples are the same without it.
        """
        count = round(block_s * FS_HZ)
        if count < 1 or abs(count - block_s * FS_HZ) > 1e-6:
            raise SimError(f"block_s: {block_s} s is no whole number of samples at {FS_HZ} Hz")
        left: dict[str, NDArray[np.float32]] = {n.id: np.zeros(0, np.float32) for n in self.nodes}
        edges: dict[str, list[float]] = {n.id: [] for n in self.nodes}
        seconds = self._seconds(hearing)
        at = 0
        while True:
            while next(iter(left.values())).size < count:
                more = next(seconds)
                for name in left:
                    left[name] = np.concatenate([left[name], more.velocity_m_s[name]])
                    edges[name] = edges[name] + more.pir_edges_s[name]
            end_s = (at + count) / FS_HZ
            yield Block(
                at / FS_HZ,
                {name: data[:count].copy() for name, data in left.items()},
                {name: [t for t in times if t < end_s] for name, times in edges.items()},
            )
            left = {name: data[count:] for name, data in left.items()}
            edges = {name: [t for t in times if t >= end_s] for name, times in edges.items()}
            at += count

    def record(self, duration_s: float, hearing: Hearing | None = None) -> Block:
        """The first `duration_s` seconds as one block."""
        return next(self.blocks(duration_s, hearing))

    def take(self, duration_s: float) -> Take:
        """The first `duration_s` seconds with their truth, ready for nodes or for a folder."""
        hearing = Hearing()
        block = self.record(duration_s, hearing)
        signals = {
            node.id: Signal(
                float(FS_HZ),
                velocity_m_s=block.velocity_m_s[node.id],
                pir_edges_s=np.array(block.pir_edges_s[node.id], np.float64),
            )
            for node in self.nodes
        }
        site = Site(self.scenario.name, self.nodes, self.sectors)
        return Take(site, signals, self.truth(duration_s, hearing))


def _move(one: Pass, start_s: float, grounds: list[_NodeGround], bodies: Bodies) -> None:
    """Let one pass act on every node for the second from `start_s`."""
    ticks = start_s + STEP_S * np.arange(_TICKS, dtype=np.float64)
    for index, track in enumerate(one.bodies):
        if track.start_s < start_s + 1 and track.end_s > start_s:
            bodies[f"{one.id}/{index}"] = track.at(ticks), one.seen
    for index, track in enumerate(one.rigs):
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
