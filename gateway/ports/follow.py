# SPDX-License-Identifier: MIT
"""Ports: following the picture: the whole first, then what changes. Every sink is a loop over it.

async for delta in follow(port.picture):
    for change in delta.changes: ...
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from gateway.ports.connector import Status
from gateway.ports.picture import Delta, Picture

MIN_GAP_S = 0.2  # changes within it arrive together, each thing once
# What is on the ground and what is known of it. The rest of the picture is of the gateway itself:
# counters, warnings, people on duty, connectors and deliveries leave it by the API only.
THINGS = frozenset(
    {"site", "sector", "node", "detection", "track", "alarm", "contact", "cue", "mask", "walk"}
)


@contextmanager
def one_thing(name: str, status: Status) -> Iterator[None]:
    """What raises within is reported for the connector `name`, and counted as "untranslated": one
    thing that cannot be translated must not keep all others back."""
    try:
        yield
    except Exception as error:
        status.counters["untranslated"] += 1
        part = f"connector {name}"
        given = {"message": part, "part": part, "exception": error}
        asyncio.get_running_loop().call_exception_handler(given)


async def follow(
    picture: Picture, min_gap_s: float = MIN_GAP_S, kinds: frozenset[str] = THINGS
) -> AsyncIterator[Delta]:
    """`whole` deltas replace everything. A reader that takes long gets fewer, longer deltas."""
    version = 0
    await picture.changed(0)  # an empty picture is one that the gateway has not filled yet
    while True:
        delta = picture.since(version)
        version = delta.version
        changes = [change for change in delta.changes if change.kind in kinds]
        if changes or delta.whole:
            yield Delta(version, delta.whole, changes)
            await asyncio.sleep(min_gap_s)
        await picture.changed(version)
