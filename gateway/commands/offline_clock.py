# SPDX-License-Identifier: MIT
"""Commands: the time of a command that runs without a gateway: by the gateway's own rule."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from gateway.audit.clock import GatewayClock, Reading, computer_us, shown, shown_gap
from gateway.errors import StoreError
from gateway.store.choose import reading
from gateway.store.sql_load import newest_moment


class Now(NamedTuple):
    """UTC microseconds, and a line for the person where they are not those of a checked clock."""

    us: int
    warning: str = ""


def now(store: Path | str) -> Now:
    """The computer's clock, unless it is far from the newest record of the store: then time goes on
    from that record, as in a gateway."""
    try:
        found = read(store)
    except StoreError as error:
        return Now(computer_us(), f"{error}: the computer's clock was not compared with it")
    if not found.doubted:
        return Now(found.gateway_us)
    instead = f"{doubt(found)}: {shown(found.gateway_us)} is used instead"
    remedy = "Set the clock, or confirm it: groundwatch gateway confirm clock"
    return Now(found.gateway_us, f"{instead}. {remedy}")


def read(store: Path | str) -> Reading:
    """Both clocks now. Raises StoreError."""
    clock = GatewayClock(computer_us)
    if isinstance(store, Path) and not store.is_file():  # before the first start
        clock.start(None)
        return clock.read()
    with reading(store) as db:
        clock.start(newest_moment(db))
    return clock.read()


def doubt(found: Reading) -> str:
    """How far the computer's clock is from the records."""
    gap = shown_gap(found.gap_us)
    return f"the computer's clock shows {shown(found.computer_us)}, {gap} the newest record"
