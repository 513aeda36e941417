# SPDX-License-Identifier: MIT
"""Workbench, bench: the events of a run on the emulated node, and the figures from its output.

A person walks past repeatedly, the Wi-Fi is lost and comes back, then the gateway delivers an
update, after which the node starts again. All times are the board's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from tools.bench.node_site import NODE
from tools.errors import UserError

Report = Callable[[str], None]
Ask = Callable[..., dict[str, Any]]

WALK_S = 45
_BOOT_S = 120.0
_LOAD_S = 2.0
LOOK_S = 1_009e-6  # between two samples of its state (sim_hardware.emulated.control)
_WIFI_AT_US, WIFI_LOST_MS = 5_000_000, 20_000
_UPDATE_AT_US, _UPDATE_US = 40_000_000, 600_000_000
_WHOLE, _RESTARTS = "update whole ", "node restarts "
GC_GOAL_US = 11_000
# Runs at the end of boot.py: main.py's collections are timed, and the size of the heap is printed.
# Interrupts wait meanwhile: those of the radio take up to 50 ms while it joins.
TIMED = """
import gc as _gc, machine as _machine, sys as _sys, time as _time
class _Timed:
    longest_us = runs = 0
    started = False
    def __getattr__(self, name):
        return getattr(_gc, name)
    def collect(self):
        if not self.started:
            self.started = True
            print("bench heap_bytes=%d" % (_gc.mem_alloc() + _gc.mem_free()))
        masked = _machine.disable_irq()
        start = _time.ticks_us()
        _gc.collect()
        us = _time.ticks_diff(_time.ticks_us(), start)
        _machine.enable_irq(masked)
        # Of a node that runs: the first one without its image mounted frees the memory of loading.
        self.runs += "ugs.base" in _sys.modules and "package" not in _sys.modules
        if self.runs > 2 and (us > self.longest_us or us > GOAL):
            self.longest_us = max(us, self.longest_us)
            print("bench gc_us=%d" % us)
_sys.modules["gc"] = _Timed()
""".replace("GOAL", str(GC_GOAL_US))


@dataclass
class Load:
    """Samples of the processor's state, and at how many of them it was busy."""

    looks: int = 0
    busy: int = 0

    def add(self, answer: dict[str, Any]) -> None:
        """Add an answer of the control channel to `load`."""
        self.looks += answer["looks"]
        self.busy += answer["busy"]

    @property
    def pct(self) -> float:
        """The share of the time, 0 when there was none."""
        return 100 * self.busy / self.looks if self.looks else 0.0


@dataclass
class Measured:
    """The figures of one run, before they are compared with the goals."""

    minutes: float = 0.0
    first_sample_s: float = 0.0
    first_sample_update_s: float = 0.0  # of the first start after the update
    unfed_s: float = 0.0
    gc_ms: float = 0.0
    gc_update_ms: float = 0.0  # from its order to the first heartbeat after it
    heap_used_kb: float = 0.0
    samples_missed: int = 0
    detections: int = 0
    working: Load = field(default_factory=Load)
    updating: Load = field(default_factory=Load)


