# SPDX-License-Identifier: MIT
"""Scenes of several nodes, written down report by report: no detector and no law of levels."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.model.detection import ActivityId, Detection
from gateway.model.place.site import Site
from gateway.model.target import Phase, TargetClass
from tests.fusion.walkers import T0, S

UPDATE_S = 5.0


def activity(
    site: Site,
    node: str,
    onset_s: float,
    peaks_um_s: Sequence[float],
    target: TargetClass = TargetClass.UNKNOWN,
    confidence: float = 0.9,
    pir: int = 0,
) -> list[Detection]:
    """An onset 2 s after it started, an update every 5 s, an end; one peak for each of them."""
    found = []
    last = len(peaks_um_s) - 1
    for number, peak in enumerate(peaks_um_s):
        phase = Phase.ONSET if number == 0 else Phase.END if number == last else Phase.UPDATE
        report_us = T0 + round((onset_s + 2.0 + UPDATE_S * number) * S)
        onset_us = T0 + round(onset_s * S)
        found.append(
            Detection(
                activity=ActivityId(node, 1, round(onset_s * 1000)),
                seq=number + 1,
                sector=site.nodes[node].sector,
                phase=phase,
                target=target,
                confidence=confidence,
                peak_um_s=peak,
                cadence_hz=0.0,
                pir_count=pir,
                onset_us=onset_us,
                report_us=onset_us if phase is Phase.ONSET else report_us,
                uncertainty_us=5000,
                arrival_us=report_us,
            )
        )
    return found


def in_time(*parts: Sequence[Detection]) -> list[Detection]:
    """All reports in order of arrival."""
    return sorted((one for part in parts for one in part), key=lambda r: (r.arrival_us, r.node))
