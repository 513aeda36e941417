# SPDX-License-Identifier: MIT
"""Fusion: measured positions and velocities as equations of a straight path.

Each is linear in place and velocity, so it costs a handful of products, whatever the path. Huber's
loss bounds the pull of one that belongs to something else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FArray = NDArray[np.float64]

_HUBER = 2.0  # from so many deviations on a position pulls no harder
# Sources seldom state it: a Doppler radar knows the radial part to 0.2 m/s, a tracker the rest to
# about this.
VELOCITY_SIGMA_M_S = 1.0
_HEADINGS = np.deg2rad(np.arange(0.0, 360.0, 45.0))


class Position(NamedTuple):
    """A measured place at `at_s` (0 at the event's newest observation) with its covariance; and a
    velocity where the source gives one."""

    at_s: float
    x_m: float
    y_m: float
    xx_m2: float
    yy_m2: float
    xy_m2: float
    vx_m_s: float | None = None
    vy_m_s: float | None = None


class Terms(NamedTuple):
    """Of k paths: cost (k,), half its gradient (k, 4) and half its Hessian (k, 4, 4) by place and
    velocity."""

    cost: FArray
    slope: FArray
    curve: FArray


class Positions:
    """The equations of one event; made once, asked for many paths."""

    def __init__(self, given: Sequence[Position], accel_m_s2: float) -> None:
        jac: list[FArray] = []
        value: list[FArray] = []
        for one in given:
            # What does not walk straight was elsewhere then.
            strayed_m2 = (0.5 * accel_m_s2 * one.at_s**2) ** 2
            whiten = _whitening(one.xx_m2 + strayed_m2, one.yy_m2 + strayed_m2, one.xy_m2)
            jac.append(np.hstack([whiten, whiten * one.at_s]))
            value.append(whiten @ (one.x_m, one.y_m))
            if one.vx_m_s is not None and one.vy_m_s is not None:
                sigma_m_s = math.hypot(VELOCITY_SIGMA_M_S, accel_m_s2 * one.at_s)
                jac.append(np.hstack([np.zeros((2, 2)), np.eye(2) / sigma_m_s]))
                value.append(np.array([one.vx_m_s, one.vy_m_s]) / sigma_m_s)
        self.count = len(jac)
        self._jac = np.array(jac).reshape(-1, 2, 4)
        self._value = np.array(value).reshape(-1, 2)
        self._square = np.einsum("pij,pil->pjl", self._jac, self._jac)

    def terms(self, paths: FArray) -> Terms:
        """At paths (k, 4 or more), of which the first four are place and velocity."""
        off = np.einsum("pij,kj->kpi", self._jac, paths[:, :4]) - self._value
        size = np.sqrt((off * off).sum(axis=2))
        share = _HUBER / np.maximum(size, _HUBER)
        loss = np.where(size > _HUBER, _HUBER * (2 * size - _HUBER), size * size)
        return Terms(
            loss.sum(axis=1),
            np.einsum("kp,kpi,pij->kj", share, off, self._jac),
            np.tensordot(share, self._square, axes=1),
        )

    def guesses(self, speed_m_s: float, sigma_m_s: float) -> FArray:
        """Paths (k, 4) to start from: the least-squares one, and one for each heading."""
        prior = np.diag([1e-6, 1e-6, sigma_m_s**-2, sigma_m_s**-2])
        curve = self._square.sum(axis=0)
        pulled = np.einsum("pij,pi->j", self._jac, self._value)
        best = np.linalg.solve(curve + prior, pulled)
        found = [best]
        for heading in _HEADINGS:
            velocity = np.array([math.sin(heading), math.cos(heading)]) * speed_m_s
            # The best place for that velocity.
            place = np.linalg.solve(
                curve[:2, :2] + prior[:2, :2], pulled[:2] - curve[:2, 2:] @ velocity
            )
            found.append(np.concatenate([place, velocity]))
        return np.array(found)


def _whitening(xx_m2: float, yy_m2: float, xy_m2: float) -> FArray:
    """W with W'W the inverse of the covariance."""
    lower = np.linalg.cholesky(np.array([[xx_m2, xy_m2], [xy_m2, yy_m2]]))
    return np.asarray(np.linalg.inv(lower), np.float64)
