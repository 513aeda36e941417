# SPDX-License-Identifier: MIT
"""One table of components: scale and damping follow from it, in firmware, simulator and docs."""

from __future__ import annotations

import ast
import math
import re
from pathlib import Path
from typing import cast

import pytest

from sim_hardware import frontend
from sim_hardware.parts.front_end import BOARDS, SM_24, FrontEnd
from sim_hardware.parts.rows import BOARDS as ROWS
from sim_hardware.world import geophone
from tools.wiring import amplifier

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware" / "boards"


def constants(board: str) -> dict[str, object]:
    """The const() values and tuples at the top of a board's file, and of what it shares."""
    found: dict[str, object] = {}
    source = (FIRMWARE / board / "board.py").read_text()
    shared = re.search(r"^from boards import (\w+)$", source, re.MULTILINE)
    if shared:
        source = (FIRMWARE / f"{shared[1]}.py").read_text() + source
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = node.value
            if isinstance(value, ast.Call) and getattr(value.func, "id", "") == "const":
                value = value.args[0]
            if isinstance(value, ast.Constant | ast.Tuple):
                found[node.targets[0].id] = ast.literal_eval(value)
    return found


def page(board: str) -> str:
    """A board's page and the one it shares, on one line."""
    text = (FIRMWARE / board / "README.md").read_text()
    shared = re.search(r"\]\(\.\./(\w+\.md)\)", text)
    if shared:
        text += (FIRMWARE / shared[1]).read_text()
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("shunt_ohm", "damping", "sensitivity"),
    # The SM-24 data sheet gives 0.60 with 1339 ohm; the SMT-200 manual, appendix B, 0.69 with 1000
    # for the same coil. The voltage divider of coil and shunt: 28.8 * 1339 / 1714 and so on.
    [(1339.0, 0.60, 22.50), (1330.0, 0.60, 22.47), (1000.0, 0.69, 20.95), (1e12, 0.25, 28.80)],
)
def test_damping_and_sensitivity_are_those_of_the_data_sheets(
    shunt_ohm: float, damping: float, sensitivity: float
) -> None:
    front = FrontEnd(SM_24, shunt_ohm, 1.0, 1e15, 1e-9, 0.0, 0.0, 1000)
    assert front.damping() == pytest.approx(damping, abs=0.005)
    assert front.sensitivity() == pytest.approx(sensitivity, abs=0.005)


@pytest.mark.parametrize("board", sorted(BOARDS))
def test_damping_of_a_board_is_that_of_the_training_worlds(board: str) -> None:
    assert BOARDS[board].damping() == pytest.approx(geophone.DAMPING, abs=0.01)
    assert pytest.approx(0.6, abs=1e-9) == geophone.DAMPING


def test_every_board_has_a_front_end() -> None:
    assert sorted(BOARDS) == sorted(path.parent.name for path in FIRMWARE.glob("*/board.py"))


@pytest.mark.parametrize("board", sorted(BOARDS))
def test_firmware_counts_in_the_scale_of_the_components(board: str) -> None:
    known, front = constants(board), BOARDS[board]
    assert known["_NM_S_PER_COUNT_X256"] == round(256 * front.nm_s_per_count())
    assert known["_SHORT_COUNTS"] == round(front.short_limit_counts())
    assert known["_CUT_COUNTS"] == round(front.cut_limit_counts())


def test_firmware_accepts_as_a_coil_the_range_between_short_and_cut() -> None:
    front = BOARDS["esp32"]
    coil_ohm = (
        front.geophone.coil_ohm * front.shunt_ohm / (front.geophone.coil_ohm + front.shunt_ohm)
    )
    low, high = cast("tuple[int, int]", constants("esp32")["_COIL_OHM"])
    # As far from a short as from the coil, as far from the coil as from the shunt alone.
    assert low == pytest.approx(front.filter_ohm + coil_ohm / 2, rel=0.05)
    around = math.sqrt((front.filter_ohm + coil_ohm) * (front.filter_ohm + front.shunt_ohm))
    assert high == pytest.approx(around, rel=0.05)


@pytest.mark.parametrize("board", sorted(BOARDS))
def test_sense_current_leaves_nearly_the_whole_range_to_the_ground(board: str) -> None:
    front = BOARDS[board]
    is_amplified = ROWS[board].front_end == "rp2040_adc"
    full = 8192 if is_amplified else 131_072
    assert front.well_counts() < 0.1 * full
    assert front.cut_counts() < 0.5 * full
    # Resistors of 1 %, a mid-rail of 1 % and an amplifier's 10 uV change no result.
    offset_v = 0.0165 / 641 + 10e-6 if is_amplified else 4e-6
    margin = offset_v / front.count_v
    assert 1.03 * front.short_limit_counts() + margin < front.well_counts()
    assert 1.03 * front.well_counts() + margin < front.cut_limit_counts()
    assert 1.03 * front.cut_limit_counts() + margin < front.cut_counts()


def test_simulated_pico_w_over_arrays_has_the_same_scale() -> None:
    assert constants("pico_w")["_NM_S_PER_COUNT_X256"] == frontend.NM_S_PER_COUNT_X256


@pytest.mark.parametrize("board", sorted(BOARDS))
def test_page_of_a_board_states_its_components_and_what_follows(board: str) -> None:
    text, front = page(board), BOARDS[board]
    assert f"{front.shunt_ohm / 1000:g} kohm" in text
    assert f"damping {front.damping():.2f}" in text
    assert f"{front.sensitivity():.1f} V/(m/s)" in text
    scale = re.search(r"One count is ([\d.]+) nm/s", text)
    assert scale
    assert float(scale[1]) == pytest.approx(front.nm_s_per_count(), rel=0.005)
    sense = f"{front.sense_ohm / (1e6 if board.startswith('pico') else 2e6):g} Mohm"
    assert sense in text
    for counts in (front.well_counts(), front.cut_counts()):
        assert f"{counts:.0f} counts" in text


def test_drawn_amplifier_has_the_components_of_the_simulated_one() -> None:
    parts, front = amplifier.table(), BOARDS["pico_w"]
    assert (parts.of("R4"), parts.of("R3")) == (front.shunt_ohm, front.sense_ohm)
    assert (parts.of("R8"), parts.of("C3")) == (front.filter_ohm, front.filter_f)
    of = amplifier.figures(parts)
    assert of.damping == pytest.approx(front.damping(), abs=1e-6)
    assert of.nm_s_per_count == pytest.approx(front.nm_s_per_count(), rel=1e-6)
    assert of.sense_counts == pytest.approx(front.well_counts(), rel=1e-6)
