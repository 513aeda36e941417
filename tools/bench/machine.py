# SPDX-License-Identifier: MIT
"""Workbench, bench: how busy the machine was with other work."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Above these, figures depend more on the machine than on the systems.
_MAX_LOAD_PER_CORE = 0.25
_MAX_OTHER_SHARE = 0.10


@dataclass(frozen=True, slots=True)
class Activity:
    """Load averages of one minute before and after; other processes' share of all cores."""

    load_before: float
    load_after: float
    other_share: float
    cores: int

    @property
    def busy(self) -> bool:
        """Whether the figures were taken on a machine with other work."""
        return (
            self.load_before > _MAX_LOAD_PER_CORE * self.cores
            or self.other_share > _MAX_OTHER_SHARE
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "cores": self.cores,
            "load_before": round(self.load_before, 2),
            "load_after": round(self.load_after, 2),
            "other_share": round(self.other_share, 3),
            "busy": self.busy,
        }


class Watch:
    """From its construction to `activity`: all of our processes must have ended by then."""

    def __init__(self) -> None:
        self._load = os.getloadavg()[0]
        self._used_s, self._all_s = _used_s(), _machine_s()

    def activity(self) -> Activity:
        """What went on since."""
        busy_s, total_s = (
            now - before for now, before in zip(_machine_s(), self._all_s, strict=True)
        )
        other_s = max(0.0, busy_s - (_used_s() - self._used_s))
        share = other_s / total_s if total_s else 0.0
        return Activity(self._load, os.getloadavg()[0], share, os.cpu_count() or 1)


def _used_s() -> float:
    """Processor of this process and of its children that ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(use.ru_utime + use.ru_stime for use in map(resource.getrusage, kinds))


def _machine_s() -> tuple[float, float]:
    """(busy, busy and idle) seconds of all cores: proc(5)'s stat, first line; 4 and 5 are idle."""
    words = Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]
    ticks = [int(word) / os.sysconf("SC_CLK_TCK") for word in words]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)
