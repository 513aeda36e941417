# SPDX-License-Identifier: MIT
"""Score: the held-out suite, a TOML list of worlds by scenario, soil, weather and seed."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from sim_hardware.errors import SimError
from sim_hardware.world import Scenario, load
from sim_hardware.world.soil import SOILS
from tools.errors import UserError
from tools.score.defaults import HELD_OUT as HELD_OUT
from tools.score.link import PERFECT, Link

_KEYS = {"scenarios", "soils", "weathers", "seeds", "minutes", "walk_test", "clock_ms"}
_NEEDED = {"scenarios", "seeds", "minutes"}
_WEATHER = {"wind_m_s", "rain_mm_h", "level_nm_s"}
_MINUTES_MAX = 24 * 60
MAX_CLOCK_MS = 10  # as error_ms of a Footfalls message


@dataclass(frozen=True)
class WorldJob:
    """One world to be scored."""

    scenario: Scenario
    seed: int
    duration_s: float
    link: Link = PERFECT
    walk_test: bool = False
    clock_ms: int | None = None  # error bound of the nodes' clocks; None: no footfall times


def read_suite(path: Path) -> list[WorldJob]:
    """The worlds of a suite file. Raises UserError or SimError with one line."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"cannot read suite {path}: {error}") from None
    runs = data.get("run")
    if not isinstance(runs, list) or set(data) != {"run"}:
        raise UserError(f"{path}: a suite is a list of [[run]] and nothing else")
    try:
        return [job for run in runs for job in _jobs(run)]
    except (TypeError, KeyError, ValueError) as error:
        raise UserError(f"{path}: {error}") from None


def _jobs(run: dict[str, Any]) -> list[WorldJob]:
    if not _NEEDED <= set(run) <= _KEYS:
        raise ValueError(f"a run has {', '.join(sorted(_KEYS))}, not {', '.join(sorted(run))}")
    minutes = float(run["minutes"])
    if not 1 <= minutes <= _MINUTES_MAX:
        raise ValueError(f"minutes: {minutes:g} is outside 1..{_MINUTES_MAX}")
    jobs = []
    for name in run["scenarios"]:
        own = load(Path(name))
        soils, weathers = run.get("soils", [own.soil]), run.get("weathers", [{}])
        for soil, weather, seed in product(soils, weathers, run["seeds"]):
            there = varied(own, str(soil), weather)
            tested, clock_ms = bool(run.get("walk_test", False)), run.get("clock_ms")
            if clock_ms is not None:
                clock_ms = good_clock(clock_ms)
            jobs.append(
                WorldJob(there, int(seed), 60 * minutes, walk_test=tested, clock_ms=clock_ms)
            )
    return jobs


def good_clock(bound_ms: Any) -> int:
    """The error bound of a clock that allows footfall times. Raises ValueError."""
    if type(bound_ms) is not int or not 0 <= bound_ms <= MAX_CLOCK_MS:
        raise ValueError(f"a clock's bound is 0 to {MAX_CLOCK_MS} ms, not {bound_ms}")
    return bound_ms


def varied(scenario: Scenario, soil: str, weather: dict[str, Any]) -> Scenario:
    """The scenario on another soil in other weather; its name includes both."""
    if soil not in SOILS:
        raise SimError(f"soil {soil!r} is none of {', '.join(SOILS)}")
    if not weather.keys() <= _WEATHER:
        raise ValueError(f"a weather has some of {', '.join(sorted(_WEATHER))}")
    words = [scenario.name, soil, *(f"{key} {value:g}" for key, value in weather.items())]
    return dataclasses.replace(
        scenario,
        name=" ".join(words)[:64],
        soil=soil,
        weather=dataclasses.replace(scenario.weather, **weather),
    )
