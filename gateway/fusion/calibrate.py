# SPDX-License-Identifier: MIT
"""Fusion: calibration from a walk test: attenuation with distance, gain of each node, walker level.

A person walks a known path past the nodes, a few times. Within one pass at one node the loss of its
path is constant, so differences within passes give the attenuation with distance. The level that is
left over gives the node's gain. The rest differs from pass to pass and is the loss of the paths.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gateway.fusion.estimate.residuals import LN_PER_DB
from gateway.fusion.estimate.wave import Lead, wave_of
from gateway.model.place.site import Ground

MIN_SAMPLES = 30
MIN_PASSES = 6
_CLEAR = 2.0  # times the noise's own peak: below it the noise has a part in the level
_FARTHEST_M = 45.0
_NEAREST_M = 1.5
_ABSORPTION = (0.0, 0.5)
_ABSORPTION_SIGMA = 0.2  # ln: what a dozen passes leave open
_MIN_PATH_DB = 2.0
_MIN_WALKER_SIGMA_DB = 4.0  # other people, other shoes: heel strikes alone differ by so much


@dataclass(frozen=True, slots=True)
class Sample:
    """The peak of one report. The walker was `distance_m` away at the nearest; `walk` identifies
    the pass."""

    node: str
    walk: str
    distance_m: float
    peak_um_s: float
    noise_um_s: float  # the peak of the node's own noise


@dataclass(frozen=True, slots=True)
class Calibration:
    """For site.toml: [ground], and gain_db of each node that was passed."""

    ground: Ground
    gain_db: Mapping[str, float]
    samples: int
    passes: int


def calibrate(
    samples: Sequence[Sample], exponent: float = Ground().exponent, leads: Sequence[Lead] = ()
) -> Calibration | None:
    """None where the walk was too short or too far away. Without enough `leads` the wave speed is
    that of a site without calibration."""
    used = [
        one
        for one in samples
        if one.distance_m <= _FARTHEST_M and one.peak_um_s > _CLEAR * one.noise_um_s
    ]
    passes = sorted({(one.node, one.walk) for one in used})
    if len(used) < MIN_SAMPLES or len(passes) < MIN_PASSES:
        return None
    far_m = np.hypot([one.distance_m for one in used], _NEAREST_M)
    noise = np.array([one.noise_um_s for one in used])
    peak = np.array([one.peak_um_s for one in used])
    level = 0.5 * np.log(peak**2 - noise**2) + exponent * np.log(far_m)
    index = {key: i for i, key in enumerate(passes)}
    which = np.array([index[(one.node, one.walk)] for one in used])
    absorption = _slope(which, far_m, level)
    at_one_m = _means(which, level + absorption * far_m)
    gains, walker_level, path = _shared(passes, at_one_m)
    wave = wave_of(leads) or (Ground().wave_m_s, Ground().wave_sigma)
    ground = Ground(
        exponent=exponent,
        absorption_per_m=round(absorption, 4),
        absorption_sigma=_ABSORPTION_SIGMA,
        path_db=round(max(_MIN_PATH_DB, path / LN_PER_DB), 1),
        walker_db=round(walker_level / LN_PER_DB, 1),
        walker_sigma_db=_MIN_WALKER_SIGMA_DB,
        wave_m_s=round(wave[0]),
        wave_sigma=round(wave[1], 3),
    )
    gain_db = {node: round(gain / LN_PER_DB, 1) for node, gain in gains.items()}
    return Calibration(ground, gain_db, len(used), len(passes))


def _means(which: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.asarray(np.bincount(which, values) / np.bincount(which))


def _slope(which: np.ndarray, far_m: np.ndarray, level: np.ndarray) -> float:
    """Absorption per metre, by least squares on deviations from each pass's own mean."""
    far = far_m - _means(which, far_m)[which]
    high = level - _means(which, level)[which]
    return float(np.clip(-(far @ high) / max(float(far @ far), 1e-9), *_ABSORPTION))


def _shared(
    passes: Sequence[tuple[str, str]], levels: np.ndarray
) -> tuple[dict[str, float], float, float]:
    """(gain of each node, walker level, deviation of a path), all ln; the gains add up to 0."""
    of_node: dict[str, list[float]] = {}
    for (node, _walk), value in zip(passes, levels, strict=True):
        of_node.setdefault(node, []).append(float(value))
    means = {node: sum(values) / len(values) for node, values in of_node.items()}
    walker_level = sum(means.values()) / len(means)
    left = [value - means[node] for node, values in of_node.items() for value in values]
    spare = max(1, len(left) - len(means))
    path = math.sqrt(sum(value**2 for value in left) / spare)
    # A node passed few times is believed less: its mean holds the luck of those paths.
    between = max(1e-6, float(np.var(list(means.values()))) - path**2 * len(means) / len(left))
    gains = {
        node: (means[node] - walker_level) * between / (between + path**2 / len(values))
        for node, values in of_node.items()
    }
    return gains, walker_level, path
