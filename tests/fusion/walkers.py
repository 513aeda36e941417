# SPDX-License-Identifier: MIT
"""Plausible detections of a known walk, without a detector: for tests of fusion alone.

Levels follow the law of sim_hardware.world.soil for loam, with a random loss for each path and a
scatter from step to step. A node detects above seven noise floors, reports every 5 s and reports
the end 6 s after its last detection. A bad link delays by resends: reports are late and unordered.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from gateway.fusion import FusionState, step
from gateway.fusion.rules import Rules
from gateway.model.detection import ActivityId, Detection
from gateway.model.event import Event
from gateway.model.observation import NoiseFloor
from gateway.model.place.site import Node, Sector, Site
from gateway.model.target import Phase, TargetClass

S = 1_000_000
T0 = 1_767_225_600 * S
RULES = Rules()
FLOOR_UM_S = 0.08
SOURCE_LEVEL = 1.87  # ln um/s at 1 m, with the mean loss of a path
Place = Callable[[float], tuple[float, float]]  # of a time in seconds


def site_of(*places: tuple[float, float]) -> Site:
    """Nodes n01, n02, ... at these places, in one sector."""
    nodes = {f"n{i:02}": Node(f"n{i:02}", x, y, "s") for i, (x, y) in enumerate(places, 1)}
    return Site("yard", nodes, {"s": Sector("s")})


def line(count: int = 8, zigzag_m: float = 0.0) -> Site:
    """Nodes 25 m apart from west to east, every second one `zigzag_m` further north."""
    return site_of(*((25.0 * i, zigzag_m * (i % 2)) for i in range(count)))


def walk(
    start: tuple[float, float], end: tuple[float, float], speed_m_s: float = 1.35, at_s: float = 0.0
) -> Place:
    """From start to end at one pace; nowhere near before and after."""
    way_m = math.dist(start, end)

    def place(t_s: float) -> tuple[float, float]:
        gone = (t_s - at_s) * speed_m_s / way_m
        if not 0 <= gone <= 1:
            return (1e4, 1e4)
        return (
            start[0] + gone * (end[0] - start[0]),
            start[1] + gone * (end[1] - start[1]),
        )

    return place


@dataclass(frozen=True)
class Ground:
    """What is drawn: losses of paths (deviation, dB) and scatter of peaks (ln)."""

    path_db: float = 3.5
    scatter: float = 0.15
    louder_db: float = 0.0


def detections(
    site: Site,
    place: Place,
    until_s: float,
    seed: int,
    ground: Ground = Ground(),
    target: TargetClass = TargetClass.PERSON,
    sensors_off: Iterable[str] = (),
) -> list[Detection]:
    """Reports of one actor by the nodes of a site, without delay."""
    rng = random.Random(seed)
    found: list[Detection] = []
    for name, node in site.nodes.items():
        loss = rng.gauss(0, ground.path_db) * math.log(10) / 20
        louder = ground.louder_db * math.log(10) / 20
        levels = []
        for half in range(int(2 * until_s)):
            x_m, y_m = place(half / 2)
            far_m = math.hypot(x_m - node.x_m, y_m - node.y_m)
            signal = math.exp(SOURCE_LEVEL + louder + loss - 0.03 * far_m) / math.sqrt(
                math.hypot(far_m, 1.5)
            )
            noise = 3.2 * FLOOR_UM_S * math.exp(rng.gauss(0, 0.1))
            levels.append(math.hypot(signal * math.exp(rng.gauss(0, ground.scatter)), noise))
        if name not in sensors_off:
            found += _reports(name, levels, target)
    return sorted(found, key=lambda one: (one.arrival_us, one.node))


def _reports(name: str, levels: Sequence[float], target: TargetClass) -> list[Detection]:
    """Reports of one node; `levels` are its peaks of each half second."""
    detects = [level > 7 * FLOOR_UM_S for level in levels]
    reports: list[Detection] = []
    at = 0
    while at < len(levels):
        if sum(detects[at : at + 6]) < 4:  # 3 s of it
            at += 1
            continue
        onset, first, seq = at, at + 6, len(reports) + 1
        reports.append(_report(name, seq, onset, first, Phase.ONSET, levels[onset:first], target))
        last, reported, at = first, first, first
        while at < len(levels):
            last = at if detects[at] else last
            at += 1
            over = at - last > 12
            if over or at - reported == 10:
                phase = Phase.END if over else Phase.UPDATE
                seq = len(reports) + 1
                reports.append(_report(name, seq, onset, at, phase, levels[reported:at], target))
                reported = at
            if over:
                break
    return reports


def _report(
    name: str,
    seq: int,
    onset: int,
    at: int,
    phase: Phase,
    levels: Sequence[float],
    target: TargetClass,
) -> Detection:
    onset_us = T0 + onset * S // 2
    report_us = T0 + at * S // 2
    return Detection(
        activity=ActivityId(name, 1, onset * 500),
        seq=seq,
        sector="s",
        phase=phase,
        target=target,
        confidence=min(0.6 + 0.05 * seq, 0.95),
        peak_um_s=round(max(levels), 2),
        cadence_hz=1.8,
        pir_count=0,
        onset_us=onset_us,
        report_us=onset_us if phase is Phase.ONSET else report_us,
        uncertainty_us=5000,
        arrival_us=report_us,
    )


def over_bad_link(given: Sequence[Detection], seed: int, loss: float = 0.3) -> list[Detection]:
    """The same, each lost with this probability and sent again 10 to 12.5 s later."""
    rng = random.Random(seed)
    late = []
    for one in given:
        delay_us = 0
        while rng.random() < loss:
            delay_us += int(rng.uniform(10, 12.5) * S)
        late.append(replace(one, arrival_us=one.arrival_us + delay_us))
    return sorted(late, key=lambda one: (one.arrival_us, one.node))


def run(
    site: Site,
    given: Sequence[Detection],
    dead: Iterable[str] = (),
    rules: Rules = RULES,
    noisy_from_s: float = math.inf,
) -> list[list[Event]]:
    """Every version of every event, by event in order of their start. Noise floors are reported
    each minute; they rise to four times at `noisy_from_s`, by a report out of turn."""
    state, seen = FusionState(), dict[str, list[Event]]()
    tick_us = given[0].arrival_us - 5 * S if given else T0
    alive = [name for name in site.nodes if name not in set(dead)]
    for name in alive:
        state, _ = step(state, site, rules, tick_us, NoiseFloor(name, tick_us, FLOOR_UM_S))
    noisy_us = T0 + noisy_from_s * S
    for one in (*given, None):
        end_us = one.arrival_us if one else tick_us + 90 * S
        while tick_us < end_us:
            tick_us = min(tick_us + S, end_us)
            state, changed = step(state, site, rules, tick_us, None)
            _note(seen, changed)
            if (tick_us - T0) // S % 60 == 0 or noisy_us <= tick_us < noisy_us + S:
                floor_um_s = FLOOR_UM_S * (4 if tick_us >= noisy_us else 1)
                for name in alive:
                    floor = NoiseFloor(name, tick_us, floor_um_s)
                    state, _ = step(state, site, rules, tick_us, floor)
        if one is not None:
            state, changed = step(state, site, rules, one.arrival_us, one)
            _note(seen, changed)
    assert state.events == ()
    return list(seen.values())


def _note(seen: dict[str, list[Event]], changed: Iterable[Event]) -> None:
    for event in changed:
        seen.setdefault(event.id, []).append(event)


def alarmed(events: Sequence[Sequence[Event]]) -> list[Event]:
    """The last version of each event that would have raised an alarm."""
    return [versions[-1] for versions in events if any(one.confirmed for one in versions)]
