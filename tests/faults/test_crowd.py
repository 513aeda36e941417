# SPDX-License-Identifier: MIT
"""The nodes of these tests: without receipts they report the oldest message of each."""

from __future__ import annotations

import pytest

from tests.faults.nodes import Crowd
from tests.ports import free_port


async def test_crowd_without_receipts_reports_the_oldest_messages() -> None:
    crowd = Crowd(free_port(), ("n01", "n02"))  # no process listens there
    for number in (1, 2):
        crowd.nodes[1].detection(number)
    with pytest.raises(TimeoutError, match=r"\('n02', 1, 1\)"):
        await crowd.until_progress(seconds=0.01)
