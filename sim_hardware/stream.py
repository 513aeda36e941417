# SPDX-License-Identifier: MIT
"""Ground layer: feeds that grow while nodes run: a ring of samples and a list of PIR edges."""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal as dsp

from sim_hardware.errors import SimError
from sim_hardware.signals import FEED_FS_HZ, FArray, quantized

# Four minutes: nodes read within seconds of the writing, and a day of running costs no more disk.
RING = 1 << 16
_HEADER = 8  # int64 count of samples written so far (sim_hardware/parts/feed.py)
_TAPS_PER_STEP = 32


class Decimator:
    """Decimates blocks at a multiple of FEED_FS_HZ to FEED_FS_HZ and keeps the filter state."""

    def __init__(self, fs_hz: int) -> None:
        if fs_hz % FEED_FS_HZ:
            raise SimError(f"a live world must run at a multiple of {FEED_FS_HZ} Hz, not {fs_hz}")
        self._step = fs_hz // FEED_FS_HZ
        self._taps = dsp.firwin(_TAPS_PER_STEP * self._step + 1, 0.8 / self._step)
        self._state = np.zeros(self._taps.size - 1)
        # The filter delays by half its length; dropping that many keeps time.
        self._skip = (self._taps.size - 1) // 2

    def feed(self, velocity_m_s: FArray) -> NDArray[np.int32]:
        """int32 nm/s at FEED_FS_HZ; the output lags the input by 16 samples."""
        nm_s = np.asarray(velocity_m_s, np.float64) * 1e9
        if self._step == 1:
            return quantized(nm_s)
        out, self._state = dsp.lfilter(self._taps, 1.0, nm_s, zi=self._state)
        kept = out[min(self._skip, out.size) :]
        taken = kept[:: self._step]
        # Where the next sample lies, counted from the end of this block.
        self._skip = max(0, self._skip - out.size) + taken.size * self._step - kept.size
        return quantized(taken)


class RingFeed:
    """The feed of one live node: a count, then a ring buffer of RING samples."""

    def __init__(self, path: Path) -> None:
        self.written = 0
        self._file = path.open("wb+")
        self._file.truncate(_HEADER + 4 * RING)

    def append(self, samples: NDArray[np.int32]) -> None:
        """Write samples, then the count, in this order, so that no reader gets old samples."""
        data = samples.astype("<i4")
        while data.size:
            at = self.written % RING
            part = data[: RING - at]
            self._file.seek(_HEADER + 4 * at)
            self._file.write(part.tobytes())
            self.written += part.size
            data = data[part.size :]
        self._file.flush()
        self._file.seek(0)
        self._file.write(struct.pack("<q", self.written))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class EdgeFile:
    """PIR edges of one live node, appended as int64 microseconds."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def append(self, edges_s: list[float]) -> None:
        """Add edges later than all before."""
        if edges_s:
            self._file.write(b"".join(struct.pack("<q", round(t_s * 1e6)) for t_s in edges_s))
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
