# SPDX-License-Identifier: MIT
"""Measured performance: quantiles of the beta and the gamma distribution in plain Python.

scipy has them too, but a gateway would install 100 MB for these two functions. Pure.
Sources: DLMF 8.17.22 (continued fraction of the incomplete beta function), 8.11.4 and 8.9.2 (series
and continued fraction of the incomplete gamma function); continued fractions by Lentz's method.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

_TINY = 1e-300
_EPSILON = 1e-15
_MAX_STEPS = 200
# Both fractions and the series converge within a small multiple of the square root of the largest
# parameter (Press et al., Numerical Recipes, 6.2 and 6.4).
_TERMS, _TERMS_PER_ROOT = 200, 20


def beta_quantile(a: float, b: float, probability: float) -> float:
    """The x with I_x(a, b) = `probability`; a, b > 0, 0 < probability < 1."""

    def density(x: float) -> float:
        return math.exp(_log_beta_power(a, b, x)) / (x * (1 - x))

    return _solve(lambda x: _beta_cdf(a, b, x), density, probability, 0.0, 1.0)


def gamma_quantile(a: float, probability: float) -> float:
    """The x with P(a, x) = `probability` (scale 1); a > 0, 0 < probability < 1."""

    def density(x: float) -> float:
        return math.exp(_log_gamma_power(a, x)) / x

    high = a + 1
    while _gamma_cdf(a, high) < probability:
        high *= 2
    return _solve(lambda x: _gamma_cdf(a, x), density, probability, 0.0, high)


def _solve(
    cdf: Callable[[float], float],
    density: Callable[[float], float],
    target: float,
    low: float,
    high: float,
) -> float:
    """Newton's steps towards cdf(x) = target; a step that leaves the bracket is a bisection."""
    x = (low + high) / 2
    for _step in range(_MAX_STEPS):
        error = cdf(x) - target
        if error > 0:
            high = x
        else:
            low = x
        slope = density(x)
        following = x - error / slope if slope > 0 else low
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - x) <= 4 * _EPSILON * x:
            return following
        x = following
    return x


def _beta_cdf(a: float, b: float, x: float) -> float:
    front = math.exp(_log_beta_power(a, b, x))
    if x < (a + 1) / (a + b + 2):
        return front / (a * _fraction(1.0, _beta_terms(a, b, x), a + b))
    return 1 - front / (b * _fraction(1.0, _beta_terms(b, a, 1 - x), a + b))


def _log_beta_power(a: float, b: float, x: float) -> float:
    """log of x^a (1-x)^b / B(a, b)."""
    return (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )


def _beta_terms(a: float, b: float, x: float) -> Iterator[tuple[float, float]]:
    """Numerators and denominators of the fraction after its leading 1."""
    m = 0
    while True:
        yield -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1.0
        m += 1
        yield m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1.0


def _gamma_cdf(a: float, x: float) -> float:
    front = math.exp(_log_gamma_power(a, x))
    if x < a + 1:
        return front * _gamma_series(a, x)
    return 1 - front / _fraction(x + 1 - a, _gamma_terms(a, x), a)


def _log_gamma_power(a: float, x: float) -> float:
    """log of x^a e^-x / Gamma(a)."""
    return a * math.log(x) - x - math.lgamma(a)


def _gamma_series(a: float, x: float) -> float:
    term = total = 1 / a
    for step in range(1, _terms_within(a)):
        term *= x / (a + step)
        total += term
        if term < total * _EPSILON:
            break
    return total


def _gamma_terms(a: float, x: float) -> Iterator[tuple[float, float]]:
    step = 0
    while True:
        step += 1
        yield -step * (step - a), x + 1 - a + 2 * step


def _terms_within(parameter: float) -> int:
    return _TERMS + int(_TERMS_PER_ROOT * math.sqrt(parameter))


def _fraction(first: float, terms: Iterator[tuple[float, float]], parameter: float) -> float:
    """first + n1/(d1 + n2/(d2 + ...)) by the modified Lentz method."""
    value = c = first
    d = 0.0
    for _step in range(_terms_within(parameter)):
        numerator, denominator = next(terms)
        d = 1 / (denominator + numerator * d or _TINY)
        c = denominator + numerator / c or _TINY
        value *= c * d
        if abs(c * d - 1) < _EPSILON:
            break
    return value
