# SPDX-License-Identifier: MIT
"""Monitor: its inputs, each an entry of the log: observations, acts, policies and starts."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from gateway.model import text
from gateway.model.actions.acts import Act
from gateway.model.actions.cue import CueAct, CueReport, DevicesLost
from gateway.model.observation import Observation
from gateway.monitor.policy import SavedPolicy


class Start(msgspec.Struct, frozen=True):
    """A run of the gateway starts with this state: rows as the store held them."""

    policy: SavedPolicy
    state: dict[str, str]
    open_alarms: list[str]
    closed_alarms: list[str]
    last_alarm_id: int
    last_history_id: int


class Unreadable(msgspec.Struct, frozen=True):
    """An entry that this version cannot read: it is skipped, with a fault alarm."""

    kind: str


OfCues = CueAct | CueReport | DevicesLost
Input = Observation | Act | OfCues | SavedPolicy | Start | Unreadable

KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        *get_args(Observation),
        *get_args(Act),
        *get_args(OfCues),
        SavedPolicy,
        Start,
    )
}


def decoded(kind: str, value: str) -> Input:
    """An input from the log. Raises ValueError for what this version cannot read."""
    if kind not in KINDS:
        raise ValueError(f"this version does not know the input {kind!r}")
    given: Input = text.parse_json(value, KINDS[kind])
    return given
