# SPDX-License-Identifier: MIT
"""Fusion: one wave that reaches several nodes: thunder, blast, quake, gust. No target does that.

Onsets fit a front that is faster than anything on the ground, and the nodes measure alike: all
levels rise with the first report and end, or all are equal within what coupling and paths explain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gateway.fusion.evidence.fronts import Front, fast_front, moving_front
from gateway.fusion.evidence.order import ONSET_S, WAVE_M_S, in_order, places
from gateway.fusion.evidence.passages import Passage, common_levels_um_s
from gateway.model.place.site import Site

MIN_WAVE_NODES = 3
_FIT = 3.0  # squared residuals of onsets by degrees of freedom: within 1.2 s
_MANY = 4  # so many abrupt ones within _BURST_S without an order are one shock, too
_BURST_S = 8.0
_FLAT_DB = 4.0  # deviation of levels: coupling 3 dB, paths 3.5 dB
_SOUND_M_S = (300.0, 380.0)
_CLEAR = 9.0  # a speed is stated when no other front fits as well
IN_AIR = "AGAINST: one front at the speed of sound over all nodes (thunder, blast)"
IN_GROUND = "AGAINST: one front faster than anything that moves (quake, blast, gust)"
SHOCK = "AGAINST: one short shock at all nodes"


def wave_reason(site: Site, given: Sequence[Passage], stands: bool = False) -> str:
    """Why these are one wave, or empty. `stands`: a target that stands, such as a person who digs,
    is detected at once by all nodes in range too; equal levels at three of them are chance."""
    if len(given) < MIN_WAVE_NODES or in_order(site, given) is not None:
        return ""
    abrupt = all(one.abrupt for one in given)
    flat = len(given) >= (_MANY if stands else MIN_WAVE_NODES) and _is_flat(site, given)
    if not abrupt and not flat:
        return ""
    front = fast_front(*_onsets(site, given), WAVE_M_S)
    if front.misfit is not None and front.misfit <= _FIT:
        return IN_AIR if _is_sound(site, given, front) else IN_GROUND
    spread_s = (given[-1].onset_us - given[0].onset_us) / 1e6
    over = sum(one.over for one in given)  # a node reports the end 6 s after its last detection
    if abrupt and len(given) >= _MANY and spread_s <= _BURST_S and 2 * over >= len(given):
        return SHOCK
    return ""


def _onsets(
    site: Site, given: Sequence[Passage]
) -> tuple[list[tuple[float, float]], list[float], list[float]]:
    times_s = [(one.onset_us - given[0].onset_us) / 1e6 for one in given]
    return places(site, given), times_s, [ONSET_S] * len(given)


def _is_flat(site: Site, given: Sequence[Passage]) -> bool:
    levels = [
        20 * math.log10(max(peak, 0.01)) - site.nodes[one.node].gain_db
        for one, peak in zip(given, common_levels_um_s(given), strict=True)
    ]
    return float(np.std(levels)) < _FLAT_DB


def _is_sound(site: Site, given: Sequence[Passage], front: Front) -> bool:
    """Whether the nodes lie far enough apart to know the speed, and it is that of sound."""
    low, high = _SOUND_M_S
    at_once = fast_front(*_onsets(site, given), 1e9)
    exact = moving_front(*_onsets(site, given), 0.0)
    return at_once.cost - front.cost >= _CLEAR and low <= exact.speed_m_s <= high
