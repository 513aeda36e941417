# SPDX-License-Identifier: MIT
"""A whole node whose broker has a name, while the name server is away: it senses and never resets.

With MicroPython's own look-up each attempt stopped all tasks for 6.4 s: the watchdog reset the node
after 42 s and 84 s, and the fifth start was safe mode.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import config, walker
from tests.node.test_node import made, sent
from tools.bundle import write_tree
from tools.compiled import mpy_of_interpreter

# Costs are not charged: these tests count samples or starts to the last one.
CHARGES = "none"
NAMED = replace(config("pico_w"), host="gateway.field.example")
FEED = walker(900, 600, 640)


def test_node_with_the_name_server_away_senses_and_sends_when_it_is_back(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    write_tree(NAMED, tmp_path / "n07", mpy_of_interpreter(micropython))
    run = play(micropython, FEED, dns_away_s=[[0, 800]])
    assert run.codes == [0]  # no reset
    assert len([line for line in run.lines if line.startswith("node started")]) == 1
    assert min(t_us for t_us, *_rest in run.uplinks) > 800_000_000
    assert "broker found host=gateway.field.example address=10.0.0.1" in run.lines
    assert made(run.lines)
    assert sent(run) == sorted(made(run.lines))
    assert run.messages("Health")[-1].samples_missed == 0


def test_node_with_a_pinned_address_never_needs_the_name_server(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    write_tree(
        replace(NAMED, address="10.0.0.1"), tmp_path / "n07", mpy_of_interpreter(micropython)
    )
    run = play(micropython, FEED, dns_away_s=[[0, 1e6]], outages_s=[[20, 700]])
    assert run.codes == [0]
    assert min(t_us for t_us, *_rest in run.uplinks) < 5_000_000
    assert made(run.lines)
    assert sent(run) == sorted(made(run.lines))
    assert run.messages("Health")[-1].samples_missed == 0


@pytest.mark.slow
def test_node_with_the_name_server_away_for_hours_never_resets(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    write_tree(NAMED, tmp_path / "n07", mpy_of_interpreter(micropython))
    feed = walker(10_800, 10_000, 10_060)
    run = play(micropython, feed, timeout_s=900, dns_away_s=[[0, 10_700]])
    assert run.codes == [0]
    assert made(run.lines)
    assert sent(run) == sorted(made(run.lines))
    assert json.loads((tmp_path / "n07" / "exit.json").read_text())["cause"] == "end"
