# SPDX-License-Identifier: MIT
"""Ports: following the picture: the whole first, then what changes. Every sink is a loop over it.

async for delta in follow(port.picture):
    for change in delta.changes: ...
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from gateway.ports.picture import Delta, Picture

MIN_GAP_S = 0.2  # changes within it arrive together, each thing once


async def follow(picture: Picture, min_gap_s: float = MIN_GAP_S) -> AsyncIterator[Delta]:
    """`whole` deltas replace everything. A reader that takes long gets fewer, longer deltas."""
    version = 0
    await picture.changed(0)  # an empty picture is one that the gateway has not filled yet
    while True:
        delta = picture.since(version)
        version = delta.version
        yield delta
        await asyncio.sleep(min_gap_s)
        await picture.changed(version)
