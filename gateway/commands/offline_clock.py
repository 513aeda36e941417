# SPDX-License-Identifier: MIT
"""Commands: the time of a command that runs without a gateway: by the gateway's own rule."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from gateway.audit.clock import GatewayClock, Reading, shown, shown_gap
from gateway.errors import StoreError
from gateway.store.choose import reading
from gateway.store.sql_load import newest_moment


def now_us(store: Path | str) -> int:
    """UTC microseconds: the computer's clock, unless it is far from the newest record of the store.
    Then time goes on from that record, as in a gateway, and one line on the error stream states it.
    """
    try:
        found = read(store)
    except StoreError as error:
        print(f"{error}: the computer's clock was not compared with it", file=sys.stderr)
        return _computer_us()
    if found.doubted:
        print(
            f"{doubt(found)}: {shown(found.gateway_us)} is used instead. "
            "Set the clock, or confirm it: groundwatch gateway confirm clock",
            file=sys.stderr,
        )
    return found.gateway_us


def read(store: Path | str) -> Reading:
    """Both clocks now. Raises StoreError."""
    clock = GatewayClock(_computer_us)
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


def _computer_us() -> int:
    return time.time_ns() // 1000
