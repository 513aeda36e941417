# SPDX-License-Identifier: MIT
"""A node log keeps the reported detections up to a bound and counts the others."""

import pytest

from sim_hardware.sandbox import NodeLog
from sim_hardware.virtual import VirtualRun

LINE = (
    "detection boot=1 seq={} onset_ms=5 phase=onset class=person confidence_pct=60 peak_um_s_x100=9"
)


def test_node_log_when_full_counts_further_detections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim_hardware.sandbox._MADE_MAX", 3)
    log = NodeLog("n01")
    for seq in range(1, 6):
        log.add(LINE.format(seq))
    assert [one.seq for one in log.made] == [1, 2, 3]
    assert log.made_dropped == 2
    assert VirtualRun([], log.made, {"n01": log}, {"n01": 0}).made_count == 5
