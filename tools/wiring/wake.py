# SPDX-License-Identifier: MIT
"""The circuit that wakes a sleeping board: band, threshold and drawing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import pi, sqrt
from pathlib import Path

import msgspec

from tools.wiring.amplifier import Component, Figures, parallel, written
from tools.wiring.svg import (
    box,
    capacitor_h,
    capacitor_v,
    dot,
    drawing,
    ground,
    op_amp,
    resistor_h,
    resistor_v,
    supply,
    text,
    wire,
)

_FILE = Path(__file__).with_name("wake.toml")


class Chip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the list."""

    part: str
    does: str


class OpAmp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The figures used here."""

    gain_bandwidth_hz: float
    noise_nv_rthz: float
    noise_low_uv: float  # rms from 0.1 to 10 Hz
    supply: float
    source: str


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """wake.toml."""

    part: dict[str, Chip]
    opamp: OpAmp
    component: dict[str, Component]

    def of(self, ref: str) -> float:
        """The value of a component."""
        return self.component[ref].value


@dataclass(frozen=True)
class Wake:
    """What the components give, with the coil's sensitivity of the amplifier's page."""

    gain: float  # at the best frequency
    from_hz: float  # 3 dB below it
    to_hz: float
    threshold_um_s: float  # peak of the ground, at the best frequency
    noise_um_s: float  # rms, the ground still


@cache
def table() -> Table:
    """The components."""
    return msgspec.toml.decode(_FILE.read_bytes(), type=Table)


def response(parts: Table, hz: float) -> complex:
    """Voltage at the comparator for one volt of the coil."""
    return (
        _stage(parts, "R11", "C11", "R12", "C12", hz)
        * _stage(parts, "R13", "C13", "R14", "C14", hz)
        / (1 + 1 / (2j * pi * hz * parts.of("C15") * parts.of("R15")))
    )


def _stage(parts: Table, down: str, block: str, back: str, smooth: str, hz: float) -> complex:
    s = 2j * pi * hz
    feedback = parallel(parts.of(back), 1 / (s * parts.of(smooth)))
    ideal = 1 + feedback / (parts.of(down) + 1 / (s * parts.of(block)))
    return ideal / (1 + ideal * 1j * hz / parts.opamp.gain_bandwidth_hz)


def figures(parts: Table, front: Figures) -> Wake:
    """All of them; `front` for the coil into its load."""
    steps = [10 ** (at / 200) for at in range(-200, 601)]  # 0.1 Hz to 1 kHz
    gains = [abs(response(parts, hz)) for hz in steps]
    best = max(gains)
    band = [hz for hz, gain in zip(steps, gains, strict=True) if gain >= best / sqrt(2)]
    chain = parts.of("R16") + parts.of("R17") + parts.of("R18")
    volt = parts.opamp.supply * parts.of("R17") / chain
    # Both stages' noise, the second's a stage's gain smaller and so left out.
    white = parts.opamp.noise_nv_rthz * 1e-9 * sqrt(band[-1] - band[0])
    noise = sqrt(white**2 + (parts.opamp.noise_low_uv * 1e-6) ** 2)
    return Wake(
        best,
        band[0],
        band[-1],
        1e6 * volt / best / front.sensitivity,
        1e6 * noise / front.sensitivity,
    )


def draw(parts: Table, of: Wake) -> str:
    """SVG of the circuit with its figures."""
    return drawing(
        980,
        610,
        "The wake-up circuit; the parts stand in the list",
        [
            text(24, 30, "Wake-up circuit for sentinel mode", "h"),
            text(24, 96, "hot end of the coil,", "t"),
            text(24, 114, "AIN0 of the ADS1220", "t"),
            '<circle class="p" cx="29" cy="140" r="5"/>',
            wire((34, 140), (170, 140)),
            *_draw_stage(parts, 170, "U2A", ("R11", "C11", "R12", "C12")),
            wire((300, 165), (430, 165), (430, 140), (490, 140)),
            *_draw_stage(parts, 490, "U2B", ("R13", "C13", "R14", "C14")),
            *_comparator(parts),
            *_loop(parts),
            *_notes(parts, of),
        ],
    )


def _named(parts: Table, ref: str, x: float, y: float, style: str = "") -> list[str]:
    return [
        text(x, y, ref, f"r {style}".strip()),
        text(x, y + 15, written(ref, parts.of(ref)), f"s {style}".strip()),
    ]


def _draw_stage(parts: Table, x: float, label: str, refs: tuple[str, str, str, str]) -> list[str]:
    down, block, back, smooth = refs
    left, right = x - 30, x + 130
    return [
        op_amp(x, 140, label),
        wire((x, 190), (left, 190), (left, 296)),
        dot(left, 250),
        dot(left, 296),
        resistor_h(left, right, 250),
        *_named(parts, back, x + 50, 222, "m"),
        capacitor_h(left, right, 296),
        *_named(parts, smooth, x + 64, 318),
        wire((right, 296), (right, 165)),
        dot(right, 250),
        dot(right, 165),
        wire((x + 90, 165), (right, 165)),
        resistor_v(left, 296, 370),
        *_named(parts, down, left + 16, 336),
        capacitor_v(left, 370, 430),
        *_named(parts, block, left + 22, 400),
        ground(left, 430, "GND"),
    ]


def _comparator(parts: Table) -> list[str]:
    return [
        capacitor_h(620, 720, 165),
        *_named(parts, "C15", 670, 124, "m"),
        dot(720, 165),
        wire((720, 165), (780, 165)),
        op_amp(780, 165, "U3"),
        wire((870, 190), (900, 190)),
        '<circle class="p" cx="905" cy="190" r="5"/>',
        text(852, 130, "to a pin that", "t"),
        text(852, 148, "wakes the board", "t"),
        *_divider(parts),
    ]


def _divider(parts: Table) -> list[str]:
    return [
        resistor_v(720, 165, 280),
        *_named(parts, "R15", 650, 218),
        supply(800, 262, "3.3 V"),
        resistor_v(800, 262, 330),
        *_named(parts, "R16", 816, 292),
        dot(800, 330),
        wire((780, 215), (760, 215), (760, 330), (800, 330)),
        resistor_v(800, 330, 390),
        *_named(parts, "R17", 816, 356),
        dot(800, 390),
        wire((720, 280), (720, 390), (800, 390)),
        resistor_v(800, 390, 450),
        *_named(parts, "R18", 816, 416),
        ground(800, 450, "GND"),
    ]


def _loop(parts: Table) -> list[str]:
    return [
        supply(720, 478, "3.3 V"),
        resistor_v(720, 478, 548),
        *_named(parts, "R19", 736, 510),
        wire((720, 548), (720, 572), (760, 572)),
        '<circle class="p" cx="765" cy="572" r="5"/>',
        text(776, 577, "tamper loop", "t"),
    ]


def _notes(parts: Table, of: Wake) -> list[str]:
    lines = (
        f"U2: {parts.part['U2'].part}   U3: {parts.part['U3'].part}",
        f"gain {of.gain:.0f} from {of.from_hz:.0f} to {of.to_hz:.0f} Hz",
        f"wakes at {of.threshold_um_s:.1f} um/s, noise {of.noise_um_s:.2f} um/s rms",
        "all computed from the values drawn",
    )
    top = 486
    return [
        box(24, top, 640, 16 + 22 * len(lines), "n"),
        *(text(40, top + 24 + 22 * at, line) for at, line in enumerate(lines)),
    ]
