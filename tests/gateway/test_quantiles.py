# SPDX-License-Identifier: MIT
"""Quantiles in plain Python against scipy's, an independent implementation."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaincinv, gammaincinv

from gateway.performance.quantiles import beta_quantile, gamma_quantile

COUNTS = st.one_of(st.integers(1, 20), st.integers(1, 1_000_000))
PROBABILITIES = st.sampled_from((1e-4, 0.005, 0.025, 0.05, 0.5, 0.95, 0.975, 0.995, 1 - 1e-4))


@settings(max_examples=300, deadline=None)
@given(COUNTS, COUNTS, PROBABILITIES)
def test_quantile_of_beta_is_scipys(a: int, b: int, probability: float) -> None:
    wanted = pytest.approx(betaincinv(a, b, probability), rel=1e-7)
    assert beta_quantile(a, b, probability) == wanted


@settings(max_examples=300, deadline=None)
@given(COUNTS, PROBABILITIES)
def test_quantile_of_gamma_is_scipys(a: int, probability: float) -> None:
    assert gamma_quantile(a, probability) == pytest.approx(gammaincinv(a, probability), rel=1e-9)


def test_intervals_load_no_scipy() -> None:
    look = "import gateway.performance.intervals, sys; sys.exit('scipy' in sys.modules)"
    subprocess.run([sys.executable, "-c", look], check=True)
