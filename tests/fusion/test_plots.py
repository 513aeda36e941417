# SPDX-License-Identifier: MIT
"""Plots of radars and cameras: they move a track, support it, and never raise an alarm alone."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fusion import FusionState, step
from gateway.model.detection import Detection
from gateway.model.event import Event
from gateway.model.observation import Covariance, NoiseFloor, Observation, Plot
from gateway.model.target import TargetClass
from tests.fusion.walkers import FLOOR_UM_S, RULES, T0, Place, S, detections, line, walk

SITE = line()
ERROR_M = 4.0
CROSSING = walk((88, -60), (92, 60))


def plot_at(t_s: float, x_m: float, y_m: float, **how: object) -> Plot:
    fields: dict[str, object] = {
        "source": "radar1",
        "track": "7",
        "target": TargetClass.PERSON,
        "confidence": 0.9,
        "covariance": Covariance.of_error(ERROR_M),
    }
    return Plot(at_us=T0 + round(t_s * S), x_m=x_m, y_m=y_m, **{**fields, **how})  # type: ignore[arg-type]  # fields are given by name


def plots(
    place: Place,
    from_s: float,
    until_s: float,
    seed: int,
    error_m: float = ERROR_M,
    **how: object,
) -> list[Plot]:
    """What a radar reports of an actor every 2 s, each at once."""
    how = {"covariance": Covariance.of_error(error_m), **how}
    rng = random.Random(seed)
    found = []
    for number in range(int((until_s - from_s) / 2)):
        t_s = from_s + number * 2.0
        x_m, y_m = place(t_s)
        found.append(plot_at(t_s, x_m + rng.gauss(0, error_m), y_m + rng.gauss(0, error_m), **how))
    return found


def played(*given: Iterable[Observation]) -> list[Event]:
    """Every version of every event, with a tick each second, until all are closed."""
    state, versions = FusionState(), list[Event]()
    for name in SITE.nodes:
        state, _ = step(state, SITE, RULES, T0, NoiseFloor(name, T0, FLOOR_UM_S))
    arriving = sorted(
        ((_arrival_us(one), number, one) for number, one in enumerate(o for g in given for o in g)),
        key=lambda item: item[:2],
    )
    now_us = T0
    for at_us, _, one in arriving:
        while now_us + S <= at_us:
            now_us += S
            state, changed = step(state, SITE, RULES, now_us, None)
            versions += changed
        state, changed = step(state, SITE, RULES, at_us, one)
        versions += changed
    for _ in range(60):
        now_us += S
        state, changed = step(state, SITE, RULES, now_us, None)
        versions += changed
    assert state.events == ()
    assert state.failures == 0
    return versions


def _arrival_us(one: Observation) -> int:
    return one.arrival_us if isinstance(one, Detection) else one.at_us  # type: ignore[union-attr]  # plots have no arrival


def off_m(versions: Sequence[Event], place: Place) -> float:
    """The median error of the place of versions that have one."""
    found = []
    for event in versions:
        x_m, y_m = place((event.last_us - T0) / S)
        if event.fix is not None and abs(x_m) < 1e3:
            found.append(math.hypot(event.x_m - x_m, event.y_m - y_m))
    assert len(found) > 5
    return median(found)


def test_plots_in_an_event_move_its_track_and_show_its_direction() -> None:
    reports = detections(SITE, CROSSING, 90, 3)
    alone = played(reports)
    both = played(reports, plots(CROSSING, 20, 80, 1))
    assert len({event.id for event in both if event.activities}) == 1
    # A straight line of nodes cannot know the side; the radar does.
    assert off_m(both, CROSSING) < 0.3 * off_m(alone, CROSSING)
    directions = [e.track.direction_deg for e in both if e.track and e.track.direction_deg]
    assert directions and abs((directions[-1] - 2 + 180) % 360 - 180) < 20
    assert not any(e.track.direction_deg for e in alone if e.track)
    last = both[-1]
    assert last.confirmed
    assert sum("radar1: 3 plots on the track" in reason for reason in last.reasons) == 1


def test_plots_of_one_source_alone_are_an_event_that_is_never_confirmed() -> None:
    versions = played(plots(CROSSING, 5, 85, 2, confidence=1.0))
    assert {event.id for event in versions} == {"e1"}
    assert not any(event.confirmed for event in versions)
    assert off_m(versions, CROSSING) < 2 * ERROR_M
    track = versions[-2].track
    assert track is not None and track.speed_m_s == pytest.approx(1.35, rel=0.25)


def test_plots_of_two_sources_on_one_track_confirm_it() -> None:
    radar = plots(CROSSING, 5, 60, 2)
    camera = plots(CROSSING, 5.5, 60, 3, source="camera2", track="")
    versions = played(radar, camera)
    assert len({event.id for event in versions}) == 1
    confirmed = next(event for event in versions if event.confirmed)
    assert any("independent sensors agree" in reason for reason in confirmed.reasons)


def test_track_that_was_off_at_first_joins_the_event_of_its_target_once_it_is_right() -> None:
    radar = plots(CROSSING, 5, 80, 2)
    camera = {"source": "camera2", "track": "9"}
    wrong = plots(lambda t_s: (CROSSING(t_s)[0] + 45, CROSSING(t_s)[1]), 5, 11, 3, **camera)
    right = plots(CROSSING, 19, 80, 4, **camera)
    versions = played(radar, wrong, right)
    both = [event for event in versions if {"radar1", "camera2"} == {p.source for p in event.plots}]
    assert both and both[-1].confirmed
    assert sum(event.closed and event.confirmed for event in versions) == 1


def test_two_tracks_of_one_source_side_by_side_stay_two_events() -> None:
    def beside(t_s: float) -> tuple[float, float]:
        x_m, y_m = CROSSING(t_s)
        return x_m + 30, y_m

    first = plots(CROSSING, 5, 60, 2, error_m=1.0)
    second = plots(beside, 5, 60, 3, error_m=1.0, track="8")
    assert {event.id for event in played(first, second)} == {"e1", "e2"}


@pytest.mark.parametrize(("confidence", "confirmed"), [(0.9, True), (0.4, False)])
def test_plots_with_one_unsure_node_confirm_it_as_far_as_their_source_is_sure(
    confidence: float, confirmed: bool
) -> None:
    reports = detections(SITE, CROSSING, 90, 3)
    node = reports[0].node
    unsure = [replace(one, confidence=0.5) for one in reports if one.node == node]
    assert not any(event.confirmed for event in played(unsure))
    versions = played(unsure, plots(CROSSING, 20, 80, 1, confidence=confidence))
    assert any(event.confirmed for event in versions if event.activities) is confirmed


def test_plot_far_from_every_event_opens_its_own_and_leaves_the_others_alone() -> None:
    reports = detections(SITE, CROSSING, 90, 3)
    elsewhere = plots(lambda t_s: (-300.0, 250.0), 20, 80, 1, target=TargetClass.UNKNOWN)
    versions = played(reports, elsewhere)
    nodes = [event for event in versions if event.activities]
    assert not any(event.plots for event in nodes)
    expected = [replace(event, id="") for event in played(reports)]
    assert [replace(event, id="") for event in nodes] == expected


def test_detection_near_a_plotted_track_joins_its_event() -> None:
    reports = detections(SITE, CROSSING, 90, 3)
    versions = played(plots(CROSSING, 0, 80, 1), reports)
    assert {event.id for event in versions} == {"e1"}
    assert versions[-1].activities and versions[-1].plots and versions[-1].confirmed


def test_plots_with_one_track_number_stay_in_one_event_when_their_target_turns() -> None:
    def place(t_s: float) -> tuple[float, float]:
        return (1.4 * t_s, -50.0) if t_s < 30 else (42.0, -50.0 - 1.4 * (t_s - 30))

    versions = played(plots(place, 0, 60, 4))
    assert {event.id for event in versions} == {"e1"}


def test_plot_that_jumps_further_than_anything_runs_is_another_target() -> None:
    first = [plot_at(t_s, 0.0, 0.0) for t_s in range(5)]
    second = [plot_at(6 + t_s, 300.0, 0.0) for t_s in range(5)]
    assert {event.id for event in played(first, second)} == {"e1", "e2"}


def test_flood_of_false_plots_ends_no_event_of_nodes() -> None:
    reports = detections(SITE, CROSSING, 90, 3)
    at_s = (reports[3].arrival_us - T0) / S
    flood = [
        plot_at(at_s + number / 100, 1000.0 + 500 * number, 0.0, track=str(number))
        for number in range(200)
    ]
    versions = played(reports, flood)
    assert len({event.id for event in versions if event.activities}) == 1
    assert versions[-1].confirmed


def test_plots_of_a_fast_camera_are_thinned_and_bounded() -> None:
    state = FusionState()
    for number in range(2000):
        plot = plot_at(number / 25, 0.05 * number, 0.0, source="camera1")
        state, _ = step(state, SITE, RULES, plot.at_us, plot)
    (event,) = state.events
    assert len(event.plots) == RULES.max_plots
    gaps_us = [b.at_us - a.at_us for a, b in zip(event.plots, event.plots[1:], strict=False)]
    assert min(gaps_us) >= RULES.plot_every_us


@pytest.mark.parametrize(
    "given",
    [
        plot_at(0, math.nan, 0.0),
        plot_at(0, 1e300, 0.0),
        plot_at(0, 0.0, 0.0, confidence=math.nan),
        plot_at(0, 0.0, 0.0, covariance=Covariance(1.0, 1.0, 2.0)),
        plot_at(0, 0.0, 0.0, covariance=Covariance(math.inf, 1.0)),
        plot_at(0, 0.0, 0.0, vx_m_s=1e9, vy_m_s=0.0),
        plot_at(60, 0.0, 0.0),
    ],
)
def test_plot_that_is_no_position_or_of_the_future_changes_nothing(given: Plot) -> None:
    state = FusionState()
    assert step(state, SITE, RULES, T0, given) == (state, ())


numbers = st.sampled_from([-9e4, -50.0, 0.0, 3.3, 60.0, 9e4])
plot = st.builds(
    Plot,
    source=st.sampled_from(["radar1", "camera2"]),
    at_us=st.integers(-90, 5).map(lambda n: T0 + n * S),
    x_m=numbers,
    y_m=numbers,
    covariance=st.builds(
        Covariance,
        st.sampled_from([1e-4, 9.0, 1e8]),
        st.sampled_from([1e-4, 9.0, 1e8]),
        st.sampled_from([0.0, 9e-5, 8.9]),
    ),
    track=st.sampled_from(["", "1"]),
    target=st.sampled_from(TargetClass),
    confidence=st.sampled_from([0.0, 0.5, 1.0]),
    vx_m_s=st.sampled_from([None, 0.0, 999.0]),
    vy_m_s=st.sampled_from([None, 0.0, -999.0]),
)
REPORTS = detections(SITE, CROSSING, 90, 3)[:6]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(plot, st.sampled_from(REPORTS)), max_size=12))
def test_fusion_of_any_plots_keeps_finite_bounded_events(observed: list[Plot | Detection]) -> None:
    state = FusionState()
    for number, one in enumerate(observed):
        now_us = max(T0, one.at_us if isinstance(one, Plot) else one.arrival_us) + number * S
        state, changed = step(state, SITE, RULES, now_us, one)
        for event in changed:
            assert all(math.isfinite(n) for n in (event.x_m, event.y_m, event.error_m))
            assert 0 <= event.confidence <= 1
    assert state.failures == 0
