# SPDX-License-Identifier: MIT
"""Ground layer: from a force at a place to vertical ground velocity at each node.

A point load gives a Rayleigh wave (Lamb 1904) that falls with 1/sqrt(r) and with Q, a second mode,
and a static near field (Boussinesq) that falls with 1/r and dominates within a fraction
of a wavelength. Resonances of the site, the planting of each node and a scattered coda follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor, log, pi

import numpy as np
from numpy.typing import NDArray

from sim_hardware.second import soil as soils
from sim_hardware.second.parameters import draw, value
from sim_hardware.second.soil import Soil
from sim_hardware.second.strike import FORCE_FS_HZ, Strike
from sim_hardware.second.track import Point

Array = NDArray[np.float64]
CArray = NDArray[np.complex128]
GROUND_FS_HZ = 500
# Of one strike at the ground's rate: 4.1 s for force, spread of the wave and coda.
_LENGTH = 2048
_BINS = _LENGTH // 2 + 1
_F_HZ: Array = np.arange(_BINS, dtype=np.float64) * (GROUND_FS_HZ / _LENGTH)
_LOWEST_HZ = 0.7
# Below, the gain of the coil is near 0, and a short transform would wrap slow components.
_RISE_HZ = 3.0
_EDGE_HZ = (190.0, 240.0)
_FADE = np.sin(np.pi / 2 * np.minimum(1.0, np.arange(_LENGTH)[::-1] / 250)) ** 2


@dataclass(frozen=True, eq=False)
class Ground:
    """A site's ground: its soil, what resonates, and the coda. Drawn whole from a seed."""

    seed: int
    soil: Soil
    resonances: tuple[tuple[float, float, float], ...]
    coda_s: float
    scattering_m: float
    _tables: dict[str, Array] = field(default_factory=dict, init=False, repr=False)
    _codas: dict[tuple[int, int, int], CArray] = field(default_factory=dict, init=False, repr=False)

    def propagate(
        self, strikes: Sequence[Strike], nodes: Sequence[Point], samples: int
    ) -> NDArray[np.float64]:
        """Vertical ground velocity (nodes, samples) in m/s at GROUND_FS_HZ, from time 0 on."""
        out = np.zeros((len(nodes), samples))
        gains = self.node_responses(len(nodes))
        for strike in strikes:
            self._add(strike, nodes, gains, out)
        return out

    def transfer(self, distance_m: float) -> CArray:
        """Direct wave (bins,) in m/s per newton at frequencies(), without site and coda."""
        r_m = max(distance_m, value("site.least_distance_m"))
        omega = 2 * pi * _F_HZ
        phase, quality = self._table("phase"), self._table("quality")
        group, shear_modulus = self._table("group"), self._table("modulus")
        k = omega / phase
        near = np.exp(-k * r_m)
        loss = np.exp(-omega * r_m / (2 * quality * group))
        amplitude = value("soil.lamb") * k / (2 * shear_modulus)
        amplitude = amplitude * np.sqrt(2 / (pi * np.maximum(k * r_m, 1e-3))) * (1 - near)
        direct = amplitude * loss * np.exp(-1j * (k * r_m - pi / 4))
        faster = self.soil.second_speed
        second = amplitude * loss ** (1 / faster) * np.exp(-1j * (k * r_m / faster - pi / 4))
        static = (1 - value("soil.poisson")) / (2 * pi * shear_modulus * r_m)
        moved = direct + self.soil.second_share * second + static * near * np.exp(-1j * k * r_m)
        return np.asarray(1j * omega * _taper() * moved, np.complex128)

    def site_response(self) -> CArray:
        """Gain (bins,) of the resonances of the site."""
        return _resonant(self.resonances)

    def planting(self, nodes: int) -> Array:
        """How well each node (nodes,) follows the ground around it, about 1."""
        rng = np.random.default_rng([self.seed, 31])
        deviation_db = value("site.coupling_db") * rng.normal(size=nodes)
        return np.asarray(10 ** (deviation_db / 20), np.float64)

    def node_responses(self, nodes: int) -> CArray:
        """Gain (nodes, bins) of planting and of one resonance under each node."""
        out = np.empty((nodes, _BINS), np.complex128)
        for node, gain in enumerate(self.planting(nodes)):
            rng = np.random.default_rng([self.seed, 33, node])
            out[node] = gain * _resonant((_resonance(rng),)) * self.site_response()
        return out

    def _add(self, strike: Strike, nodes: Sequence[Point], gains: CArray, out: Array) -> None:
        spectrum = np.fft.rfft(strike.force_n, 2 * _LENGTH)[:_BINS] / FORCE_FS_HZ
        start = strike.t_s * GROUND_FS_HZ
        for node, (x_m, y_m) in enumerate(nodes):
            r_m = float(np.hypot(strike.x_m - x_m, strike.y_m - y_m))
            # The time before the fastest wave is taken out of the short transform.
            at = start + 0.9 * r_m * GROUND_FS_HZ / self._fastest_m_s()
            whole = floor(at)
            back_s = (whole - start) / GROUND_FS_HZ
            wave = self.transfer(r_m) * spectrum * gains[node]
            wave = wave * self._coda(node, strike, r_m) * np.exp(2j * pi * _F_HZ * back_s)
            moved = np.fft.irfft(wave, _LENGTH) * GROUND_FS_HZ * _FADE
            low, high = max(0, whole), min(out.shape[1], whole + _LENGTH)
            if low < high:
                out[node, low:high] += moved[low - whole : high - whole]

    def _coda(self, node: int, strike: Strike, r_m: float) -> CArray:
        # 1 + scattered waves. Sources in one cell of ground share their paths to a node.
        side_m = value("site.coda_cell_m")
        cell = (node, floor(strike.x_m / side_m), floor(strike.y_m / side_m))
        if cell not in self._codas:
            rng = np.random.default_rng([self.seed, 32, node, *(c + 2**20 for c in cell[1:])])
            t_s = np.arange(_LENGTH) / GROUND_FS_HZ
            shape = rng.normal(size=_LENGTH) * np.exp(-t_s / self.coda_s)
            self._codas[cell] = np.fft.rfft(shape / np.sqrt(np.sum(shape**2)))
        most = value("site.coda_share_max")
        share = min(most, float(np.expm1(r_m * log(2) / self.scattering_m)))
        return np.asarray(1 + share**0.5 * self._codas[cell], np.complex128)

    def _fastest_m_s(self) -> float:
        return float(self._table("phase").max()) * self.soil.second_speed

    def _table(self, name: str) -> Array:
        if not self._tables:
            f_hz = np.maximum(_F_HZ, _LOWEST_HZ)
            phase = self.soil.phase_m_s(f_hz)
            shear = phase / value("soil.rayleigh_share")
            self._tables["phase"] = phase
            self._tables["group"] = self.soil.group_m_s(f_hz)
            self._tables["quality"] = self.soil.quality(f_hz)
            self._tables["modulus"] = self.soil.density_kg_m3 * shear**2
        return self._tables[name]


