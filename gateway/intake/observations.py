# SPDX-License-Identifier: MIT
"""Intake: a node's messages become observations of the model: its enums, its units, UTC."""

from __future__ import annotations

from gateway.intake.authentication.authenticator import Admitted
from gateway.intake.nodes.boot_clock import BootClock
from gateway.model.alarm import AlarmKind
from gateway.model.detection import ActivityId, Detection
from gateway.model.footfalls import Footfall, Footfalls
from gateway.model.observation import AreaCondition
from gateway.model.place.site import Node
from gateway.model.target import Phase, TargetClass
from gateway.store.interface import DetectionRow, MessageRow
from gateway.wire import messages as wire

# A node reports the last seconds: what is long before its arrival, or after, is by another clock.
FOOTFALL_LATE_US = 20_000_000
FOOTFALL_EARLY_US = 100_000

TARGETS = {one: TargetClass(one.label) for one in wire.TargetClass}
PHASES = {one: Phase(one.label) for one in wire.Phase}


def report_ms(message: wire.Detection) -> int:
    """The node's uptime when it made the report."""
    return message.t_ms + (message.elapsed_s_x10 or 0) * 100


def detection_of(
    node: str,
    sector: str,
    boot: int,
    seq: int,
    message: wire.Detection,
    clock: BootClock,
    arrival_us: int,
) -> Detection:
    """A detection report with its times in UTC."""
    return Detection(
        activity=ActivityId(node, boot, message.t_ms),
        seq=seq,
        sector=sector,
        phase=PHASES[message.phase],
        target=TARGETS[message.class_],
        confidence=message.confidence_pct / 100,
        peak_um_s=message.peak_um_s_x100 / 100,
        cadence_hz=message.cadence_hz_x20 / 20,
        pir_count=message.pir_count,
        onset_us=clock.utc_us(message.t_ms, arrival_us),
        report_us=clock.utc_us(report_ms(message), arrival_us),
        uncertainty_us=clock.spread_us,
        arrival_us=arrival_us,
    )


def footfalls_of(
    node: str, boot: int, message: wire.Footfalls, arrival_us: int
) -> Footfalls | None:
    """None where the times cannot be right: the gateway's clock was set, or the node's is wrong."""
    first_us, error_us = message.utc_ms * 1000, message.error_ms * 1000
    pairs = zip(message.footfalls[::2], message.footfalls[1::2], strict=True)
    footfalls = tuple(
        Footfall(first_us + late_ms * 1000, error_us, level / 100) for late_ms, level in pairs
    )
    since_us, until_us = arrival_us - FOOTFALL_LATE_US, arrival_us + FOOTFALL_EARLY_US
    if not all(since_us <= one.at_us <= until_us for one in footfalls):
        return None
    return Footfalls(ActivityId(node, boot, message.t_ms), footfalls)


def detection_row(number: int, detection: Detection, message: wire.Detection) -> DetectionRow:
    """For people and reports: names and UTC."""
    activity = detection.activity
    return DetectionRow(
        number,
        activity.node,
        activity.boot,
        detection.seq,
        activity.onset_ms,
        message.phase.label,
        message.class_.label,
        message.confidence_pct,
        message.peak_um_s_x100,
        detection.onset_us,
        detection.report_us,
        detection.uncertainty_us,
        detection.arrival_us,
    )


def message_row(number: int, admitted: Admitted, arrival_us: int) -> MessageRow:
    """A message as it came."""
    return MessageRow(
        number,
        admitted.node,
        admitted.space,
        admitted.boot,
        admitted.seq,
        arrival_us,
        admitted.message.NAME,
        admitted.payload,
    )


def unprocessed(node: Node, what: str, problem: Exception) -> tuple[AreaCondition, ...]:
    """An internal fault prevented the processing of a message: active and cleared at once."""
    reason = f"message could not be processed: {what} from {node.id} ({type(problem).__name__})"
    return tuple(
        AreaCondition(
            AlarmKind.PROCESSING_FAULT, node.id, (node.id,), (node.sector,), active, reason
        )
        for active in (True, False)
    )
