# SPDX-License-Identifier: MIT
"""Loading the update's code leaves time to sample."""

from __future__ import annotations

from pathlib import Path

from tests.on_node import run_on_node

SCRIPT = Path(__file__).parent / "on_node" / "loading.py"


def test_updates_code_is_loaded_a_module_at_a_time_with_looks_of_the_sampling_between(micropython):
    assert run_on_node(micropython, SCRIPT)[-1] == "ok"
