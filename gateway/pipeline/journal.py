# SPDX-License-Identifier: MIT
"""Pipeline: what replay needs beside the stored messages: troubles, what operators did, and the
moments at which passing time changed something. A tick that changes nothing is left out."""

from __future__ import annotations

import json
from typing import Any, get_args

import msgspec

from gateway.alarms import AlarmInput, EventChanged
from gateway.pipeline.standing import Orders, from_dict, to_dict
from gateway.store.interface import COUNT_JOURNAL, JournalRow, Snapshot, Writes

START, SILENCE = "start", "silence"  # a run begins; time passes at the map table
ORDERS = "orders"  # other standing orders from here on
# State rows that neither map table nor duty desk reads.
_NOT_THEIRS = ("node:", "epoch:", "count:", "delivery:", "enrolment:", "update", "standing")
_KEPT = ("open_alarms", "closed_alarms", "last_alarm_id", "last_history_id", "messages")
_INPUTS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(AlarmInput)}


class Journal:
    """`message_id` is the last message whose words the map table has heard."""

    def __init__(self, orders: Orders) -> None:
        self.message_id = 0
        self._orders = orders
        self._last_id = 0
        self._rows: list[JournalRow] = []
        self._base: str | None = _base(Snapshot(), orders)

    def restore(self, snapshot: Snapshot) -> None:
        """A run begins with this."""
        self.message_id = snapshot.messages
        self._last_id = int(snapshot.state.get(COUNT_JOURNAL, "0"))
        self._base = _base(snapshot, self._orders)

    def begin(self, now_us: int) -> None:
        """The first thing of a run happens; nothing when it has begun."""
        if self._base is not None:
            base, self._base = self._base, None
            self._add(now_us, START, base)

    def set_orders(self, now_us: int, orders: Orders) -> None:
        """From here on these are in force."""
        self.begin(now_us)
        self._orders = orders
        self._add(now_us, ORDERS, json.dumps(to_dict(orders), separators=(",", ":")))

    def silence(self, now_us: int) -> None:
        """Time passing changed the map table."""
        self._add(now_us, SILENCE, "")

    def given(self, now_us: int, given: AlarmInput) -> None:
        """The duty desk took this; what events tell it is found again from the messages."""
        if not isinstance(given, EventChanged):
            self._add(now_us, type(given).__name__, msgspec.json.encode(given).decode())

    def _add(self, now_us: int, kind: str, value: str) -> None:
        self._last_id += 1
        self._rows.append(JournalRow(self._last_id, self.message_id, now_us, kind, value))

    def collect(self, writes: Writes) -> None:
        """Hand over the rows since the last call."""
        if self._rows:
            writes.state[COUNT_JOURNAL] = str(self._last_id)
        writes.journal += self._rows
        self._rows = []


def _base(snapshot: Snapshot, orders: Orders) -> str:
    value: dict[str, Any] = {name: getattr(snapshot, name) for name in _KEPT}
    value["state"] = {
        name: text for name, text in snapshot.state.items() if not name.startswith(_NOT_THEIRS)
    }
    value["orders"] = orders.digest
    value["standing"] = to_dict(orders)
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def base_of(row: JournalRow) -> tuple[Snapshot, str, Orders | None]:
    """What a run began with, the digest of its standing orders, and these where they are kept
    (older stores do not). Raises ValueError."""
    value = json.loads(row.value)
    orders = str(value.pop("orders"))
    standing = value.pop("standing", None)
    return Snapshot(**value), orders, None if standing is None else _orders(row, standing)


def orders_of(row: JournalRow) -> Orders:
    """The standing orders from that row on. Raises ValueError."""
    return _orders(row, json.loads(row.value))


def _orders(row: JournalRow, value: Any) -> Orders:
    try:
        return from_dict(value)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"journal {row.id}: no standing orders: {error}") from None


def input_of(row: JournalRow) -> AlarmInput:
    """What the duty desk took. Raises ValueError."""
    if row.kind not in _INPUTS:
        raise ValueError(f"journal {row.id}: this version knows no {row.kind!r}")
    given: AlarmInput = msgspec.json.decode(row.value, type=_INPUTS[row.kind])
    return given
