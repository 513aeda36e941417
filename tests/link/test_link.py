# SPDX-License-Identifier: MIT
"""Outbox, downlink, commands and Wi-Fi of the node under real MicroPython."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.on_node import run_on_node

SCRIPT = Path(__file__).parent / "on_node" / "cases.py"
CASES = [
    (script, line.split("(")[0].removeprefix("def "))
    for script in (SCRIPT, SCRIPT.with_name("addresses.py"))
    for line in script.read_text().splitlines()
    if line.startswith("def ") and line.endswith("():") and "downlink()" not in line
]


@pytest.mark.parametrize(("script", "case"), CASES)
def test_link_in_case_passes(script: Path, case: str, micropython_i386: Path, tmp_path: Path):
    *_log, last = run_on_node(micropython_i386, script, case, str(tmp_path / "state"))
    assert last == "ok"


@pytest.mark.parametrize(("port", "down"), [("rp2", "active 0, deinit"), ("esp32", "active 0")])
def test_station_powers_the_radio_of_each_port_down_and_sets_it_up_again(
    port: str, down: str, micropython_i386: Path
):
    (calls,) = run_on_node(micropython_i386, SCRIPT.with_name("station.py"), port)
    up = "active 1, pm 7"
    assert calls == f"country DE, {up}, {down}, {up}"
