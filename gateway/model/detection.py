# SPDX-License-Identifier: MIT
"""Model: what one node reports of one activity, with its time in UTC."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from gateway.model.target import Phase, TargetClass


class ActivityId(msgspec.Struct, frozen=True, order=True, array_like=True):
    """Names one activity of one node: every report of it carries the same onset. In JSON it is the
    array [node, boot, onset_ms]: alarms hold many of them."""

    node: str
    boot: int
    onset_ms: int

    def __str__(self) -> str:
        return f"{self.node}/{self.boot}/{self.onset_ms}"


@dataclass(frozen=True, slots=True)
class Detection:
    """One report (onset, update or end). Times are UTC; `uncertainty_us` is one-sided."""

    activity: ActivityId
    seq: int
    sector: str
    phase: Phase
    target: TargetClass
    confidence: float
    peak_um_s: float
    cadence_hz: float
    pir_count: int
    onset_us: int
    report_us: int
    uncertainty_us: int
    arrival_us: int

    @property
    def node(self) -> str:
        return self.activity.node
