# SPDX-License-Identifier: MIT
"""Board layer, simulated: the Pico W's converter over whole arrays, bit for bit as its part.

`parts/rp2040_adc.py` returns one reading at a time inside a simulated node. This module computes
the same integers in numpy, so that days of ground need no node.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from sim_hardware.parts import noise
from sim_hardware.parts.front_end import BOARDS

_FRONT = BOARDS["pico_w"]
NM_S_PER_COUNT_X256 = round(256 * _FRONT.nm_s_per_count())
READINGS = 4  # of 12 bits, summed for each sample
_MID_COUNTS = READINGS * 2048
# As in parts/rp2040_adc.py, which a simulated node imports by another name.
_SHIFT = 10
_NUMERATOR = round((256 << _SHIFT) / (READINGS * _FRONT.nm_s_per_count()))  # codes x256 of one nm/s
_WELL_X256 = 2048 * 256 + round(_FRONT.well_counts() * 256 / READINGS)
_NM_S_MAX = 150_000
_STRIDES = range(1, 256, 2)


@cache
def _lap(start: int) -> tuple[NDArray[np.int16], int]:
    """Indices into the noise table from `start` through all strides once, and the end index."""
    laps = []
    at = start
    for stride in _STRIDES:
        steps = -(-(noise.SIZE - at) // stride)
        lap = at + stride * np.arange(1, steps + 1)
        lap[-1] -= noise.SIZE
        at = int(lap[-1])
        laps.append(lap)
    return np.concatenate(laps).astype(np.int16), at


class GeophoneArray:
    """One node's amplifier and converter. `seed` as in the node's settings (sandbox)."""

    def __init__(self, seed: int) -> None:
        self._table = np.array(noise.table(seed), np.int32)
        self._at = 0
        self._left = np.zeros(0, np.int16)

    def counts(self, nm_s: NDArray[np.int32]) -> NDArray[np.int32]:
        """Sums of four readings less mid-rail, one for each sample (n,) of ground in nm/s."""
        bounded = np.clip(nm_s.astype(np.int64), -_NM_S_MAX, _NM_S_MAX)
        level_x256 = _WELL_X256 + (bounded * _NUMERATOR >> _SHIFT)
        codes = level_x256[:, None] + self._noise(nm_s.size) + 128 >> 8
        return np.asarray(np.clip(codes, 0, 4095).sum(axis=1) - _MID_COUNTS, np.int32)

    def _noise(self, samples: int) -> NDArray[np.int32]:
        wanted = samples * READINGS
        laps = [self._left]
        held = self._left.size
        while held < wanted:
            lap, self._at = _lap(self._at)
            laps.append(lap)
            held += lap.size
        places = np.concatenate(laps)
        self._left = places[wanted:]
        return np.asarray(self._table[places[:wanted]].reshape(samples, READINGS))
