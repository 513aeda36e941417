# SPDX-License-Identifier: MIT
"""The wake-up circuit: its figures against the circuit solved at its nodes, and its current."""

from __future__ import annotations

import numpy as np
import pytest

from tools.power.facts import parts as power_parts
from tools.wiring import amplifier, wake

PARTS = wake.table()
OF = wake.figures(PARTS, amplifier.figures(amplifier.table()))


def _stage(hz, down, block, back, smooth):
    """Kirchhoff at minus, the middle of R and C, and out; one volt at plus."""
    s, r = 2j * np.pi * hz, PARTS.of
    loop = 1 / r(back) + s * r(smooth)
    open_gain = PARTS.opamp.gain_bandwidth_hz / (1j * hz)
    equations = np.array(
        [
            [1 / r(down) + loop, -1 / r(down), -loop],
            [-1 / r(down), 1 / r(down) + s * r(block), 0],
            [open_gain, 0, 1],
        ],
        complex,
    )
    return np.linalg.solve(equations, np.array([0, 0, open_gain], complex))[2]


def _solved(hz):
    s, r = 2j * np.pi * hz, PARTS.of
    first = _stage(hz, "R11", "C11", "R12", "C12")
    second = _stage(hz, "R13", "C13", "R14", "C14")
    coupled = r("R15") / (r("R15") + 1 / (s * r("C15")))
    return first * second * coupled


@pytest.mark.parametrize("hz", [0.5, 3.0, 10.0, 17.0, 50.0, 100.0, 500.0])
def test_response_is_that_of_the_circuit_solved_at_its_nodes(hz):
    solved = _solved(hz)
    assert abs(wake.response(PARTS, hz) - solved) < 1e-6 * abs(solved)


def test_band_is_that_of_steps_without_slow_motion():
    assert OF.from_hz < 8
    assert OF.to_hz > 55
    assert abs(_solved(0.5)) < OF.gain / 20


def test_threshold_is_the_voltage_across_its_resistor_and_far_above_the_noise():
    volt = 3.3 * 15e3 / 2.015e6
    coil = amplifier.figures(amplifier.table()).sensitivity
    assert OF.threshold_um_s == pytest.approx(1e6 * volt / OF.gain / coil)
    assert OF.threshold_um_s > 8 * OF.noise_um_s


def test_current_in_the_power_table_is_that_of_the_circuit():
    chips = 3 * 0.6
    chain = 3.3 / (PARTS.of("R16") + PARTS.of("R17") + PARTS.of("R18")) * 1e6
    coil = 3.3 / 2e6 * 1e6  # 1 Mohm to either side of the coil
    assert power_parts()["wake"].ua.value == pytest.approx(chips + chain + coil, abs=0.1)
