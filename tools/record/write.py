# SPDX-License-Identifier: MIT
"""Record: a session becomes a take folder that replay, score, calibrate and sim read."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim_hardware import take
from sim_hardware.signals import Signal as TakeSignal
from sim_hardware.site import NodeSpec, SectorSpec, Site
from sim_hardware.take import Take
from tools.errors import UserError
from tools.record.assemble import Signal, scale
from tools.record.marks import Mark
from tools.record.recording import LostSpan, Recording, write_recording
from tools.record.session import Session
from tools.record.truth import truth_of

_SITE, _SECTOR = "recording", "all"
_HALF_M = 100.0
_PIR_RANGE_M = 12.0
_NOT_BROKEN_OFF = ("asked", "time", "host")


@dataclass(frozen=True)
class Described:
    """The description of a take by the person who records it."""

    label: str
    people: list[str]
    background: bool
    class_name: str
    count: int
    place: str
    soil: str
    sensor: str
    gain: str
    faults: list[str]
    x_m: float
    y_m: float
    is_simulated: bool


def write_take(
    session: Session, marks: Sequence[Mark], described: Described, folder: Path
) -> Recording:
    """Write the folder; it must not exist. Raises UserError, SimError."""
    facts, signal = session.facts, session.signal
    assert facts is not None
    fs_hz = float(facts.fs_hz)
    edges_s = signal.pir_edges_s(fs_hz)
    spec = NodeSpec(
        facts.node,
        described.x_m,
        described.y_m,
        _SECTOR,
        facts.board,
        pir_range_m=_PIR_RANGE_M if facts.pir else 0.0,
    )
    made = Take(
        Site(_SITE, (spec,), (_sector(spec),)),
        {
            spec.id: TakeSignal(
                fs_hz,
                session.t0_utc_s,
                counts=signal.counts(),
                counts_per_m_s=scale(facts),
                pir_edges_s=np.array(edges_s, np.float64),
            )
        },
        truth_of(
            marks, session.seconds, described.background, described.class_name, described.count
        ),
    )
    recording = _recording(session, described, len(edges_s))
    try:
        _save(made, recording, list(marks), folder)
    except OSError as error:
        kept = _kept(made, recording, list(marks), folder.name)
        problem = f"cannot write {folder}: {error.strerror}"
        raise UserError(f"{problem}; the take is in {kept}" if kept else problem) from None
    return recording


def _save(made: Take, recording: Recording, marks: list[Mark], folder: Path) -> None:
    take.save_new(made, folder, lambda beside: write_recording(beside, recording, marks))


def _kept(made: Take, recording: Recording, marks: list[Mark], name: str) -> Path | None:
    """Where the take is instead: it cannot be recorded again."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="groundwatch-take-")) / name
        _save(made, recording, marks, folder)
    except OSError:
        return None
    return folder


def _sector(spec: NodeSpec) -> SectorSpec:
    x_m, y_m = spec.x_m, spec.y_m
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return SectorSpec(_SECTOR, tuple((x_m + _HALF_M * a, y_m + _HALF_M * b) for a, b in corners))


def _recording(session: Session, described: Described, edges: int) -> Recording:
    facts, signal = session.facts, session.signal
    assert facts is not None
    faults = list(described.faults)
    if session.ended not in _NOT_BROKEN_OFF:
        faults.append(f"broken off: {session.ended}")
    return Recording(
        label=described.label,
        node=facts.node,
        people=described.people,
        background=described.background,
        class_name=described.class_name,
        count=described.count,
        place=described.place,
        soil=described.soil,
        sensor=described.sensor,
        gain=described.gain,
        board=facts.board,
        firmware=facts.firmware,
        boot=facts.boot,
        pir=facts.pir,
        source="simulated" if described.is_simulated else "cable",
        ended=session.ended[:200],
        t0_utc_s=session.t0_utc_s,
        duration_s=session.seconds,
        fs_hz=float(facts.fs_hz),
        measured_fs_hz=round(signal.measured_fs_hz(), 4),
        samples=signal.size,
        samples_lost=signal.lost_samples,
        samples_clipped=signal.clipped,
        pir_edges=edges,
        pir_edges_lost=signal.edges_lost,
        lines_damaged=session.damaged,
        lost=_lost(signal, facts.fs_hz),
        faults=faults,
    )


def _lost(signal: Signal, fs_hz: int) -> list[LostSpan]:
    return [
        LostSpan(
            from_s=round(one.first / fs_hz, 4),
            to_s=round((one.first + one.stretch) / fs_hz, 4),
            samples=one.count,
            where="cable" if one.where == "cable" else "node",
        )
        for one in signal.lost
    ]
