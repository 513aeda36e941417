# SPDX-License-Identifier: MIT
"""Settings of a node: one table on both sides, bounds, and a flash that always holds whole ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import node_settings
from gateway.model.node_settings import SETTINGS, SettingsError, decode, encode, parse, shown
from tests.on_node import run_on_node
from tools.wiregen_model import use_firmware

SCRIPT = Path(__file__).parent / "on_node" / "settings_cases.py"
CASES = [
    line.split("(")[0].removeprefix("def ")
    for line in SCRIPT.read_text().splitlines()
    if line.startswith("def ") and line.endswith("():")
]


@pytest.mark.parametrize("case", CASES)
def test_settings_of_the_node_in_case(case: str, micropython_i386: Path, tmp_path: Path) -> None:
    *_log, last = run_on_node(micropython_i386, SCRIPT, case, cwd=tmp_path)
    assert last == "ok"


def test_table_of_the_node_is_that_of_the_gateway_and_of_the_manual() -> None:
    use_firmware()
    from ugs.remote import settings

    assert tuple(one[:5] for one in SETTINGS) == settings.ROWS
    manual = (Path(__file__).parents[2] / "docs" / "wire.md").read_text()
    for one in SETTINGS:
        row = f"| {one.key} | {one.name} | {one.low}..{one.high} | {one.first} |"
        assert row in manual


@given(st.fixed_dictionaries({}, optional={
    one.name: st.integers(one.low, one.high) for one in SETTINGS
}))  # fmt: skip
def test_settings_encoded_and_decoded_are_themselves(values: dict[str, int]) -> None:
    assert decode(encode(values)) == values
    assert parse(shown(values)) == values


@given(st.binary(max_size=24))
def test_what_a_node_states_is_decoded_within_bounds_or_not_at_all(data: bytes) -> None:
    found = decode(data)
    if found is not None:
        assert parse(shown(found)) == found


@pytest.mark.parametrize("value", ["", " 60", "60 ", "6_0", "0x3c", "60.0", "+60", "9" * 5000])
def test_number_in_another_form_is_refused(value: str) -> None:
    with pytest.raises(SettingsError):
        parse({"heartbeat_s": value})


def test_setting_that_this_gateway_does_not_know_is_left_out() -> None:
    assert decode(bytes.fromhex("01003c 7f0001")) == {node_settings.HEARTBEAT_S.name: 60}
