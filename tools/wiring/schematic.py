# SPDX-License-Identifier: MIT
"""The amplifier's circuit, drawn with the values of its table."""

from __future__ import annotations

from tools.wiring.amplifier import Figures, Table, figures, written
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

_WIDTH, _HEIGHT = 980, 640
_HOT, _COLD, _BIAS = 190, 330, 410  # heights of the coil's two ends and of the bias line


def draw_amplifier(parts: Table, pin: str, ground_pin: str) -> str:
    """SVG. `pin` is the board's input, `ground_pin` its analog ground, in words."""
    return drawing(
        _WIDTH,
        _HEIGHT,
        "The geophone's amplifier; the parts stand in the list",
        [
            text(24, 30, "Geophone amplifier", "h"),
            *_input(parts),
            *_stage(parts),
            *_output(parts, pin),
            *_bias(parts, ground_pin),
            *_notes(parts, figures(parts)),
        ],
    )


def _named(parts: Table, ref: str, x: float, y: float, style: str = "") -> list[str]:
    return [
        text(x, y, ref, f"r {style}".strip()),
        text(x, y + 15, written(ref, parts.of(ref)), f"s {style}".strip()),
    ]


def _input(parts: Table) -> list[str]:
    one = parts.geophone
    middle = (_HOT + _COLD) / 2
    return [
        # The coil, its shunt and the steady current; hot on top, the bias below.
        wire((90, _HOT), (90, middle - 34)),
        f'<circle class="p" cx="90" cy="{middle:g}" r="34"/>',
        text(90, middle - 4, "geo-", "t m"),
        text(90, middle + 12, "phone", "t m"),
        wire((90, middle + 34), (90, _COLD)),
        text(24, _HOT - 30, one.part.split(",")[0], "h"),
        text(24, _HOT - 12, f"{one.coil_ohm:g} ohm", "s"),
        wire((90, _HOT), (440, _HOT)),
        wire((90, _COLD), (190, _COLD)),
        resistor_v(190, _HOT, _COLD),
        dot(190, _HOT),
        dot(190, _COLD),
        *_named(parts, "R4", 206, middle - 4),
        wire((190, _COLD), (190, _BIAS)),
        supply(300, 66, "3.3 V"),
        resistor_v(300, 66, _HOT),
        dot(300, _HOT),
        *_named(parts, "R3", 316, 124),
    ]


def _stage(parts: Table) -> list[str]:
    return [
        op_amp(440, _HOT, "U1B"),
        # The inverting input, its resistor to the bias and the two ways back from the output.
        wire((440, _HOT + 50), (410, _HOT + 50), (410, 346)),
        dot(410, 300),
        dot(410, 346),
        resistor_v(410, 346, _BIAS),
        *_named(parts, "R7", 426, 374),
        resistor_h(410, 500, 300),
        resistor_h(500, 600, 300),
        *_named(parts, "R5", 455, 272, "m"),
        *_named(parts, "R6", 550, 272, "m"),
        capacitor_h(410, 600, 346),
        *_named(parts, "C2", 520, 366),
        wire((600, 346), (600, _HOT + 25)),
        dot(600, 300),
        dot(600, _HOT + 25),
        wire((530, _HOT + 25), (600, _HOT + 25)),
        wire((190, _BIAS), (410, _BIAS)),
    ]


def _output(parts: Table, pin: str) -> list[str]:
    y = _HOT + 25
    return [
        resistor_h(600, 710, y),
        *_named(parts, "R8", 655, y - 32, "m"),
        dot(710, y),
        capacitor_v(710, y, y + 80),
        ground(710, y + 80),
        *_named(parts, "C3", 730, y + 36),
        wire((710, y), (800, y)),
        '<circle class="p" cx="805" cy="215" r="5"/>',
        text(818, y + 5, pin, "h"),
    ]


def _bias(parts: Table, ground_pin: str) -> list[str]:
    node = 530
    return [
        supply(70, 450, "3.3 V"),
        resistor_v(70, 450, node),
        *_named(parts, "R1", 86, 482),
        dot(70, node),
        resistor_v(70, node, 600),
        ground(70, 600),
        *_named(parts, "R2", 86, 566),
        wire((70, node), (270, node)),
        dot(180, node),
        capacitor_v(180, node, 600),
        ground(180, 600),
        *_named(parts, "C1", 200, 566),
        op_amp(270, node, "U1A"),
        wire((270, node + 50), (252, node + 50), (252, node + 86), (378, node + 86), (378, 555)),
        wire((360, node + 25), (378, node + 25), (378, _BIAS)),
        dot(378, node + 25),
        dot(378, _BIAS),
        text(388, 450, "bias, 1.65 V", "t"),
        supply(470, 500, "3.3 V"),
        capacitor_v(470, 500, 580),
        ground(470, 580),
        *_named(parts, "C4", 490, 536),
        text(440, 632, f"AGND: {ground_pin}", "t"),
    ]


def _notes(parts: Table, of: Figures) -> list[str]:
    lines = (
        f"U1: {parts.opamp.part}",
        f"gain {of.gain:.0f} = 1 + (R5 + R6) / R7",
        f"geophone into its load {of.sensitivity:.1f} V/(m/s)",
        f"damping {of.damping:.2f} of the critical one",
        f"3 dB less at {of.low_pass_hz:.0f} Hz",
        f"one count {of.nm_s_per_count:.2f} nm/s",
        f"clips at {of.clips_um_s:.0f} um/s",
        f"own noise {of.noise_nm_s:.0f} nm/s rms",
        "all computed from the values drawn",
    )
    top = 392
    return [
        box(640, top, 316, 24 + 22 * len(lines), "n"),
        *(text(656, top + 26 + 22 * at, line) for at, line in enumerate(lines)),
    ]
