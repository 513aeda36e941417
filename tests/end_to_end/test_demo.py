# SPDX-License-Identifier: MIT
"""The demo as a new user runs it: an alarm within 30 s, a correct summary, an end by itself."""

from __future__ import annotations

import json
import subprocess
import sys


def test_demo_of_half_a_minute_alarms_the_walker_and_sums_up() -> None:
    command = [
        sys.executable,
        "-m",
        "tools.cli",
        "demo",
        "--seconds",
        "30",
        "--json",
        "--port",
        "0",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    alarms = [line for line in lines if line["type"] == "alarm"]
    summary = lines[-1]
    assert summary["type"] == "summary"
    assert summary["nodes"] == 8
    assert len(alarms) == summary["alarms"] >= 1
    assert alarms[0]["t_s"] < 30
    assert alarms[0]["reasons"]
    assert summary["crossings"] == summary["crossings_alarmed"] == 1
    assert summary["false_alarms"] == summary["messages_lost"] == summary["rejected"] == 0
    assert summary["first_alert_s_p50"] is not None
    assert summary["detections"] == sum(line["type"] == "detection" for line in lines)
    assert summary["messages"] > summary["detections"]
