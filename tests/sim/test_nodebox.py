# SPDX-License-Identifier: MIT
"""What a simulated node says it made is kept up to a bound, and counted beyond it."""

import pytest

from sim_hardware import nodebox
from sim_hardware.nodebox import NodeLog
from sim_hardware.virtual import VirtualRun

LINE = (
    "detection boot=1 seq={} onset_ms=5 phase=onset class=person confidence_pct=60 peak_um_s_x100=9"
)


def test_node_log_full_counts_what_it_does_not_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodebox, "_MADE_MAX", 3)
    log = NodeLog("n01")
    for seq in range(1, 6):
        log.add(LINE.format(seq))
    assert [one.seq for one in log.made] == [1, 2, 3]
    assert log.made_dropped == 2
    assert VirtualRun([], log.made, {"n01": log}, {"n01": 0}).made_count == 5
