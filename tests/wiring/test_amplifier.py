# SPDX-License-Identifier: MIT
"""The amplifier's figures, against the circuit's own equations and the firmware's scale."""

from __future__ import annotations

import numpy as np
import pytest

from tools.wiring.amplifier import figures, response, table, written
from tools.wiring.source import read_board

PARTS = table()
OF = figures(PARTS)


def _solved(hz):
    """The circuit at its nodes -, out and pin; the op amp has one pole, bias is signal ground."""
    s = 2j * np.pi * hz
    r = PARTS.of
    open_gain = PARTS.opamp.gain_bandwidth_hz / (1j * hz)
    back = 1 / (r("R5") + r("R6")) + s * r("C2")
    # Unknowns: minus, out, pin. The input is one volt.
    equations = np.array(
        [
            [1 / r("R7") + back, -back, 0],
            [open_gain, 1, 0],  # out = A (plus - minus)
            [0, -1 / r("R8"), 1 / r("R8") + s * r("C3")],
        ],
        complex,
    )
    return np.linalg.solve(equations, np.array([0, open_gain, 0], complex))[2]


@pytest.mark.parametrize("hz", [0.5, 5.0, 20.0, 60.0, 100.0, 250.0, 1000.0, 4000.0])
def test_response_is_that_of_the_circuit_solved_at_its_nodes(hz):
    solved = _solved(hz)
    assert abs(response(PARTS, hz) - solved) < 1e-6 * abs(solved)


def test_gain_is_that_of_the_resistors_in_the_list():
    assert pytest.approx(1 + (62e3 + 2e3) / 100) == OF.gain
    assert abs(_solved(0.01)) == pytest.approx(OF.gain, rel=1e-3)


def test_corner_is_3_db_below_and_near_the_100_hz_that_models_were_trained_on():
    assert abs(_solved(OF.low_pass_hz)) == pytest.approx(OF.gain / np.sqrt(2), rel=1e-4)
    assert 90 < OF.low_pass_hz < 110


def test_filter_removes_aliases_of_the_footstep_band():
    # Sampled four thousand times a second, 3,940 Hz folds to 60 Hz.
    assert abs(_solved(3_940)) < OF.gain / 500


def test_scale_of_the_components_is_the_firmwares_within_a_hundredth():
    board = read_board("pico_w")
    assert OF.nm_s_per_count == pytest.approx(board.nm_s_per_count, rel=0.01)


def test_geophone_damping_matches_its_data_sheet():
    # SM-24: 0.60 of the critical damping with 1339 ohm.
    assert pytest.approx(0.60, abs=0.01) == OF.damping
    # Its other printed point, by the same formula: 0.69 and 20.9 V/(m/s) with 1000 ohm.
    harder = {**PARTS.component, "R4": _changed("R4", 1000.0)}
    of = figures(_with(harder))
    assert of.damping == pytest.approx(0.69, abs=0.01)
    assert of.sensitivity == pytest.approx(20.9, abs=0.05)


def test_steady_current_is_far_above_the_op_amps_offset():
    assert OF.sense_counts > 15 * OF.offset_counts_max
    cut = figures(_with({**PARTS.component, "R4": _changed("R4", 1e9)}))
    assert cut.sense_counts > OF.sense_counts


def test_noise_of_the_amplifier_is_below_the_converters():
    # One code rms of the converter in four readings (signal.md's source: RP2040 data sheet 4.9.3).
    assert OF.noise_nm_s < 2 * OF.nm_s_per_count


def test_values_are_written_as_on_a_parts_list():
    assert written("R1", 100e3) == "100 kohm"
    assert written("R4", 1330.0) == "1.33 kohm"
    assert written("R7", 100.0) == "100 ohm"
    assert written("C2", 12e-9) == "12 nF"
    assert written("C4", 100e-9) == "100 nF"
    with pytest.raises(ValueError):
        written("C9", 1e-15)


def _changed(ref, value):
    one = PARTS.component[ref]
    return type(one)(value, one.part, one.does)


def _with(component):
    return type(PARTS)(PARTS.geophone, PARTS.opamp, PARTS.supply, component)
