# SPDX-License-Identifier: MIT
"""Score: what the nodes' detectors report of a take, or of a world that is never written down."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.fusion.calibrate import Calibration
from gateway.wire.messages import TargetClass
from sim_hardware.fastpath import DetectorOutput, FastRun, Footfalls, Halver, Report, simulate_fast
from sim_hardware.signals import Signal, quiet_floor
from sim_hardware.site import Site
from sim_hardware.take import Take
from sim_hardware.virtual import Pace
from sim_hardware.world import Audibility, Scenario, World
from tools.score.link import PERFECT, Link
from tools.score.matching import Activity
from tools.score.truth import Point, Truth, read_truth

_PACE = Pace()
_BLOCK_S = FLOOR_S = 20.0
_FLOOR_UM_S = 0.1
_SITE = "world"  # a scenario's name may be more than a topic takes


@dataclass(frozen=True)
class Observation:
    """One take or world run: its truth and all reports. Report times are ms of uptime, which
    starts `lead_s` before the take."""

    name: str
    site: Site
    truth: Truth
    reports: Mapping[str, Sequence[Report]]
    lead_s: float
    floors: Mapping[str, Sequence[float]] = field(default_factory=dict)  # um/s, every FLOOR_S
    link: Link = PERFECT
    calibration: Calibration | None = None  # what the gateway's site file holds of a walk test
    footfalls: Mapping[str, Sequence[Footfalls]] = field(default_factory=dict)
    clock_ms: int | None = None  # bound of each node's clock; None: no clock is good

    def floor_um_s(self, node: str, t_s: float) -> float:
        """The noise floor in the node's heartbeat at a time: that of the last FLOOR_S."""
        known = self.floors.get(node) or (_FLOOR_UM_S,)
        return known[min(max(0, math.ceil(t_s / FLOOR_S) - 1), len(known) - 1)]

    @property
    def points(self) -> dict[str, Point]:
        """Where the nodes stand."""
        return {node.id: Point(node.x_m, node.y_m) for node in self.site.nodes}


def observe_take(given: Take, name: str, micropython: Path, seed: int) -> Observation:
    """Run the detectors over a take. Raises UserError for one without truth."""
    points = {node.id: Point(node.x_m, node.y_m) for node in given.nodes}
    truth = read_truth(given.truth, points, given.duration_s, name)
    output = simulate_fast(given, micropython=micropython, seed=seed, pace=_PACE)
    floors = {node: _floors(signal) for node, signal in given.signals.items()}
    return Observation(
        name,
        given.site,
        truth,
        _alive(output, truth),
        _PACE.lead_s,
        floors,
        footfalls=_footfalls(output),
    )


def _floors(signal: Signal) -> list[float]:
    velocity = signal.velocity(_PACE.ambient_nm_s)
    step = round(FLOOR_S * signal.fs_hz)
    pieces = (velocity[at : at + step] for at in range(0, velocity.size, step))
    return [1e6 * quiet_floor(piece, signal.fs_hz) for piece in pieces if piece.size > signal.fs_hz]


def _footfalls(output: Mapping[str, DetectorOutput]) -> dict[str, Sequence[Footfalls]]:
    return {name: one.footfalls for name, one in output.items()}


def _alive(output: Mapping[str, DetectorOutput], truth: Truth) -> dict[str, Sequence[Report]]:
    # A dead node reports nothing more. A score ignores the take's link and clock faults.
    return {
        name: [
            report
            for report in kept.reports
            if report.reported_ms / 1000 - _PACE.lead_s < truth.dead_from_s.get(name, math.inf)
        ]
        for name, kept in output.items()
    }


def observe_world(
    scenario: Scenario,
    seed: int,
    duration_s: float,
    micropython: Path,
    link: Link = PERFECT,
) -> Observation:
    """Run the detectors over a world for `duration_s`, in whole blocks of 20 s.

    The lead-in's floor is that of the first block, where a take's is that of the whole.
    """
    world = World(scenario, seed)
    audibility = Audibility()
    halvers = {node.id: Halver() for node in world.nodes}
    blocks = max(1, round(duration_s / _BLOCK_S))
    floors: dict[str, list[float]] = {node.id: [] for node in world.nodes}
    with FastRun(world.nodes, micropython, seed, _PACE) as run:
        for number, block in zip(range(blocks), world.blocks(_BLOCK_S, audibility), strict=False):
            for name, velocity in block.velocity_m_s.items():
                floor_m_s = quiet_floor(velocity, float(world.fs_hz))
                floors[name].append(1e6 * floor_m_s)
                if number == 0:
                    run.lead(name, 1e9 * floor_m_s)
                nm_s = halvers[name].push(velocity, last=number == blocks - 1)
                run.feed(name, nm_s, block.pir_edges_s[name])
        output = run.close()
    label = f"{scenario.name} seed {seed}"
    points = {node.id: Point(node.x_m, node.y_m) for node in world.nodes}
    given: dict[str, Any] = world.truth(blocks * _BLOCK_S, audibility)
    truth = read_truth(given, points, blocks * _BLOCK_S, label)
    site = Site(_SITE, world.nodes, world.sectors)
    alive = _alive(output, truth)
    return Observation(
        label, site, truth, alive, _PACE.lead_s, floors, link, footfalls=_footfalls(output)
    )


def activities(seen: Observation, least_pct: int = 0) -> list[Activity]:
    """What the nodes reported, one Activity from onset to end, in the take's own time.

    least_pct: as if the nodes sent nothing until a report has that confidence.
    """
    found = []
    for reports in seen.reports.values():
        for kept in _by_onset(reports):
            sure = [r for r in kept if r.confidence_pct >= least_pct]
            if not sure:
                continue
            start_s = kept[0].onset_ms / 1000 - seen.lead_s
            if not 0 <= start_s < seen.truth.duration_s:
                continue
            found.append(
                Activity(
                    node=kept[0].node,
                    start_s=start_s,
                    end_s=start_s + kept[-1].elapsed_s_x10 / 10,
                    reported_s=sure[0].reported_ms / 1000 - seen.lead_s,
                    class_name=TargetClass(kept[-1].class_id).label,
                    confidence_pct=max(r.confidence_pct for r in kept),
                )
            )
    return sorted(found, key=lambda a: (a.reported_s, a.node))


def _by_onset(reports: Iterable[Report]) -> list[list[Report]]:
    groups: dict[int, list[Report]] = {}
    for report in reports:
        groups.setdefault(report.onset_ms, []).append(report)
    return list(groups.values())
