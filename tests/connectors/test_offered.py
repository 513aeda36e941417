# SPDX-License-Identifier: MIT
"""What connectors offer: checked whatever it is, before it may become evidence."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.model.observation import Claim, ClaimKind, Contact, Covariance, Plot, Presence
from gateway.model.target import TargetClass
from gateway.service.connectors.offered import (
    MAX_AGE_US,
    MAX_AHEAD_US,
    MAX_DISTANCE_M,
    OfferedError,
    checked,
)

T0 = 1_790_000_000_000_000
NAN, INF = float("nan"), float("inf")
PLOT = Plot("", T0, 10.0, 20.0, Covariance.of_error(4.0), "17", TargetClass.PERSON, 0.8, 1.0, 0.5)
PRESENCE = Presence("", T0, 10.0, 20.0, 12.0)
CONTACT = Contact("", T0, 10.0, 20.0, Covariance.of_error(4.0), "P1")
CLAIM = Claim("", T0, 7, ClaimKind.CONFIRMED, "c2")


@pytest.mark.parametrize("observation", [PLOT, PRESENCE, CONTACT, CLAIM])
def test_offer_that_is_valid_gets_the_connector_as_its_source(observation: Any) -> None:
    assert checked(observation, "radar", T0).source == "radar"
    part = replace(observation, source="radar/north")
    assert checked(part, "radar", T0).source == "radar/north"
    assert checked(replace(observation, source="n01"), "radar", T0).source == "radar"


@pytest.mark.parametrize(
    ("observation", "problem"),
    [
        (replace(PLOT, at_us=T0 - MAX_AGE_US - 1), "an hour old"),
        (replace(PLOT, at_us=T0 + MAX_AHEAD_US + 1), "future"),
        (replace(PLOT, at_us=float(T0)), "whole number"),
        (replace(PLOT, at_us=True), "whole number"),
        (replace(PLOT, x_m=NAN), "finite"),
        (replace(PLOT, y_m=-INF), "finite"),
        (replace(PLOT, x_m="10"), "finite"),
        (replace(PLOT, x_m=MAX_DISTANCE_M + 1), "near the site"),
        (replace(PLOT, x_m=1e308, y_m=1e308), "near the site"),
        (replace(PLOT, covariance=Covariance(0.0, 1.0)), "positive definite"),
        (replace(PLOT, covariance=Covariance(1.0, 1.0, 1.0)), "positive definite"),
        (replace(PLOT, covariance=Covariance(NAN, 1.0)), "finite"),
        (replace(PLOT, covariance=Covariance(1e300, 1e300)), "near the site"),
        (replace(PLOT, covariance=(1, 1, 0)), "covariance"),
        (replace(PLOT, confidence=1.01), "0 to 1"),
        (replace(PLOT, target="person"), "class"),
        (replace(PLOT, vx_m_s=None), "velocity"),
        (replace(PLOT, vx_m_s=1e6), "speed"),
        (replace(PLOT, track="x" * 65), "texts"),
        (replace(PLOT, track="a\nb"), "texts"),
        (replace(PLOT, track=None), "texts"),
        (replace(PLOT, source=7), "texts"),
        (replace(PRESENCE, range_m=0.0), "range"),
        (replace(PRESENCE, movements=0), "movements"),
        (replace(PRESENCE, movements=1.5), "movements"),
        (replace(CONTACT, call_sign=""), "texts"),
        (replace(CLAIM, alarm_id=0), "alarm"),
        (replace(CLAIM, alarm_id=1 << 60), "alarm"),
        (replace(CLAIM, kind="confirmed"), "kind"),
        (replace(CLAIM, note="x" * 201), "texts"),
        (None, "no plot"),
        ({"at_us": T0}, "no plot"),
    ],
)
def test_offer_that_is_invalid_is_refused_with_the_reason(observation: Any, problem: str) -> None:
    with pytest.raises(OfferedError, match=problem):
        checked(observation, "radar", T0)


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text("ab/\n\0\u00e9 ", max_size=300),
    st.binary(max_size=10),
    st.just(Covariance(INF, NAN)),
    st.lists(st.integers(), max_size=3),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_offer_of_whatever_values_is_accepted_finite_or_refused(data: st.DataObject) -> None:
    observation: Any = data.draw(st.sampled_from([PLOT, PRESENCE, CONTACT, CLAIM]))
    for name in data.draw(st.sets(st.sampled_from([one.name for one in fields(observation)]))):
        observation = replace(observation, **{name: data.draw(ANYTHING)})
    try:
        accepted = checked(observation, "radar", T0)
    except OfferedError:
        return
    assert accepted.source == "radar" or accepted.source.startswith("radar/")
    assert T0 - MAX_AGE_US <= accepted.at_us <= T0 + MAX_AHEAD_US
    if not isinstance(accepted, Claim):
        assert abs(accepted.x_m) <= MAX_DISTANCE_M and abs(accepted.y_m) <= MAX_DISTANCE_M
