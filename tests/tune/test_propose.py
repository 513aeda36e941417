# SPDX-License-Identifier: MIT
"""A proposal stays within its bounds, moves one step, and is monotone in what is unwanted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.tuning import bounds
from gateway.tuning.propose import Action, Figures, propose

NOW_US = 1_790_000_000_000_000
NOISY = Figures(
    threshold_x10=0,
    quiet_h=240.0,
    unwanted=60,
    assessed=60,
    removed=60,
    changed_us=None,
    now_us=NOW_US,
)
figures = st.builds(
    Figures,
    threshold_x10=st.integers(-20, 40),
    quiet_h=st.floats(0, 9000),
    unwanted=st.integers(0, 5000),
    assessed=st.integers(0, 20),
    removed=st.integers(0, 5000),
    uncertain=st.integers(0, 50),
    listened_h=st.floats(0, 9000),
    changed_us=st.none() | st.integers(0, 2 * NOW_US),
    now_us=st.just(NOW_US),
)


@settings(deadline=None)
@given(figures)
def test_proposal_of_anything_is_one_step_within_the_bounds(of: Figures) -> None:
    found = propose(of)
    assert of.threshold_x10 is not None and found.threshold_x10 is not None
    assert found.why
    if found.action is Action.NONE:
        assert found.threshold_x10 == of.threshold_x10
        return
    assert bounds.LOW_X10 <= found.threshold_x10 <= bounds.HIGH_X10
    step = found.threshold_x10 - of.threshold_x10
    assert 0 < abs(step) <= bounds.STEP_X10
    assert (step > 0) is (found.action is Action.RAISE)
    assert of.quiet_h >= bounds.MIN_QUIET_H
    if of.changed_us is not None:
        assert of.now_us - of.changed_us >= bounds.MIN_DAYS_BETWEEN * bounds.DAY_US


@settings(deadline=None)
@given(figures, st.integers(1, 2000))
def test_proposal_with_more_unwanted_detections_is_never_lower(of: Figures, more: int) -> None:
    fewer, noisier = propose(of), propose(replace(of, unwanted=of.unwanted + more))
    assert fewer.threshold_x10 is not None and noisier.threshold_x10 is not None
    assert fewer.threshold_x10 <= noisier.threshold_x10


@settings(deadline=None)
@given(figures)
def test_proposal_without_exposure_is_always_no_change(of: Figures) -> None:
    found = propose(replace(of, quiet_h=of.quiet_h % bounds.MIN_QUIET_H))
    assert found.action is Action.NONE


@pytest.mark.parametrize(
    ("changed", "action", "expected"),
    [
        ({}, Action.RAISE, "certainly above 3"),
        ({"threshold_x10": 17}, Action.RAISE, "certainly above 3"),
        ({"threshold_x10": 20}, Action.NONE, "20 is the upper bound"),
        ({"threshold_x10": 30}, Action.NONE, "set by hand"),
        ({"threshold_x10": None}, Action.NONE, "has not stated its settings"),
        ({"quiet_h": 71.0}, Action.NONE, "too little quiet (71 of 72 hours)"),
        ({"assessed": 2}, Action.NONE, "assess its alarms"),
        ({"removed": 0}, Action.NONE, "would remove none of them"),
        ({"changed_us": NOW_US - 6 * bounds.DAY_US}, Action.NONE, "changed 6.0 days ago"),
        ({"changed_us": NOW_US + bounds.DAY_US}, Action.NONE, "changed 0.0 days ago"),
        ({"changed_us": NOW_US - 7 * bounds.DAY_US}, Action.RAISE, "certainly above 3"),
        ({"unwanted": 10}, Action.NONE, "1.0 unwanted detections per day"),
        ({"unwanted": 10, "threshold_x10": -5, "quiet_h": 150.0}, Action.RAISE, "above 0.5"),
        ({"unwanted": 0}, Action.LOWER, "certainly below 0.5"),
        ({"unwanted": 0, "uncertain": 3, "listened_h": 300.0}, Action.NONE, "may be unwanted too"),
        ({"unwanted": 0, "uncertain": 3, "listened_h": 900.0}, Action.LOWER, "below 0.5"),
        ({"unwanted": 0, "quiet_h": 100.0}, Action.NONE, "0.0 unwanted"),
        ({"unwanted": 0, "threshold_x10": -10}, Action.NONE, "-10 is the lower bound"),
        ({"base_x10": -5, "quiet_h": 0.0}, Action.RETURN, "the tuning is over"),
        ({"base_x10": 0}, Action.RAISE, "certainly above 3"),
    ],
)
def test_proposal_of_a_noisy_node_with_one_figure_changed_states_why(
    changed: dict[str, int], action: Action, expected: str
) -> None:
    found = propose(replace(NOISY, **changed))  # type: ignore[arg-type]  # fields by name
    assert (found.action, expected in found.why) == (action, True), found
