# SPDX-License-Identifier: MIT
"""Model: a command to a node, from the order to its outcome."""

from __future__ import annotations

from enum import Enum

import msgspec


class NodeCommandKind(Enum):
    """What a node can be asked to do."""

    PING = "ping"
    REBOOT = "reboot"
    SNIPPET = "snippet"
    CONFIGURE = "configure"
    IDENTIFY = "identify"
    LOG = "log"


class NodeCommandState(Enum):
    """Where a command is. All but the first two are final."""

    WAITING = "waiting"  # ordered, and not sent yet
    SENT = "sent"
    DONE = "done"
    REFUSED = "refused"
    UNSUPPORTED = "unsupported"
    FAILED = "failed"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        """Nothing follows."""
        return self not in (NodeCommandState.WAITING, NodeCommandState.SENT)


class NodeCommand(msgspec.Struct, frozen=True, kw_only=True):
    """Times in UTC microseconds. `value` is what the kind asks for: seconds of a snippet, or for
    how long the LED blinks; `settings` what is to be changed. `boot` is the boot of the node in
    which it was first sent, 0 before that. `contact_s`: of a node in radio burst, how long it waits
    for the node at most."""

    id: int
    node: str
    kind: NodeCommandKind
    by: str
    reason: str
    ordered_us: int
    expires_us: int
    value: int | None = None
    settings: dict[str, int] | None = None
    contact_s: int = 0
    state: NodeCommandState = NodeCommandState.WAITING
    boot: int = 0
    after_message: int = 0  # the newest stored message when it was ordered
    upto_message: int = 0  # and when it ended
    sent_us: int = 0
    sent: int = 0  # how many times
    restarted_us: int = 0  # when the node was first seen in a later boot
    ended_us: int = 0
    answer: int | None = None  # the result's value
    answer_settings: dict[str, int] | None = None  # those in use after a `configure`
    problem: str = ""
