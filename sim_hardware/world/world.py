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
from sim_hardware.signals import Signal
from sim_hardware.site import NodeSpec, Site
from sim_hardware.take import Take
from sim_hardware.world.actors import Pass, crossings, make_pass
from sim_hardware.world.ambient import Ambient, Gusts
from sim_hardware.world.geophone import FS_HZ, Geophone
from sim_hardware.world.hearing import Hearing, NodeHearing
from sim_hardware.world.pir import STEP_S, Pir
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
from sim_hardware.world.vehicle import Hum

_AHEAD = FS_HZ + LENGTH + int(FS_HZ * FARTHEST_M / 90)  # this second, a pulse, the longest way
_TICKS = int(round(1 / STEP_S))
FArray = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """A stretch of data from `start_s`: per node id float32 m/s, and PIR edge times in seconds."""

    start_s: float
    velocity_m_s: dict[str, NDArray[np.float32]]
    pir_edges_s: dict[str, list[float]]


class _NodeGround:
    """One node's part of the world."""

    def __init__(self, scenario: Scenario, spec: NodeSpec, seed: int) -> None:
        self.spec = spec
        self._scenario = scenario
        self._seed = [seed, crc32(spec.id.encode())]
        rng = np.random.default_rng([*self._seed, 1])
        self._geophone = Geophone.specimen(rng)
        self._coupling_db = rng.normal(0, scenario.coupling_db)
        self._ambient = Ambient(
            np.random.default_rng([*self._seed, 2]), scenario.weather, self._geophone
        )
        self._knock_rng = np.random.default_rng([*self._seed, 3])
        self._ahead = np.zeros(_AHEAD)
        self._banks: dict[str, PulseBank] = {}
        self._hums: dict[str, Hum] = {}
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
            hum = self._hums[key] = Hum(rng, spec.level_nm_s, self._gain(rng))
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

    def _knock(self) -> None:
        rng = self._knock_rng
        for _ in range(int(rng.poisson(self._scenario.knocks_per_h / 3600))):
            strike = Strike(float(rng.lognormal(math.log(80), 0.8)), rng.uniform(0.008, 0.03))
            bank = PulseBank(SOILS[self._scenario.soil], strike, self._geophone, coda_kernel(rng))
            for _ in range(int(rng.integers(1, 4))):
                at = int(rng.integers(0, FS_HZ))
                self._ahead[at : at + LENGTH] += bank.pulse(rng.uniform(4, 40))

    def second(self, gust: FArray) -> NDArray[np.float32]:
        """Finish this second: FS_HZ samples in m/s."""
        self._knock()
        noise = self._ambient.second(gust)
        if self.hearing is not None:
            self.hearing.second(noise)
        out = (noise + self._ahead[:FS_HZ]) * 1e-9
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

    def _pass(self, spec: ActorSpec, number: int) -> Pass:
        rng = np.random.default_rng([self.seed, crc32(spec.id.encode()), 7, number])
        return make_pass(spec, number, rng)

    def passes(self, start_s: float, end_s: float) -> list[Pass]:
        """All passes that are under way at some time in start_s..end_s."""
        found = []
        for spec in self.scenario.actors:
            first = 0
            if spec.every_s:
                longest_s = make_pass(spec, 0, np.random.default_rng(0)).track.end_s + 600
                first = max(0, int((start_s - spec.start_s - longest_s) // spec.every_s))
            number = first
            while spec.start_s + number * spec.every_s < end_s:
                one = self._pass(spec, number)
                if max([one.track.end_s, *(t.end_s for _, t in one.members)]) > start_s:
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
                {"id": one.id, "class": name, "count": one.spec.count, "detail": "", "path": path}
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
        weather = self.scenario.weather
        conditions = [
            {"t0_s": 0.0, "t1_s": duration_s, "kind": kind, "level": level}
            for kind, level in (
                ("wind_m_s", weather.wind_m_s),
                ("rain_mm_h", weather.rain_mm_h),
                ("ambient_nm_s", weather.level_nm_s),
            )
        ]
        over.sort(key=lambda crossing: str(crossing["actor"]))
        over.sort(key=lambda crossing: float(str(crossing["t_s"])))
        truth: dict[str, object] = {
            "version": 1,
            "duration_s": duration_s,
            "actors": actors,
            "conditions": conditions,
            "crossings": over,
        }
        if hearing is not None:
            passes = self.passes(0.0, duration_s)
            truth["passes"] = hearing.passes(passes, self.nodes, duration_s)
        return truth

    def _seconds(self, hearing: Hearing | None = None) -> Iterator[Block]:
        grounds = [_NodeGround(self.scenario, spec, self.seed) for spec in self.nodes]
        if hearing is not None:
            for ground in grounds:
                ground.hearing = hearing.node(ground.spec.id, _AHEAD)
        gusts = Gusts(np.random.default_rng([self.seed, 8]), self.scenario.weather.wind_m_s)
        second = 0
        present: dict[str, Pass] = {}
        while True:
            start_s = float(second)
            now = {one.id: one for one in self.passes(start_s, start_s + 1)}
            for name in present.keys() - now.keys():
                for ground in grounds:
                    ground.forget(name)
            present = now
            bodies: dict[str, FArray] = {}
            for one in present.values():
                _move(one, start_s, grounds, bodies)
            gust = gusts.second()
            edges = {g.spec.id: g.pir.second(start_s, bodies) if g.pir else [] for g in grounds}
            yield Block(start_s, {g.spec.id: g.second(gust) for g in grounds}, edges)
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


def _move(one: Pass, start_s: float, grounds: list[_NodeGround], bodies: dict[str, FArray]) -> None:
    """Let one pass act on every node for the second from `start_s`."""
    ticks = start_s + STEP_S * np.arange(_TICKS, dtype=np.float64)
    if not one.members:
        xy = one.track.at(start_s + np.arange(FS_HZ, dtype=np.float64) / FS_HZ)
        for ground in grounds:
            ground.hum(f"{one.id}/", one.spec, xy)
        bodies[one.id] = one.track.at(ticks)
    for index, (steps, track) in enumerate(one.members):
        if track.start_s < start_s + 1 and track.end_s > start_s:
            bodies[f"{one.id}/{index}"] = track.at(ticks)
        t_s = track.start_s + steps.t_s
        chosen = np.nonzero((t_s >= start_s) & (t_s < start_s + 1))[0]
        for i, xy in zip(chosen, track.at(t_s[chosen]), strict=True):
            at = (t_s[i] - start_s) * FS_HZ
            for ground in grounds:
                ground.strike(f"{one.id}/{index}", steps.strike, at, float(steps.force[i]), xy)
