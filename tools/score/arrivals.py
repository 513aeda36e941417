# SPDX-License-Identifier: MIT
"""Score: what times of arrival would add to the place (ADR 0021): `python -m tools.score.arrivals`.

Walkers cross a calibrated cell of four nodes. From the ground itself each node's strike is timed as
its detector could, to the sample: the strongest since its last report, or the strongest of a moment
that the clock on the wall names for all nodes. Where three arrivals or more may be of one strike,
hyperbolic residuals join the place that loudness gave; how far both are off is compared. Each
node's clock is off by a normal deviate, the wave's speed is known within a fifth.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal
from scipy.optimize import least_squares

from gateway.wire.messages import Phase
from sim_hardware.world import Hearing, World, load
from sim_hardware.world.soil import SOILS
from tools import micropython
from tools.score.cli import observed
from tools.score.line import alarm_lines
from tools.score.observe import Observation
from tools.score.places import amid, hull
from tools.score.suite import WorldJob, varied

Floats = NDArray[np.float64]
Times = Mapping[str, float]
CLOCKS_MS = (0, 2, 5, 10, 30, 100, 300)
_REPORT_S = 5.12
_MOMENT_S = 0.8  # one or two steps
_LATE_S = 6.0
_SLOWEST_M_S = 80.0
_PICK_S = 0.012  # how well a strike is timed at all: dispersion, noise
_SPEED_SIGMA = 0.2  # ln
_PLACE_LEAST_M = 3.0
_CLEAR = 4.0  # times the median envelope


class Ground:
    """The envelope of 10 to 60 Hz at each node, and when it was highest in a span."""

    def __init__(self, world: World, duration_s: float) -> None:
        parts: dict[str, list[Any]] = {node.id: [] for node in world.nodes}
        spans = zip(range(round(duration_s / 20)), world.blocks(20.0, Hearing()), strict=False)
        for _, block in spans:
            for name, velocity in block.velocity_m_s.items():
                parts[name].append(velocity)
        self._fs_hz = float(world.fs_hz)
        band = signal.butter(3, [10, 60], "band", fs=self._fs_hz, output="sos")
        self._envelope = {
            name: np.convolve(
                np.abs(signal.hilbert(signal.sosfiltfilt(band, np.concatenate(part)))),
                np.full(8, 1 / 8),
                "same",
            )
            for name, part in parts.items()
        }
        self._least = {name: _CLEAR * np.median(one) for name, one in self._envelope.items()}

    def strike_s(self, node: str, since_s: float, until_s: float) -> float | None:
        """When the strongest one came, None where nothing stood out."""
        start = max(0, round(since_s * self._fs_hz))
        part = self._envelope[node][start : round(until_s * self._fs_hz)]
        if not part.size or part.max() <= self._least[node]:
            return None
        return (start + int(part.argmax())) / self._fs_hz


def of_reports(seen: Observation, ground: Ground, at_s: float) -> dict[str, float]:
    """The strongest strike of each node's last report."""
    found = {}
    for node, reports in seen.reports.items():
        told = [(one.told_ms / 1000 - seen.lead_s, one) for one in reports]
        lately = list(takewhile(lambda pair: pair[0] <= at_s + 0.2, told))[-1:]
        for told_s, one in lately:
            if one.phase == Phase.UPDATE and told_s > at_s - _LATE_S:
                span_s = min(_REPORT_S, one.elapsed_s_x10 / 10)
                strike = ground.strike_s(node, told_s - span_s, told_s)
                if strike is not None:
                    found[node] = strike
    return found


