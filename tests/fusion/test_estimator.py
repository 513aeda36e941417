# SPDX-License-Identifier: MIT
"""The estimator itself: against an independent least-squares solver, and on hostile numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from scipy.optimize import minimize

from gateway.fusion import FusionState, step
from gateway.fusion.estimate.measurements import Measurements, measurements, node_rows
from gateway.fusion.estimate.motions import Motion, motion_of
from gateway.fusion.estimate.path import fit
from gateway.fusion.floors import NoiseFloors, update_floors
from gateway.model.detection import ActivityId, Detection
from gateway.model.observation import NoiseFloor
from gateway.model.place.site import Ground
from gateway.model.target import Phase, TargetClass
from tests.fusion.walkers import FLOOR_UM_S, RULES, T0, S, detections, line, run, walk

GROUND = Ground()
WALK = motion_of(TargetClass.PERSON, 1.8)


def given_of(
    seed: int, zigzag_m: float = 20, ends: tuple[tuple[float, float], ...] = ((60, -50), (100, 70))
) -> tuple[Measurements, tuple[float, float]]:
    """A walk aslant through a zigzag, as known at its 70th second; and the truth then."""
    site = line(zigzag_m=zigzag_m)
    place = walk(ends[0], ends[1])
    (versions,) = run(site, detections(site, place, 70, seed))
    event = max(versions, key=lambda one: len([a for a in one.activities if a.levels]))
    floors = NoiseFloors()
    for name in site.nodes:
        floors = update_floors(floors, NoiseFloor(name, event.last_us, FLOOR_UM_S))
    truth = place((event.last_us - T0) / S)
    rows = node_rows(site, floors, event.activities, (), event.last_us)
    return measurements(site, floors, [rows]), truth


def cost_of(given: Measurements, motion: Motion, ground: Ground) -> Callable[[np.ndarray], float]:
    """The same model written out afresh, all unknowns side by side; Huber by scipy."""
    n = len(given.nodes_m)
    sound = given.peaks + given.silences

    def residuals(v: np.ndarray) -> np.ndarray:
        out = []
        for row, node in enumerate(given.who):
            x, y = given.nodes_m[node]
            since, until, limit = given.since_s[row], given.until_s[row], given.limit[row]
            speed_sq = max(v[2] ** 2 + v[3] ** 2, 1e-6)
            at = -((v[0] - x) * v[2] + (v[1] - y) * v[3]) / speed_sq
            at = min(max(at, since), until)
            r = math.sqrt((v[0] + v[2] * at - x) ** 2 + (v[1] + v[3] * at - y) ** 2 + 1.5**2)
            fade = 0.07 * 0.5 * motion.accel_m_s2 * until**2
            if row >= sound:
                out.append(max(0.0, r - limit) / math.hypot(2.0, fade / 0.07))
                continue
            level = v[4] + v[6 + node] + given.gain[node]
            level -= ground.exponent * math.log(r)
            level -= ground.absorption_per_m * math.exp(v[5]) * r
            if row < given.peaks:
                noise = given.noise_um_s[row] ** 2
                value = 0.5 * math.log(math.exp(2 * level) + noise) - limit
                out.append(value / math.hypot(0.17, fade))
            else:
                out.append(max(0.0, level - limit) / math.hypot(0.5, fade))
        return np.array(out)

    def cost(v: np.ndarray) -> float:
        z = np.abs(residuals(v))
        loss = np.where(z > 2, 2 * (2 * z - 2), z**2).sum()
        middle = given.nodes_m.mean(axis=0)
        reach = 60.0 + np.ptp(given.nodes_m, axis=0).max()
        db = math.log(10) / 20
        loss += ((v[0] - middle[0]) / reach) ** 2 + ((v[1] - middle[1]) / reach) ** 2
        loss += ((math.hypot(v[2], v[3]) - motion.speed_m_s) / motion.sigma_m_s) ** 2
        loss += ((v[4] - ground.walker_db * db) / (ground.walker_sigma_db * db)) ** 2
        loss += (v[5] / ground.absorption_sigma) ** 2
        return float(loss + np.sum((v[6 : 6 + n] / (ground.path_db * db)) ** 2))

    return cost


def test_fit_costs_no_more_than_what_an_independent_solver_finds() -> None:
    for seed in range(2):
        given, truth = given_of(seed)
        found = fit(given, WALK, GROUND)
        assert found is not None
        cost = cost_of(given, WALK, GROUND)
        start = np.zeros(6 + len(given.nodes_m))
        start[:5] = (*truth, 0.43, 1.28, 1.87)
        # From the truth itself, with slopes by differences: slow and sure.
        solved = minimize(cost, start, method="BFGS", options={"maxiter": 60})
        assert found.cost <= solved.fun + 1.0


def test_walk_is_found_though_a_knock_is_the_loudest_of_all_reports() -> None:
    for seed in range(3):
        given, truth = given_of(seed, 0, ((35, -55), (31, 55)))
        limit = given.limit.copy()
        early = next(row for row in range(given.peaks) if given.nodes_m[given.who[row]][0] < 20)
        limit[early] = limit[: given.peaks].max() + 0.7
        knocked = replace(given, limit=limit)
        found = fit(knocked, WALK, GROUND)
        assert found is not None
        start = np.zeros(6 + len(given.nodes_m))
        start[:5] = (*truth, -0.05, 1.35, 1.87)
        solved = minimize(
            cost_of(knocked, WALK, GROUND), start, method="BFGS", options={"maxiter": 60}
        )
        assert found.cost <= solved.fun + 1.0


def test_fit_of_nothing_is_nothing() -> None:
    site = line()
    empty = measurements(site, NoiseFloors(), [])
    assert fit(empty, WALK, GROUND) is None


NODES = tuple(line().nodes)
report = st.builds(
    Detection,
    activity=st.builds(
        ActivityId,
        st.sampled_from(NODES),
        st.integers(1, 2),
        st.integers(0, 40).map(lambda n: 1000 * n),
    ),
    seq=st.integers(1, 65535),
    sector=st.just("s"),
    phase=st.sampled_from(Phase),
    target=st.sampled_from(TargetClass),
    confidence=st.sampled_from([0.0, 0.5, 1.0]),
    peak_um_s=st.sampled_from([0.0, 0.01, 1.0, 655.35]),
    cadence_hz=st.sampled_from([0.0, 1.8, 12.75]),
    pir_count=st.integers(0, 23),
    onset_us=st.integers(0, 40).map(lambda n: T0 + S * n),
    report_us=st.integers(-30, 90).map(lambda n: T0 + S * n),
    uncertainty_us=st.just(5000),
    arrival_us=st.just(T0 + 100 * S),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(report, max_size=12))
def test_fusion_of_any_reports_keeps_finite_bounded_events(reports: list[Detection]) -> None:
    state, site = FusionState(), line(zigzag_m=20)
    for one in reports:
        state, changed = step(state, site, RULES, one.arrival_us, one)
        for event in changed:
            numbers = [event.x_m, event.y_m, event.error_m, event.confidence]
            if event.track is not None:
                numbers += [event.track.speed_m_s or 0.0, event.track.direction_deg or 0.0]
            assert all(math.isfinite(number) for number in numbers)
            assert 0 <= event.confidence <= 1
            assert all(len(a.levels) <= RULES.max_levels for a in event.activities)
    assert len(state.events) <= RULES.max_open


def test_many_open_events_stay_bounded_with_one_fit_for_a_report() -> None:
    site = line(count=200)
    site = replace(
        site, nodes={name: replace(n, x_m=1000 * n.x_m) for name, n in site.nodes.items()}
    )
    state = FusionState()
    for number, name in enumerate(site.nodes):
        for one in detections(line(), walk((88, -55), (92, 55)), 30, 1)[:1]:
            own = replace(
                one,
                activity=structs.replace(one.activity, node=name),
                onset_us=T0 + number,
                report_us=T0,
            )
            state, _ = step(state, site, RULES, T0, own)
    assert len(state.events) == RULES.max_open
