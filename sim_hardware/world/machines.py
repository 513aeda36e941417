# SPDX-License-Identifier: MIT
"""Ground layer: machines at work: a helicopter overhead, a pump nearby.

A helicopter is the comb of its blade passing frequency (12..22 Hz) with Doppler shift; a pump a
line (75 Hz behind a 25 Hz shaft) that runs 5 minutes and rests 17..34.
"""

import math

import numpy as np

from sim_hardware.world.arrivals import SOUND_M_S
from sim_hardware.world.geophone import FS_HZ
from sim_hardware.world.nuisance import SECOND, FArray, NuisanceSpec, Place


class Helicopter:
    """Flies along `path` at `height_m`; its level at a node depends on the distance."""

    _HARMONICS = 8

    def __init__(self, spec: NuisanceSpec, place: Place) -> None:
        self._place = place
        rng = place.site_rng(spec)
        self._hz = spec.hz or float(rng.uniform(12, 22))
        self._height_m = spec.height_m or 150.0
        xy = np.array(spec.path, dtype=np.float64)
        legs = np.hypot(*np.diff(xy, axis=0).T)
        speed_m_s = spec.speed_m_s or 50.0
        self._t_s = spec.start_s + np.concatenate([[0.0], np.cumsum(legs)]) / speed_m_s
        self._xy = xy
        orders = np.arange(1, self._HARMONICS + 1)
        self._phases = rng.uniform(0, 2 * math.pi, orders.size)
        weights = orders**-0.8 * 10 ** (rng.normal(0, 2, orders.size) / 20)
        ground = np.array([place.gain(float(order * self._hz)) for order in orders])
        coupling = 10 ** (place.own_rng(spec).normal(0, 2, orders.size) / 20)
        unit = math.sqrt(2 / float(np.sum((weights * ground) ** 2)))
        self._weights = (spec.level_nm_s or 800.0) * unit * weights * ground * coupling

    def _slant_m(self, t_s: FArray) -> FArray:
        x = np.interp(t_s, self._t_s, self._xy[:, 0]) - self._place.x_m
        y = np.interp(t_s, self._t_s, self._xy[:, 1]) - self._place.y_m
        return np.asarray(np.sqrt(x**2 + y**2 + self._height_m**2))

    def second(self, number: int) -> FArray | None:
        """As Source."""
        t_s = number + SECOND
        if t_s[-1] < self._t_s[0] or t_s[0] > self._t_s[-1] + 30:
            return None
        sent_s = t_s
        for _ in range(4):  # the machine was elsewhere when it emitted this sound
            sent_s = t_s - self._slant_m(sent_s) / SOUND_M_S
        flies = (sent_s > self._t_s[0]) & (sent_s < self._t_s[-1])
        level = np.where(flies, 500 / self._slant_m(sent_s), 0)
        # it starts and ends below the horizon
        edge_s = np.minimum(sent_s - self._t_s[0], self._t_s[-1] - sent_s)
        level *= np.clip(edge_s / 5, 0, 1) * (1 + 0.2 * np.sin(0.7 * t_s))
        total = np.zeros(FS_HZ)
        turns = 2 * math.pi * self._hz * sent_s
        for order, (weight, phase) in enumerate(zip(self._weights, self._phases, strict=True), 1):
            total += weight * np.sin(order * turns + phase)
        return np.asarray(level * total)


class Pump:
    """A motor in a fixed place, on and off."""

    def __init__(self, spec: NuisanceSpec, place: Place) -> None:
        self._spec = spec
        self._rng = place.site_rng(spec)
        self._hz = spec.hz or 75.0
        r_m = max(place.distance_m(spec.x_m, spec.y_m), 1.0)
        fall = (r_m / 10) ** -0.7 * math.exp(-0.008 * (r_m - 10))
        level = (spec.level_nm_s or 1500.0) * fall * 10 ** (place.own_rng(spec).normal(0, 3) / 20)
        tones = np.array([self._hz, self._hz / 3, 2 * self._hz / 3])
        weights = np.array([1.0, 0.25, 0.1])
        self._phases = place.own_rng(spec, 1).uniform(0, 2 * math.pi, 3)
        self._tones = tones
        self._weights = level * math.sqrt(2) * weights / math.hypot(*weights)
        self._on_s = spec.start_s
        self._off_s = self._on_s + self._run_s()

    def _run_s(self) -> float:
        return self._spec.on_s or float(self._rng.uniform(240, 360))

    def _rest_s(self) -> float:
        return self._spec.off_s or float(self._rng.uniform(17 * 60, 34 * 60))

    def second(self, number: int) -> FArray | None:
        """As Source."""
        while self._off_s + 2 < number:
            self._on_s = self._off_s + self._rest_s()
            self._off_s = self._on_s + self._run_s()
        if number + 1 <= self._on_s:
            return None
        t_s = number + SECOND
        level = np.clip((t_s - self._on_s) / 1.5, 0, 1) * np.clip((self._off_s - t_s) / 1.0, 0, 1)
        # slip wanders a little: a phase of slow sines keeps every second reproducible
        slip = 0.6 * np.sin(2 * math.pi * t_s / 23) + 0.3 * np.sin(2 * math.pi * t_s / 7)
        total = np.zeros(FS_HZ)
        for hz, weight, phase in zip(self._tones, self._weights, self._phases, strict=True):
            total += weight * np.sin(2 * math.pi * hz * t_s + slip * hz / self._hz + phase)
        return np.asarray(level * total)
