# SPDX-License-Identifier: MIT
"""All samplers in the same cases: rate, gaps, overruns, clipping, lateness, stalls of the node."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.on_node import run_on_node

SCRIPT = Path(__file__).parent / "on_node" / "samplers.py"
CASES = [
    line.split("(")[0].removeprefix("def ")
    for line in SCRIPT.read_text().splitlines()
    if line.startswith("def ") and line.endswith("():") and line != "def make():"
]


@pytest.mark.parametrize("bits", ["micropython", "micropython_i386"])
@pytest.mark.parametrize("kind", ["timer", "ready", "dma"])
@pytest.mark.parametrize("case", CASES)
def test_sampler_in_case_passes(case: str, kind: str, bits: str, request: pytest.FixtureRequest):
    assert run_on_node(request.getfixturevalue(bits), SCRIPT, case, kind) == ["ok"]
