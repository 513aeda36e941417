# SPDX-License-Identifier: MIT
"""Board layer, simulated: a node's crystal that runs faster or slower than true time.

Node time and true time agree at second 0 of the take. Input of a simulated node is converted to
node time, and its output back to true time.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from sim_hardware.sandbox import INTERVALS, Faults


@dataclass(frozen=True)
class Crystal:
    """A frequency error of `ppm`; 20..100 of either sign is usual."""

    ppm: float = 0.0

    def shows(self, true_s: float) -> float:
        """What the node's clock shows at a true time."""
        return true_s * (1 + self.ppm * 1e-6)

    def true_us(self, shown_us: int) -> int:
        """The true time at which the node's clock shows this."""
        return round(shown_us / (1 + self.ppm * 1e-6)) if self.ppm else shown_us

    def resampled(self, feed: NDArray[np.int32], zero: int) -> NDArray[np.int32]:
        """The feed (n,) at the sampling times of this node's timer; sample `zero` is second 0."""
        if not self.ppm or feed.size < 4:
            return feed
        places = np.arange(feed.size, dtype=np.float64)
        spline = make_interp_spline(places, feed.astype(np.float64), k=3)
        taken = zero + (places - zero) / (1 + self.ppm * 1e-6)
        inside = np.clip(taken, 0, feed.size - 1)
        return np.asarray(np.rint(spline(inside)), np.int32)

    def faults(self, faults: Faults) -> Faults:
        """The same faults in the node's time."""
        if not self.ppm:
            return faults
        intervals: dict[str, Any] = {
            name: tuple((self.shows(a), self.shows(b)) for a, b in getattr(faults, name))
            for name in INTERVALS
        }
        return replace(
            faults,
            tamper_edges_s=tuple(self.shows(t_s) for t_s in faults.tamper_edges_s),
            flash_cuts_s=tuple(self.shows(t_s) for t_s in faults.flash_cuts_s),
            battery_curve=tuple((self.shows(t_s), mv) for t_s, mv in faults.battery_curve),
            geophone_faults=tuple((self.shows(t_s), kind) for t_s, kind in faults.geophone_faults),
            **intervals,
        )
