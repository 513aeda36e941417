# SPDX-License-Identifier: MIT
"""Fusion: how far a straight path is from the measurements, and which direction is better.

The unknowns of a path are place (m), velocity (m/s), source level (ln um/s at 1 m) and what the
ground absorbs in a metre (ln, over the site file's value), six in all, and for each node what its
own path through the ground adds (ln): a nuisance unknown, solved for exactly inside (Schur's
complement), so that a path costs six unknowns, not fourteen. Ground that absorbs more than assumed
makes every pass sharper, as haste does: without that unknown speeds come out too high.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gateway.fusion.estimate.measurements import Measurements
from gateway.fusion.estimate.motions import Motion
from gateway.fusion.estimate.positions import FArray, Positions
from gateway.model.place.site import Ground

UNKNOWNS = 6
_MAX_ABSORPTION = 3.0  # ln: a step of the fit goes no further from the ground that is known
LN_PER_DB = math.log(10) / 20
_NEAREST_M = 1.5  # softens the law at a node's own place
STEP_SIGMA = 0.17  # ln: peaks of a few steps against the law, as measured along simulated walks
_SILENT_SIGMA = 0.5  # ln: how sharply a node starts to detect
_PIR_SIGMA_M = 2.0
_GRADIENT = 0.07  # ln per metre at 15 to 25 m: the level difference that an error of place makes
_HUBER = 2.0  # from so many deviations on a report pulls no harder
_REACH_M = 60.0


class Normal(NamedTuple):
    """Gauss-Newton's equations of k paths, without the nodes' own terms. `slope` (k, 6) is the
    gradient, `curve` (k, 6, 6) the Hessian."""

    cost: FArray
    slope: FArray
    curve: FArray
    mixed: FArray  # (k, 6, n)
    own_slope: FArray  # (k, n)
    own_curve: FArray  # (k, n)


class Residuals:
    """Of one event: made once, asked for many paths."""

    def __init__(self, given: Measurements, motion: Motion, ground: Ground) -> None:
        self.given, self.motion = given, motion
        self.place_x, self.place_y = given.nodes_m[given.who].T
        self.gain = given.gain[given.who]
        self.exponent = ground.exponent if motion.exponent is None else motion.exponent
        self.absorption = (
            ground.absorption_per_m if motion.absorption_per_m is None else motion.absorption_per_m
        )
        sound = given.peaks + given.silences
        self.unit = (given.who[:sound, None] == np.arange(len(given.nodes_m))).astype(float)
        self.unit_by_node = np.ascontiguousarray(self.unit.T)
        self.noise_sq = given.noise_um_s**2
        fade = _GRADIENT * 0.5 * motion.accel_m_s2 * given.until_s**2
        sigma = np.full(len(given.who), _PIR_SIGMA_M)
        sigma[: given.peaks] = STEP_SIGMA
        sigma[given.peaks : sound] = _SILENT_SIGMA
        fade[sound:] /= _GRADIENT
        self.weight = 1.0 / np.hypot(sigma, fade)
        self.positions = Positions(given.positions, motion.accel_m_s2) if given.positions else None
        places = given.nodes_m
        if not len(places):
            places = np.array([(one.x_m, one.y_m) for one in given.positions])
        middle = places.mean(axis=0)
        reach_m = _REACH_M + float(np.ptp(places, axis=0).max())
        self.source_level = (ground.walker_db + motion.louder_db) * LN_PER_DB
        self.level_sigma = math.hypot(ground.walker_sigma_db, motion.sigma_db) * LN_PER_DB
        self.own_sigma = ground.path_db * LN_PER_DB
        self.prior_at = np.array([*middle, 0.0, 0.0, self.source_level, 0.0])
        sigmas = np.array([reach_m, reach_m, np.inf, np.inf, self.level_sigma])
        self.prior_weight = np.array([*sigmas**-2, ground.absorption_sigma**-2])
        # A little of both velocities, so that a path without any is no singular matrix.
        self.prior_curve = np.diag(self.prior_weight + np.array([0, 0, 1e-4, 1e-4, 0, 0]))

    def distances(self, paths: FArray) -> tuple[FArray, FArray, FArray, FArray]:
        """(nearest moment of each interval, dx, dy, distance then), each (k, rows)."""
        vx, vy = paths[:, 2, None], paths[:, 3, None]
        from_x = paths[:, 0, None] - self.place_x
        from_y = paths[:, 1, None] - self.place_y
        at = -(from_x * vx + from_y * vy) / np.maximum(vx * vx + vy * vy, 1e-6)
        at = np.minimum(np.maximum(at, self.given.since_s), self.given.until_s)
        dx, dy = from_x + vx * at, from_y + vy * at
        return at, dx, dy, np.sqrt(dx * dx + dy * dy + _NEAREST_M**2)

    def spread(self, distance_m: FArray, absorption: FArray | float) -> FArray:
        """ln of what distance and a node's gain leave of the level at 1 m."""
        return self.gain - self.exponent * np.log(distance_m) - absorption * distance_m

    def rough_cost(self, paths: FArray) -> tuple[FArray, FArray]:
        """(cost (k,), best source level (k,)) of paths (k, 4): without Gauss-Newton's help, on the
        ground that the site's file knows. What a node's own way adds is one to all of its peaks."""
        peaks, sound = self.given.peaks, self.given.peaks + self.given.silences
        _, _, _, far = self.distances(paths)
        left = self.given.limit[:sound] - self.spread(far, self.absorption)[:, :sound]
        peak, weight, unit = left[:, :peaks], self.weight[:peaks] ** 2, self.unit[:peaks]
        sums = np.maximum(weight @ unit, 1e-9)
        of_node = (peak * weight) @ unit / sums
        within = (peak - of_node @ unit.T) ** 2 @ weight
        trust = 1.0 / (1.0 / sums + self.own_sigma**2)
        prior = 1.0 / self.level_sigma**2
        loud = (of_node @ trust + prior * self.source_level) / (trust.sum() + prior)
        between = (of_node - loud[:, None]) ** 2 @ trust + prior * (loud - self.source_level) ** 2
        over = np.maximum(loud[:, None] - left[:, peaks:], 0.0)
        silent = (over**2).sum(axis=1) / (_SILENT_SIGMA**2 + self.own_sigma**2)
        cost = within + between + silent
        if self.positions is not None:
            cost = cost + self.positions.terms(paths).cost
        return cost, loud

    def normal(self, paths: FArray, own: FArray) -> Normal:
        """The equations at paths (k, 6) with nodes' own terms (k, n)."""
        given, peaks = self.given, self.given.peaks
        sound = peaks + given.silences
        at, dx, dy, far = self.distances(paths)
        absorption = self.absorption * np.exp(np.minimum(paths[:, 5], _MAX_ABSORPTION))[:, None]
        near = far[:, :sound]
        level = self.gain[:sound] - self.exponent * np.log(near)
        level -= absorption * near
        level += paths[:, 4, None]
        level += own @ self.unit_by_node
        value = np.empty(far.shape)
        gate = np.empty(far.shape)
        # what a node measures is the source and its own noise
        noise = self.noise_sq * np.exp(-2 * np.maximum(level[:, :peaks], -20.0))
        value[:, :sound] = level
        value[:, sound:] = far[:, sound:]
        value -= given.limit
        value[:, :peaks] += 0.5 * np.log1p(noise)
        gate[:, :peaks] = 1.0 / (1.0 + noise)
        over = value[:, peaks:] > 0
        value[:, peaks:] *= over
        gate[:, peaks:] = over
        value *= self.weight
        size = np.abs(value)
        # Huber's loss: what belongs to something else pulls with bounded force
        bound = np.minimum(size, _HUBER)
        loss = (bound * (2 * size - bound)).sum(axis=1)
        soft = np.sqrt(_HUBER / np.maximum(size, _HUBER))
        gate *= soft * self.weight
        pull = -gate * (self.exponent / far + absorption) / far
        pull[:, sound:] = gate[:, sound:] / far[:, sound:]
        rows = np.empty((len(paths), UNKNOWNS + 1, far.shape[1]))  # derivatives, then the value
        np.multiply(pull, dx, out=rows[:, 0])
        np.multiply(pull, dy, out=rows[:, 1])
        np.multiply(rows[:, :2], at[:, None, :], out=rows[:, 2:4])
        rows[:, 4, :sound] = gate[:, :sound]
        np.multiply(gate[:, :sound] * -absorption, near, out=rows[:, 5, :sound])
        rows[:, 4:6, sound:] = 0.0
        np.multiply(value, soft, out=rows[:, 6])
        by_node = (rows[:, :, :sound] * gate[:, None, :sound]) @ self.unit
        return self._solved(paths, own, loss, rows @ rows.transpose(0, 2, 1), by_node)

    def _solved(
        self, paths: FArray, own: FArray, loss: FArray, square: FArray, by_node: FArray
    ) -> Normal:
        """With the priors, and the nodes' own terms taken out. `square` (k, 7, 7) holds products of
        rows with one another, `by_node` (k, 7, n) those with the nodes' own derivatives."""
        off = paths - self.prior_at
        speed = np.maximum(np.hypot(paths[:, 2], paths[:, 3]), 0.05)
        pace = (speed - self.motion.speed_m_s) / self.motion.sigma_m_s
        cost = loss + (off * off) @ self.prior_weight + pace**2
        cost += (own * own).sum(axis=1) / self.own_sigma**2
        system = square[:, :UNKNOWNS]  # Hessian, and the gradient as its last column
        system[:, :, :UNKNOWNS] += self.prior_curve
        system[:, :, UNKNOWNS] += off * self.prior_weight
        lead = np.empty((len(paths), 3))
        lead[:, :2] = paths[:, 2:4] / (speed * self.motion.sigma_m_s)[:, None]
        lead[:, 2] = pace
        system[:, 2:4, [2, 3, UNKNOWNS]] += lead[:, :2, None] * lead[:, None, :]
        if self.positions is not None:
            terms = self.positions.terms(paths)
            cost += terms.cost
            system[:, :4, UNKNOWNS] += terms.slope
            system[:, :4, :4] += terms.curve
        # The derivative by source level is that by a node's own term.
        own_curve = by_node[:, 4] + 1.0 / self.own_sigma**2
        by_node[:, UNKNOWNS] += own / self.own_sigma**2
        mixed = by_node[:, :UNKNOWNS]
        system -= (mixed / own_curve[:, None, :]) @ by_node.transpose(0, 2, 1)
        return Normal(
            cost,
            system[:, :, UNKNOWNS],
            system[:, :, :UNKNOWNS],
            mixed,
            by_node[:, UNKNOWNS],
            own_curve,
        )
