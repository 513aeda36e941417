# SPDX-License-Identifier: MIT
"""Service: changes of the policy, each recorded in the audit with its author, also those made while
no gateway ran."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from gateway.keys import KeyRing
from gateway.model.actions.record import Recorder
from gateway.monitor.policy import Policy, saved
from gateway.outbox.outbox import Channel
from gateway.store.interface import Snapshot, Writes

_ROW = "standing"  # name of the state row
_DETAIL_MAX = 2000  # characters of one value in the audit; a longer one is given by its digest

Plain = dict[str, Any]


def by_subject(policy: Policy) -> Plain:
    """The policy by what each part is about, as the audit names it: "node n01", "arming gate"."""
    plain = msgspec.to_builtins(saved(policy))
    site = plain["site"]
    return {
        "rules": plain["rules"],
        "ground": site["ground"],
        "origin": site["origin"],
        "escalation": plain["escalation"],
        **{f"node {node['id']}": node for node in site["nodes"]},
        **{f"sector {name}": polygon for name, polygon in site["sectors"]},
        **{f"arming {name}": one["text"] for name, one in plain["schedules"].items()},
        **{f"confirmation {name}": one["text"] for name, one in plain["confirmed"].items()},
    }


class NewPolicy(NamedTuple):
    """A policy for a running gateway, with keys of all nodes and outputs. `outputs` describes them
    by subject, without secrets; `hidden` are subjects whose secrets changed."""

    policy: Policy
    keys: Mapping[str, KeyRing]
    channels: Sequence[Channel]
    outputs: Mapping[str, Any]
    hidden: Sequence[str] = ()


class PolicyRecord:
    """The policy last in force. A change is recorded once, with its author."""

    def __init__(self, audit: Recorder) -> None:
        self._audit = audit
        self._known: Plain | None = None
        self._changed = False

    def note(self, now_us: int, by: str, now: Plain, hidden: Sequence[str] = ()) -> list[str]:
        """Subjects that are different now, each with its entry in the audit; none the first time.

        `hidden` names those whose address or secret changed.
        """
        now = json.loads(json.dumps(now))
        before, self._known = self._known, now
        self._changed = self._changed or now != before
        if before is None:
            return []
        subjects = dict.fromkeys((*before, *now))
        changed = [s for s in subjects if _differs(before.get(s), now.get(s)) or s in hidden]
        for subject in changed:
            reason = "address, secret or certificate" if subject in hidden else ""
            detail = {"before": _brief(before.get(subject)), "after": _brief(now.get(subject))}
            self._audit.add(now_us, by, "orders.change", subject, reason, detail=detail)
        return changed

    def collect(self, writes: Writes) -> None:
        """The state row, when it changed since the last call."""
        if self._changed:
            writes.state[_ROW] = json.dumps(self._known, separators=(",", ":"))
            self._changed = False

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from the state of an earlier run."""
        if snapshot.state.get(_ROW):
            self._known = json.loads(snapshot.state[_ROW])


def _differs(before: Any, now: Any) -> bool:
    """A key that only a new version knows, without a value, is no change."""
    if isinstance(before, dict) and isinstance(now, dict):
        return {k: v for k, v in before.items() if v is not None} != {
            k: v for k, v in now.items() if v is not None
        }
    return bool(before != now)


def _brief(value: Any) -> Any:
    text = json.dumps(value)
    return value if len(text) <= _DETAIL_MAX else sha256(text.encode()).hexdigest()
