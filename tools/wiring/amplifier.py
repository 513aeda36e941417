# SPDX-License-Identifier: MIT
"""The geophone's amplifier: its components, and the gain and corners they give."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import pi, sqrt
from pathlib import Path

import msgspec

_FILE = Path(__file__).with_name("amplifier.toml")
_BOLTZMANN_4KT = 1.62e-20  # 4 k T at 20 C, in W/Hz
# The Pico's converter: four readings of 12 bits are summed (firmware/boards/raspberry_pi.py).
_CODES, _READINGS = 4096, 4


class Geophone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sensitivity in V/(m/s) with the coil open; damping as a share of the critical one."""

    part: str
    natural_hz: float
    sensitivity: float
    coil_ohm: float
    open_damping: float
    moving_kg: float
    source: str


class OpAmp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The figures used here."""

    part: str
    title: str
    gain_bandwidth_hz: float
    noise_nv_rthz: float
    offset_uv_max: float
    source: str


class Supply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of amplifier and converter."""

    volt: float


class Component(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A resistor (ohm) or a capacitor (F)."""

    value: float
    part: str
    does: str


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """amplifier.toml."""

    geophone: Geophone
    opamp: OpAmp
    supply: Supply
    component: dict[str, Component]

    def of(self, ref: str) -> float:
        """The value of a component."""
        return self.component[ref].value


@dataclass(frozen=True)
class Figures:
    """What the components give."""

    gain: float
    sensitivity: float  # V/(m/s) of the geophone into its load
    damping: float
    low_pass_hz: float  # 3 dB below the gain at low frequencies
    nm_s_per_count: float
    clips_um_s: float
    noise_nm_s: float  # rms of amplifier and coil in the pass band, the ground still
    offset_counts_max: float  # of the op amp
    sense_counts: float  # of the steady current through the coil


@cache
def table() -> Table:
    """The components."""
    return msgspec.toml.decode(_FILE.read_bytes(), type=Table)


def response(parts: Table, hz: float) -> complex:
    """Output voltage for one volt between the geophone's terminals."""
    s = 2j * pi * hz
    feedback = parallel(parts.of("R5") + parts.of("R6"), 1 / (s * parts.of("C2")) if hz else None)
    ideal = 1 + feedback / parts.of("R7")
    # An op amp's gain falls with frequency: G / (1 + G / A) with A = GBW / (j f).
    real = ideal / (1 + ideal * 1j * hz / parts.opamp.gain_bandwidth_hz)
    return real / (1 + s * parts.of("R8") * parts.of("C3"))


def figures(parts: Table) -> Figures:
    """All of them from the table."""
    one = parts.geophone
    load = parallel(parts.of("R4"), parts.of("R3")).real
    sensitivity = one.sensitivity * load / (one.coil_ohm + load)
    # The coil's voltage G v drives a current that brakes the mass: b = b0 + G^2 / (2 m w0 R).
    braking = one.sensitivity**2 / (one.coil_ohm + load)
    damping = one.open_damping + braking / (2 * one.moving_kg * 2 * pi * one.natural_hz)
    gain = abs(response(parts, 0.0))
    corner = _corner(parts, gain)
    count_v = parts.supply.volt / _CODES / _READINGS / gain  # at the geophone's terminals
    half = parts.supply.volt / 2
    coil = parallel(one.coil_ohm, parts.of("R4")).real
    density = (parts.opamp.noise_nv_rthz * 1e-9) ** 2 + _BOLTZMANN_4KT * (coil + parts.of("R7"))
    steady = half * coil / (parts.of("R3") + coil)
    return Figures(
        gain,
        sensitivity,
        damping,
        corner,
        1e9 * count_v / sensitivity,
        1e6 * half / gain / sensitivity,
        1e9 * sqrt(density * corner) / sensitivity,
        parts.opamp.offset_uv_max * 1e-6 / count_v,
        steady / count_v,
    )


def parallel(one: complex, other: complex | None) -> complex:
    """Two impedances beside each other; None is an open one."""
    return complex(one) if other is None else one * other / (one + other)


def written(ref: str, value: float) -> str:
    """A value as on a drawing: `62 kohm`, `15 nF`."""
    is_resistor = ref.startswith("R")
    scales = (
        ((1e6, "Mohm"), (1e3, "kohm"), (1, "ohm"))
        if is_resistor
        else ((1e-6, "uF"), (1e-9, "nF"), (1e-12, "pF"))
    )
    for scale, unit in scales:
        if value >= scale * 0.9999:
            return f"{value / scale:.4g} {unit}"
    raise ValueError(f"{ref} of {value}")


def _corner(parts: Table, gain: float) -> float:
    low, high = 1.0, 10_000.0
    for _ in range(60):
        middle = sqrt(low * high)
        if abs(response(parts, middle)) > gain / sqrt(2):
            low = middle
        else:
            high = middle
    return low
