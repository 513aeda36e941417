# SPDX-License-Identifier: MIT
"""Counts of rejected messages over restarts, and those that an earlier version named otherwise."""

from __future__ import annotations

from collections.abc import Callable

from gateway.intake.refused import Refused
from gateway.store.interface import Store, Writes


def run(store: Store, count: Callable[[Refused], None]) -> dict[str, int]:
    """One run of the gateway over the store: totals by reason at its end."""
    refused = Refused()
    refused.restore(store.load().refused)
    count(refused)
    writes = Writes()
    writes.refused |= refused.changed()
    store.commit(writes)
    return refused.by_reason()


def test_refused_count_of_an_earlier_name_is_moved_once(
    open_store: Callable[[], Store],
) -> None:
    store = open_store()
    earlier = Writes()
    earlier.refused[("untimely_strikes", "n01")] = 3
    earlier.refused[("bad_tag", "n01")] = 2
    store.commit(earlier)
    more = {"bad_tag": 2, "untimely_footfalls": 4}
    assert run(open_store(), lambda one: one.count("untimely_footfalls", "n01")) == more
    for _ in range(2):
        assert run(open_store(), lambda _one: None) == more