class NodeRun:
    """Asks the board, whose time passes as fast as this machine allows. `order()` starts an update
    at the gateway."""

    def __init__(self, ask: Ask, order: Callable[[], None], report: Report) -> None:
        self._ask = ask
        self._order = order
        self._report = report
        self._lines: list[tuple[int, str]] = []
        self._feeds_us: list[int] = []
        self._ordered_us = self._updated_us = 0  # 0 before

    def measure(self, walk: Path, minutes: float) -> Measured:
        """Start, settle, then `minutes` of a node that works, or longer where the update takes."""
        self._ask("line", has="node started", within_s=_BOOT_S)
        found = Measured(first_sample_s=self._ask("counters")["first_reading_us"] / 1e6)
        self._ask("line", has="sampling ", within_s=_BOOT_S)  # its first heartbeat
        self._report("link up; measuring")
        begin_us = walk_us = self._now_us()
        end_us = begin_us + int(minutes * 60e6)
        is_lost = False
        while (now_us := self._now_us()) < end_us or not self._is_updated():
            if now_us >= walk_us:
                self._ask("take", folder=str(walk), node=NODE)
                walk_us = now_us + WALK_S * 10**6
            if now_us >= begin_us + _WIFI_AT_US and not is_lost:
                self._ask("wifi", state="off", for_ms=WIFI_LOST_MS)
                is_lost = True
                self._report("the Wi-Fi is lost")
            self._update(begin_us, now_us)
            is_updating = bool(self._ordered_us) and not self._is_updated()
            load = self._ask("load", for_s=_LOAD_S)
            (found.updating if is_updating else found.working).add(load)
            self._take_feeds()
        found.minutes = (self._now_us() - begin_us) / 60e6
        # The next heartbeat reports what was missed until then.
        self._ask("line", has="sampling ", within_s=_BOOT_S, after=len(self._read()))
        self._take_feeds()
        return self._sum_up(found)

    def _update(self, begin_us: int, now_us: int) -> None:
        """Order the update once, when the Wi-Fi is back. Raises UserError if it takes too long."""
        is_linked = self._count("link up ") > 1
        if not self._ordered_us and is_linked and now_us >= begin_us + _UPDATE_AT_US:
            self._order()
            self._ordered_us = now_us
            self._report("an update is ordered")
        if now_us > begin_us + _UPDATE_AT_US + _UPDATE_US:
            raise UserError(f"no update of the node in time; it printed {self._read()[-1][1]!r}")

    def _is_updated(self) -> bool:
        """Whether the new firmware has started and has sent its first heartbeat."""
        number = next((n for n, (_at, text) in enumerate(self._read()) if _WHOLE in text), None)
        if number is None:
            return False
        beats = (at for at, text in self._lines[number:] if text.startswith("sampling "))
        self._updated_us = next(beats, 0)
        return self._updated_us > 0

    def _sum_up(self, found: Measured) -> Measured:
        lines, feeds = [text for _at, text in self._read()], self._feeds_us
        restarted_us = next((at for at, text in self._lines if text.startswith(_RESTARTS)), None)
        if restarted_us is not None:
            first_us = self._ask("counters")["first_reading_us"]
            found.first_sample_update_s = (first_us - restarted_us) / 1e6
        found.unfed_s = max((b - a for a, b in pairwise(feeds)), default=0) / 1e6
        during = [text for at, text in self._lines if self._ordered_us < at <= self._updated_us]
        others = [text for at, text in self._lines if not self._ordered_us < at <= self._updated_us]
        found.gc_ms, found.gc_update_ms = _longest_gc_ms(others), _longest_gc_ms(during)
        sizes, free = _all(r"^bench heap_bytes=(\d+)", lines), _all(r" heap_free=(\d+)", lines)
        if not sizes or not free:
            raise UserError("the board did not print the size of its heap")
        found.heap_used_kb = (sizes[0] - min(free)) / 1024
        found.samples_missed = missed(lines)
        found.detections = self._count("detection ")
        return found

    def _take_feeds(self) -> None:
        since_us = self._feeds_us[-1] + 1 if self._feeds_us else 0
        self._feeds_us += self._ask("feeds", since_us=since_us)["feeds_us"]

    def _now_us(self) -> int:
        return int(self._ask("time")["emulated_us"])

    def _read(self) -> list[tuple[int, str]]:
        while new := self._ask("lines", after=len(self._lines))["lines"]:
            self._lines += [(at, text) for at, text in new]
        return self._lines

    def _count(self, begin: str) -> int:
        return sum(text.startswith(begin) for _at, text in self._read())


def missed(lines: list[str]) -> int:
    """Samples missed in all starts: each counts from 0 and prints its last count at its restart."""
    total = last = 0
    for line in lines:
        if line.startswith("node started "):
            total, last = total + last, 0
        elif match := re.match(r"(?:sampling|node restarts) .*\bmissed=(\d+)", line):
            last = int(match[1])
    return total + last


def _longest_gc_ms(lines: list[str]) -> float:
    return max(_all(r"^bench gc_us=(\d+)", lines), default=0) / 1e3


def _all(pattern: str, lines: list[str]) -> list[int]:
    return [int(found[1]) for line in lines if (found := re.search(pattern, line))]
