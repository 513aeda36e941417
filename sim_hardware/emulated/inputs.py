# SPDX-License-Identifier: MIT
"""The parts at the pins of the emulated board: geophone, PIR, battery, case switch."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from sim_hardware.errors import SimError
from sim_hardware.parts.front_end import BOARDS

if TYPE_CHECKING:
    from sim_hardware.signals import Signal

# The wiring of firmware/boards/pico_w.
GEOPHONE_CHANNEL = 0  # GP26
BATTERY_CHANNEL = 2  # GP28
PIR_GPIO = 15
TAMPER_GPIO = 14
CHANNELS = 4
GPIOS = 29

CODE_MAX = 4095
_FRONT_END = BOARDS["pico_w"]
_COUNTS_PER_CODE = 4  # the firmware sums four conversions
# The amplifier rests at mid-rail of 12 bits; the sense current through the coil lifts it.
REST_CODE = 2048 + _FRONT_END.well_counts() / _COUNTS_PER_CODE
BATTERY_CODE = 2358  # 3.8 V over two equal resistors, of 3.3 V full scale
CODES_PER_M_S = 1e9 / _FRONT_END.nm_s_per_count() / _COUNTS_PER_CODE
NOISE_CODES = 1.0  # rms; RP2040 datasheet 4.9.3: 8.7 effective bits
_NOISE_SEED, _NOISE_PERIOD = 7, 65_521
PENDING_MAX = 10_000


class Ground:
    """The reading of the geophone's converter at a time: noise, and a signal while it plays."""

    def __init__(self) -> None:
        rng = np.random.default_rng(_NOISE_SEED)
        self._noise = rng.normal(0, NOISE_CODES, _NOISE_PERIOD).tolist()
        self._reads = 0
        self._codes: list[float] = []
        self._per_us = 0.0
        self._start_us = 0

    def play(self, signal: Signal, start_us: int) -> None:
        """Play a signal from an emulated time on; it replaces one that still plays."""
        velocity: NDArray[np.float32] = signal.velocity()
        self._codes = (velocity.astype(np.float64) * CODES_PER_M_S).tolist()
        self._per_us = signal.fs_hz / 1e6
        self._start_us = start_us

    def code(self, t_us: float) -> int:
        """The 12-bit code, converter's noise included; interpolated linearly between samples."""
        place = (t_us - self._start_us) * self._per_us
        level = 0.0
        if 0 <= place < len(self._codes) - 1:
            at = int(place)
            level = self._codes[at] + (place - at) * (self._codes[at + 1] - self._codes[at])
        self._reads += 1
        noisy: float = REST_CODE + level + self._noise[self._reads % _NOISE_PERIOD]
        return min(CODE_MAX, max(0, round(noisy)))


class Agenda:
    """Actions by emulated time; actions with equal times keep their order of arrival."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def add(self, at_us: int, action: Callable[[], None]) -> None:
        """Raises SimError when too many wait already."""
        if len(self._due) >= PENDING_MAX:
            raise SimError(f"{PENDING_MAX} actions wait already")
        self._count += 1
        heapq.heappush(self._due, (at_us, self._count, action))

    def run(self, now_us: int) -> None:
        """Call the actions that are due."""
        while self._due and self._due[0][0] <= now_us:
            heapq.heappop(self._due)[2]()

    @property
    def next_us(self) -> int | None:
        """The time of the next action."""
        return self._due[0][0] if self._due else None


class _Gpio(Protocol):
    def set_input_value(self, value: bool, /) -> None: ...


class Pins:
    """Levels driven from outside; they persist through a power cut of the board."""

    def __init__(self) -> None:
        # The case is closed and the PIR output is low.
        self.levels = {TAMPER_GPIO: False, PIR_GPIO: False}
        self.codes = {BATTERY_CHANNEL: BATTERY_CODE}

    def apply(self, gpio: Sequence[_Gpio], channel_values: list[int]) -> None:
        """Drive a board that has just been powered."""
        for number, level in self.levels.items():
            gpio[number].set_input_value(level)
        for channel, code in self.codes.items():
            channel_values[channel] = code
