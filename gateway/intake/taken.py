# SPDX-License-Identifier: MIT
"""Intake: what one arrival brought, and what its commit promises."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from gateway.intake.authentication.authenticator import Admitted
from gateway.intake.nodes.completeness import NodeBoot
from gateway.model.entry import Entry
from gateway.wire import messages as wire


class Taken(msgspec.Struct):
    """What one arrival brought: a new `message`, the (node, boot) that a `receipt` is due to once
    it is stored, the (node, t_ms) that asked for the time."""

    node: str = ""
    refused: str = ""
    duplicate: bool = False
    receipt: NodeBoot | None = None
    time_for: tuple[str, int] | None = None
    message: wire.UpMessage | None = None
    entries: list[Entry] = []


class Promise(NamedTuple):
    """Receipts and reservations that hold once the rows they were collected with are stored."""

    upto: dict[NodeBoot, int]
    reserved: dict[str, int]


def receipt_of(admitted: Admitted) -> NodeBoot | None:
    """The (node, boot) that a receipt is due to once the message is stored."""
    return (admitted.node, admitted.boot) if admitted.durable else None
