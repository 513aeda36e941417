# SPDX-License-Identifier: MIT
"""Ground layer: the ground velocity at one node: the sum of all sources."""

import math
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from sim_hardware.site import NodeSpec
from sim_hardware.world.ambient import Ambient, Gusts
from sim_hardware.world.audibility import NodeAudibility
from sim_hardware.world.geophone import FS_HZ, Geophone
from sim_hardware.world.kinds import KINDS
from sim_hardware.world.nuisance import Place
from sim_hardware.world.pir import Pir
from sim_hardware.world.quarter_car import QuarterCar
from sim_hardware.world.recorded import Background
from sim_hardware.world.scenario import ActorSpec, Scenario
from sim_hardware.world.soil import (
    FARTHEST_M,
    LEAD_S,
    LENGTH,
    PulseBank,
    Strike,
    coda_kernel,
)
from sim_hardware.world.sources import make_sources
from sim_hardware.world.vehicle import AxleVehicle, Hum
from sim_hardware.world.warmth import PirNuisances

AHEAD = (
    FS_HZ + LENGTH + int(FS_HZ * FARTHEST_M / 80)
)  # this second, a pulse, the longest travel time
_VEHICLE_NM_S = 8000.0  # of a vehicle without a kind, at 10 m
FArray = NDArray[np.float64]


class NodeGround:
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
        cut_s = [t.cable_cut_s for t in scenario.node_faults if t.node == spec.id]
        self._cable_cut_s = math.inf if not cut_s or cut_s[0] is None else cut_s[0]
        self._number = 0
        self._knock_rng = np.random.default_rng([*self._seed, 3])
        self._ahead = np.zeros(AHEAD)
        self._banks: dict[str, PulseBank] = {}
        self._hums: dict[str, Hum | AxleVehicle | QuarterCar] = {}
        self.audibility: NodeAudibility | None = None
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
        soil = self._scenario.earth
        bank = self._banks.get(key)
        if bank is None:
            rng = np.random.default_rng([*self._seed, 5, crc32(key.encode())])
            scaled = self._gain(rng) * coda_kernel(rng)
            bank = self._banks[key] = PulseBank(soil, strike, self._geophone, scaled)
        start = int(round(at + FS_HZ * (distance_m / soil.rayleigh_m_s - LEAD_S)))
        pulse = bank.pulse(distance_m) * force
        skip = max(0, -start)  # the Gaussian's foot before a strike in the first 60 ms of a second
        self._ahead[start + skip : start + LENGTH] += pulse[skip:]
        if self.audibility is not None:
            self.audibility.add(key.split("/")[0], start + skip, pulse[skip:])

    def hum(self, key: str, spec: ActorSpec, xy: FArray) -> None:
        """Add one second of a vehicle at positions `xy`, one per sample."""
        hum = self._hums.get(key)
        if hum is None:
            rng = np.random.default_rng([*self._seed, 6, crc32(key.encode())])
            hum = self._hums[key] = self._vehicle(rng, spec)
        distance_m = np.hypot(xy[:, 0] - self.spec.x_m, xy[:, 1] - self.spec.y_m)
        samples = hum.second(distance_m)
        self._ahead[:FS_HZ] += samples
        if self.audibility is not None:
            self.audibility.add(key.split("/")[0], 0, samples)

    def _vehicle(self, rng: np.random.Generator, spec: ActorSpec) -> Hum | AxleVehicle | QuarterCar:
        gain = self._gain(rng)
        if not spec.kind:
            return Hum(rng, spec.level_nm_s or _VEHICLE_NM_S, gain)
        kind = KINDS[spec.kind]
        if kind.axles_m:
            return AxleVehicle(rng, kind, spec.level_nm_s, spec.speed_m_s, gain)
        level_nm_s = spec.level_nm_s or kind.level_nm_s
        earth, speed_m_s = self._scenario.earth, spec.speed_m_s
        return QuarterCar(rng, earth, self._geophone, level_nm_s, speed_m_s, gain)

    def forget(self, name: str) -> None:
        """Delete the state of a pass that is over."""
        for store in (self._banks, self._hums):
            for key in [key for key in store if key.split("/")[0] == name]:
                del store[key]
        if self.audibility is not None:
            self.audibility.forget(name)
        if self.pir is not None:
            self.pir.forget(name)

    def _knock(self) -> None:
        rng = self._knock_rng
        for _ in range(int(rng.poisson(self._scenario.knocks_per_h / 3600))):
            strike = Strike(float(rng.lognormal(math.log(80), 0.8)), rng.uniform(0.008, 0.03))
            bank = PulseBank(self._scenario.earth, strike, self._geophone, coda_kernel(rng))
            for _ in range(int(rng.integers(1, 4))):
                at = int(rng.integers(0, FS_HZ))
                self._ahead[at : at + LENGTH] += bank.pulse(rng.uniform(4, 40))

    def second(self) -> NDArray[np.float32]:
        """Finish this second: FS_HZ samples in m/s."""
        self._knock()
        noise = self._ambient.second()
        for source in self._sources:
            added = source.second(self._number)
            if added is not None:
                noise = noise + added
        if self.audibility is not None:
            self.audibility.second(noise)
        out = (noise + self._ahead[:FS_HZ]) * 1e-9
        if self._number + 1 > self._cable_cut_s:
            out[max(0, math.ceil((self._cable_cut_s - self._number) * FS_HZ)) :] = 0
        self._number += 1
        self._ahead[:-FS_HZ] = self._ahead[FS_HZ:]
        self._ahead[-FS_HZ:] = 0
        return out.astype(np.float32)
