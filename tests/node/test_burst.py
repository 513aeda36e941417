# SPDX-License-Identifier: MIT
"""Radio burst in virtual time: for how long the radio is on with few heartbeats."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.model.node_settings import DEFAULTS, encode
from tests.node.conftest import Run, config, walker
from tools.bundle import write_tree
from tools.compiled import mpy_of_interpreter

SETTINGS = encode({**DEFAULTS, "heartbeat_s": 120, "radio": 1})


@pytest.mark.long
def test_radio_is_on_for_some_seconds_at_each_heartbeat_and_for_detections(
    micropython_i386: Path, play: Callable[..., Run], tmp_path: Path
) -> None:
    tree = tmp_path / "n07"
    write_tree(config("pico_w"), tree, mpy_of_interpreter(micropython_i386))
    (tree / "state").mkdir(exist_ok=True)
    body = (1).to_bytes(4, "big") + SETTINGS
    (tree / "state" / "set0").write_bytes(body + zlib.crc32(body).to_bytes(4, "big"))
    # What work costs is charged: a start of the radio stops the timers for 0.75 s.
    run = play(micropython_i386, walker(900, 300, 315), timeout_s=400, charges="typical")
    hellos = run.messages("Hello")
    assert {one.settings for one in hellos} == {SETTINGS}
    first, last = hellos[0], hellos[-1]
    contacts = len(hellos) - 1
    on_s, passed_s = last.radio_s - first.radio_s, (last.t_ms - first.t_ms) / 1000
    share = on_s / passed_s
    sys.stdout.write(f"\n{contacts} contacts in {passed_s:.0f} s, radio on {on_s} s, {share:.2%} ")
    assert 4 <= contacts <= 12
    assert share < 0.12
    # What that costs is counted, and is no condition: its report would start the radio again.
    missed = run.messages("Health")[-1].samples_missed
    assert 100 * contacts < missed < 300 * contacts
    # The start of the node itself may cost some and report them once.
    conditions = [one for one in run.messages("Condition") if one.kind.label == "samples_missed"]
    assert not [one for one in conditions if one.active and one.t_ms > 60_000]
    made = sum(line.startswith("detection ") for line in run.lines)
    assert len(run.messages("Detection")) == made > 0