def of_moments(seen: Observation, ground: Ground, at_s: float) -> dict[str, float]:
    """The strongest strike of one moment that all clocks name, at nodes that hear somebody."""
    moment_s = 5.0 * (at_s // 5 - 1)
    found = {}
    for node, reports in seen.reports.items():
        hears = any(abs(one.told_ms / 1000 - seen.lead_s - at_s) <= _LATE_S for one in reports)
        strike = ground.strike_s(node, moment_s, moment_s + _MOMENT_S) if hears else None
        if strike is not None:
            found[node] = strike
    return found


def of_one(seen: Observation, given: Times) -> dict[str, float]:
    """The most arrivals that one strike can have made."""
    places = {name: (point.x_m, point.y_m) for name, point in seen.points.items()}
    best: dict[str, float] = {}
    for first, at_s in given.items():
        near = {
            name: t_s
            for name, t_s in given.items()
            if abs(t_s - at_s) <= math.dist(places[first], places[name]) / _SLOWEST_M_S + 0.03
        }
        best = max(best, near, key=len)
    return best


def joined(
    nodes_m: Floats, times_s: Floats, sigma_s: float, place: Floats, sigma_m: float, speed: float
) -> Floats:
    """Where it was by arrivals and loudness together; unknown: x, y, when, ln of the speed."""

    def off(v: Floats) -> Floats:
        far = np.hypot(nodes_m[:, 0] - v[0], nodes_m[:, 1] - v[1])
        late = (times_s - v[2] - far / (speed * math.exp(v[3]))) / sigma_s
        return np.concatenate([late, (v[:2] - place) / sigma_m, [v[3] / _SPEED_SIGMA]])

    starts = np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]) * sigma_m + place
    fits = [
        least_squares(
            off, [*start, times_s.min() - 0.1, 0.0], loss="soft_l1", x_scale=[5, 5, 0.05, 0.1]
        )
        for start in starts
    ]
    return np.asarray(min(fits, key=lambda one: float(one.cost)).x[:2])


def measured(soil: str, seed: int, minutes: int) -> list[tuple[str, ...]]:
    """A row for each way to choose a strike: share of reports it serves, medians by clock."""
    job = WorldJob(varied(load(Path("cell_40m")), soil, {}), seed, 60.0 * minutes, walk_test=True)
    seen = observed(job, micropython.find())
    ground = Ground(World(job.scenario, seed), job.duration_s)
    corners = hull(seen.points)
    assert corners is not None
    lines = [
        one for one in alarm_lines(seen) if one["type"] == "event" and one["alarm"] is not None
    ]
    known = [(one, amid(seen.truth, one["t_s"], corners)) for one in lines]
    told = [(one, place) for one, place in known if place is not None]
    rows = []
    for name, choose in (("strongest of a report", of_reports), ("of a common moment", of_moments)):
        rng = np.random.default_rng(5)
        offs: dict[str, list[float]] = {}
        for line, place in told:
            strikes = of_one(seen, choose(seen, ground, line["t_s"]))
            at_s = float(np.mean(list(strikes.values()))) if strikes else 0.0
            there = amid(seen.truth, at_s, None) if len(strikes) >= 3 else None
            if there is None:
                continue
            # Loudness told the place of `t_s`; he has moved since the strike.
            loud = np.array([line["x_m"], line["y_m"]]) + np.array(there) - np.array(place)
            offs.setdefault("loudness", []).append(float(np.hypot(*(loud - there))))
            nodes_m = np.array([(seen.points[n].x_m, seen.points[n].y_m) for n in strikes])
            for clock_ms in CLOCKS_MS:
                late_s = rng.normal(0, clock_ms / 1000, len(strikes))
                speed = SOILS[soil].rayleigh_m_s * math.exp(rng.normal(0, _SPEED_SIGMA))
                found = joined(
                    nodes_m,
                    np.array(list(strikes.values())) + late_s,
                    math.hypot(clock_ms / 1000, _PICK_S),
                    loud,
                    max(_PLACE_LEAST_M, line["error_m"] / 1.5),
                    speed,
                )
                offs.setdefault(str(clock_ms), []).append(float(np.hypot(*(found - there))))
        rows.append((soil, name, *_words(offs, len(told))))
    return rows


def _words(offs: Mapping[str, Sequence[float]], told: int) -> tuple[str, ...]:
    served = len(offs.get("loudness", ()))
    columns = ("loudness", *map(str, CLOCKS_MS))
    medians = tuple(f"{np.median(offs[one]):.1f}" if one in offs else "-" for one in columns)
    return (f"{served} of {told}", *medians)


def main() -> None:
    """Print the table of ADR 0021."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--soil", action="append", choices=sorted(SOILS), default=[])
    parser.add_argument("--seed", type=int, default=7007)
    parser.add_argument("--minutes", type=int, default=20)
    args = parser.parse_args()
    heads = ("soil", "strike", "reports served", "loudness", *(f"{ms} ms" for ms in CLOCKS_MS))
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for soil in args.soil or ["turf", "marl", "chalk"]:
        for row in measured(soil, args.seed, args.minutes):
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
