# SPDX-License-Identifier: MIT
"""The ground under the emulated board: a simulated walk as codes of its 12-bit converter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim_hardware.world import World, parse
from tests.picow.emulated import REST_CODE, EmulatedPico

# Emulated seconds from when the walk begins; a node that starts then samples from about 3 s on.
DURATION_S = 45
WALK = """
[site]
name = "bench"
[ground]
soil = "loam"
[ambient]
level_nm_s = 60
wind_m_s = 1
[[node]]
id = "n01"
x_m = 0
y_m = 0
sector = "bench"
board = "pico_w"
pir_azimuth_deg = 90
pir_range_m = 12
[[sector]]
id = "bench"
polygon = [[-30, -30], [30, -30], [30, 30], [-30, 30]]
[[actor]]
id = "walker"
class = "person"
path = [[4, -22], [4, 22]]
start_s = 8
speed_m_s = 1.4
"""
# SM-24 with its shunt: 22.46 V/(m/s), amplifier gain 641, converter 3.3 V over 4096 codes, biased
# at mid-rail; the sense current of 0.75 uA lifts it by 175 codes.
CODES_PER_M_S = 22.46 * 641 * 4096 / 3.3
NOISE_CODES = 1.0  # rms; RP2040 datasheet 4.9.3: 8.7 effective bits


class Walk:
    """One person passes the node 4 m away, once `begin` was called; the ground is still before and
    after. `code(t_us)` is what the converter reads at an emulated time."""

    def __init__(self, seed: int = 7) -> None:
        signal = World(parse(WALK), seed).take(DURATION_S).signals["n01"]
        assert signal.velocity_m_s is not None
        self.pir_edges_s: Sequence[float] = list(signal.pir_edges_s)
        self._fs_hz = signal.fs_hz
        self._codes = REST_CODE + signal.velocity_m_s * CODES_PER_M_S
        self._noise = np.random.default_rng(seed).normal(0, NOISE_CODES, 65_521)
        self._reads = 0
        self._begin_us = 1 << 62

    def begin(self, pico: EmulatedPico) -> None:
        """From now on, by the board's time; its PIR sees the walker too."""
        self._begin_us = pico.emulated_us
        for number, edge_s in enumerate(self.pir_edges_s):
            at_us = self._begin_us + int(edge_s * 1e6)
            pico.at(at_us, lambda level=number % 2 == 0: pico.pir(level))

    def code(self, t_us: int) -> int:
        """The 12-bit code, converter's noise included."""
        index = int((t_us - self._begin_us) * self._fs_hz / 1e6)
        rest = self._codes[index] if 0 <= index < len(self._codes) else REST_CODE
        self._reads += 1
        noisy = rest + self._noise[self._reads % len(self._noise)]
        return int(min(4095, max(0, round(noisy))))