def frequencies() -> Array:
    """The frequencies (bins,) in Hz of transfer() and site_response()."""
    return _F_HZ.copy()


def drawn(seed: int) -> Ground:
    """The ground of a site, from its seed alone."""
    rng = np.random.default_rng([seed, 30])
    soil = soils.drawn(rng)
    count = int(value("site.resonances"))
    return Ground(
        seed,
        soil,
        tuple(_resonance(rng) for _ in range(count)),
        draw(rng, "site.coda_s"),
        draw(rng, "site.scattering_m"),
    )


def _resonance(rng: np.random.Generator) -> tuple[float, float, float]:
    hz, q = draw(rng, "site.resonance_hz"), draw(rng, "site.resonance_q")
    return hz, q, draw(rng, "site.resonance_gain")


def _resonant(resonances: Sequence[tuple[float, float, float]]) -> CArray:
    out = np.ones(_BINS, np.complex128)
    for hz, q, gain in resonances:
        band = 1j * _F_HZ * hz / q
        out *= 1 + gain * band / (hz**2 - _F_HZ**2 + band)
    return out


def _taper() -> Array:
    low, high = _EDGE_HZ
    fall = np.clip((_F_HZ - low) / (high - low), 0.0, 1.0)
    rise = np.clip(_F_HZ / _RISE_HZ, 0.0, 1.0)
    return np.asarray(np.cos(pi / 2 * fall) ** 2 * np.sin(pi / 2 * rise) ** 2, np.float64)
