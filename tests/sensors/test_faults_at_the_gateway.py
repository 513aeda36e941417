# SPDX-License-Identifier: MIT
"""A sensor fails; within 10 s the alarm states which one and how. Real firmware on both boards,
real gateway, virtual time; the sensors at the level of their registers, codes and edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim_hardware.signals import Signal
from sim_hardware.site import NodeSpec, Site
from sim_hardware.take import Take
from tools.replay import replay

BOARDS = ["pico_w", "esp32"]
FAULT_S = 30.0
WITHIN_S = 10.0
QUIET_NM_S = 46.0  # white; 30 nm/s rms in 8 to 60 Hz, a quiet night


def node_alarms(
    board: str, seconds: float = 45.0, pir_edges_s: tuple[float, ...] = (), **fault: Any
) -> list[dict[str, Any]]:
    """What `groundwatch replay` prints of alarms about the node."""
    rng = np.random.default_rng(8)
    ground = rng.normal(0, QUIET_NM_S * 1e-9, round(250 * seconds)).astype(np.float32)
    signal = Signal(250.0, velocity_m_s=ground, pir_edges_s=np.array(pir_edges_s, np.float64))
    site = Site("north", (NodeSpec("n07", 0.0, 0.0, "gate", board=board, pir_range_m=12.0),))
    truth = {"version": 1, "duration_s": seconds, "faults": [{"node": "n07", **fault}]}
    result = replay(Take(site, {"n07": signal}, truth), seed=3)
    assert result.summary["restarts"] == 0
    return [line for line in result.lines if line["type"] == "node_alarm"]


def only(alarms: list[dict[str, Any]], kind: str, fault_s: float = FAULT_S) -> str:
    """The one reason of the one alarm, which came in time."""
    assert len({alarm["id"] for alarm in alarms}) == 1, alarms
    alarm = alarms[0]
    assert (alarm["kind"], alarm["state"]) == (kind, "active_unacked")
    assert fault_s <= alarm["t_s"] <= fault_s + WITHIN_S, alarms
    (reason,) = alarm["reasons"]
    return str(reason)


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("cut", "n07 geophone disconnected: check cable and plug"),
        ("short", "n07 geophone shorted: check cable and plug for water or a pinch"),
        ("open", "n07 geophone input stuck at its limit: check plug and amplifier"),
        ("hum", "n07 mains hum masks the geophone: "),
        ("hum60", "n07 mains hum masks the geophone: "),
        ("hiss", "n07 geophone input is far too noisy: check plug, shield and amplifier"),
        ("stuck", "n07 geophone converter returns a constant value: "),
    ],
)
def test_geophone_fault_is_an_alarm_with_its_cause(board: str, kind: str, words: str) -> None:
    alarms = node_alarms(board, geophone_faults=[[FAULT_S, kind]])
    assert only(alarms, "node_fault").startswith(words)


@pytest.mark.parametrize("board", BOARDS)
def test_geophone_cut_before_the_start_is_an_alarm(board: str) -> None:
    alarms = node_alarms(board, 15.0, geophone_faults=[[0.0, "cut"]])
    assert "geophone disconnected" in only(alarms, "node_fault", 0.0)


@pytest.mark.parametrize(
    ("kind", "words"),
    [("silent", "converter does not answer"), ("brown_out", "lost its supply for a moment")],
)
def test_converter_fault_is_an_alarm_with_its_cause(kind: str, words: str) -> None:
    alarms = node_alarms("esp32", geophone_faults=[[FAULT_S, kind]])
    assert words in only(alarms, "node_fault")


@pytest.mark.parametrize("board", BOARDS)
def test_geophone_on_a_quiet_night_is_no_alarm(board: str) -> None:
    assert node_alarms(board, 60.0) == []


@pytest.mark.parametrize("board", BOARDS)
def test_pir_with_a_loose_wire_is_disabled_and_reported(board: str) -> None:
    chatter = tuple(float(t_s) for t_s in np.arange(FAULT_S, 44.0, 0.01))
    alarms = node_alarms(board, pir_edges_s=chatter)
    assert "PIR switches on and off all the time and is disabled" in only(alarms, "node_fault")


def test_pir_that_trips_without_end_is_disabled_and_reported() -> None:
    # A pulse of a second every three, as from sun and leaves. Reported after five such minutes.
    pulses = tuple(t_s for at in range(20, 420, 3) for t_s in (float(at), float(at + 1)))
    (alarm,) = node_alarms("pico_w", 430.0, pir_edges_s=pulses)
    assert 280 < alarm["t_s"] < 400
    assert "PIR detects more than 10 times a minute and is disabled" in alarm["reasons"][0]


@pytest.mark.parametrize("board", BOARDS)
def test_case_opened_for_400_ms_is_an_alarm_and_a_bounce_is_none(board: str) -> None:
    edges = [10.0, 10.1, 12.0, 12.002, FAULT_S, FAULT_S + 0.4]
    assert only(node_alarms(board, tamper_edges_s=edges), "tamper") == (
        "n07 case opened, or the wire of its tamper contact cut"
    )


@pytest.mark.parametrize("board", BOARDS)
def test_battery_that_sinks_is_one_alarm_with_its_voltage(board: str) -> None:
    # 3.48 V for 15 s, then up, but not to where it counts as good.
    curve = [[0, 3800], [FAULT_S, 3800], [FAULT_S + 0.1, 3480], [45.0, 3480], [50.0, 3560]]
    reason = only(node_alarms(board, 60.0, battery_curve=curve), "low_battery")
    assert reason.startswith("n07 battery low: 3.4")


@pytest.mark.parametrize("board", BOARDS)
def test_battery_above_its_limit_is_no_alarm_on_either_converter(board: str) -> None:
    assert node_alarms(board, 30.0, battery_mv=3530) == []
