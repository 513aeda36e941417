# SPDX-License-Identifier: MIT
"""Intake: device ticks become UTC. A message cannot arrive before it was sent, so the smallest
arrival minus uptime bounds the start of a boot from above; what exceeds it was delay on the way."""

from __future__ import annotations

from typing import NamedTuple

from gateway.store.interface import BootRow

_WRAP_MS = 1 << 32
# A node's crystal with temperature: 20-40 ppm; doubled for margin.
_DRIFT_PPM = 80
_FLOOR_US = 5_000  # scheduling on the node and the gateway
_BACKLOG_US = 24 * 3600 * 1_000_000  # a boot of which only stored messages came, unknown how late
# What is sent at once is not under way for so long: the gateway's own clock was set forward.
_STEP_US = 3600 * 1_000_000
_UNPROVEN_US = 500_000  # with a single sample delay and offset cannot be separated


class BootClock(NamedTuple):
    """When a boot's uptime 0 was, in UTC microseconds, at the latest; `spread_us` is the one-sided
    uncertainty: the truth lies between `start_us - spread_us` and `start_us`."""

    start_us: int
    spread_us: int
    samples: int
    at_us: int  # arrival of the newest sample

    def observe(self, arrival_us: int, t_ms: int, live: bool = False) -> BootClock:
        """A message sent at uptime `t_ms` came at `arrival_us`; a live one did not wait first."""
        start_us, spread_us, samples, at_us = self
        sample_us = arrival_us - unwrap_ms(t_ms, arrival_us, start_us) * 1000
        # A slow crystal makes the bound creep: let it rise with time, or it would stay too early.
        if arrival_us > at_us:
            drift_us = (arrival_us - at_us) * _DRIFT_PPM // 1_000_000
            start_us, spread_us, at_us = start_us + drift_us, spread_us + drift_us, arrival_us
        late_us = sample_us - start_us
        if late_us < 0:
            start_us, late_us = sample_us, -late_us
        elif live and late_us > _STEP_US:
            return first_sample(arrival_us, t_ms, live=False)
        return BootClock(start_us, min(spread_us, max(_FLOOR_US, late_us)), samples + 1, at_us)

    def utc_us(self, t_ms: int, arrival_us: int) -> int:
        """UTC of uptime `t_ms`, never later than its arrival."""
        return min(arrival_us, self.start_us + unwrap_ms(t_ms, arrival_us, self.start_us) * 1000)


def first_sample(arrival_us: int, t_ms: int, live: bool = True) -> BootClock:
    """From one message; of a backlog (not live) the uncertainty is large."""
    spread_us = _UNPROVEN_US if live else _BACKLOG_US
    return BootClock(arrival_us - t_ms * 1000, spread_us, 1, arrival_us)


def unwrap_ms(t_ms: int, arrival_us: int, start_us: int) -> int:
    """Uptime with the 2^32 ms wraps put back: the newest that is not after the arrival."""
    elapsed_ms = (arrival_us - start_us) // 1000
    # Half a wrap of slack: a sample may lie before the bound known so far.
    ahead_ms = elapsed_ms - t_ms + _WRAP_MS // 2
    return t_ms if ahead_ms < _WRAP_MS else t_ms + ahead_ms // _WRAP_MS * _WRAP_MS


_Times = tuple[int | None, int | None, int | None, int | None]


class BootClocks:
    """Of all boots of all nodes."""

    def __init__(self) -> None:
        self._clocks: dict[tuple[str, int], BootClock] = {}

    def observe(
        self, key: tuple[str, int], arrival_us: int, t_ms: int, live: bool, newest: bool
    ) -> BootClock:
        """A message sent at uptime `t_ms` arrived. `newest`: no later boot is known."""
        known = self._clocks.get(key)
        if known is None:
            clock = first_sample(arrival_us, t_ms, newest)
        else:
            clock = known.observe(arrival_us, t_ms, live)
        self._clocks[key] = clock
        return clock

    def times(self, key: tuple[str, int]) -> _Times:
        """The last four fields of a boot's row."""
        clock = self._clocks.get(key)
        return clock if clock is not None else (None, None, None, None)

    def restore(self, row: BootRow) -> None:
        """From a boot's row."""
        if None not in row[4:8]:
            self._clocks[(row.node, row.boot)] = BootClock(*row[4:8])  # type: ignore[arg-type]  # no None
