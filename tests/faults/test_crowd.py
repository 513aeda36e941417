# SPDX-License-Identifier: MIT
"""The nodes of these tests: when they stand still they say where."""

from __future__ import annotations

import pytest

from tests.faults.nodes import Crowd
from tests.ports import free_port


async def test_crowd_without_receipts_says_which_messages_stand_still() -> None:
    crowd = Crowd(free_port(), ("n01", "n02"))  # nobody listens there
    for number in (1, 2):
        crowd.nodes[1].detection(number)
    with pytest.raises(TimeoutError, match=r"\('n02', 1, 1\)"):
        await crowd.until_progress(seconds=0.01)
