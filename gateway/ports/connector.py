# SPDX-License-Identifier: MIT
"""Ports: what a connector is: a name, a configuration, and one or more of four roles.

*Source* brings observations or acts. *Sink* keeps the picture true on another system. *Notifier*
delivers a notification. *Cue device* carries out a request to look or to move. Source and sink are
one coroutine (`run`), since most systems are both over one connection.

A package offers connectors under the entry point group `groundwatch.connectors`; each entry names a
`ConnectorType`. Its module imports the library of the other system inside `make` or `run` only, so
that a connector that is not configured costs nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Protocol, runtime_checkable

import msgspec

from gateway.model.actions.acts import Acknowledge, Act
from gateway.model.actions.cue import Cue, CueKind, CueState, ProposeCue
from gateway.model.observation import FromConnector
from gateway.model.place.site import Site
from gateway.ports.picture import Picture

ENTRY_POINTS = "groundwatch.connectors"

# What the other side may be allowed to do. Nothing that moves a device is among it.
May = Literal["acknowledge", "propose_cue"]
ACT_OF: dict[str, type[Any]] = {"acknowledge": Acknowledge, "propose_cue": ProposeCue}


class ConnectorConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every `[[connector]]` table holds; a connector's own configuration derives from it.

    `may` lists the acts that the other side may bring; none unless it is named. Secrets are fields
    of the type `Secret`, files of the type `Path`.
    """

    kind: str
    name: Annotated[
        str,
        msgspec.Meta(
            pattern="^[a-z0-9_-]{1,16}$",
            examples=["duty_phone"],
            extra={"wants": "must be 1 to 16 of a-z 0-9 _ -"},
        ),
    ]
    may: tuple[May, ...] = ()

    def described(self) -> dict[str, Any]:
        """What the audit records of it: no address, no secret."""
        return {"kind": self.kind, "may": list(self.may)}


@dataclass(slots=True)
class Status:
    """How a connector is, for page, metrics and command line alike; times UTC microseconds.

    `counters` hold at least what was sent, received, rejected (hostile or malformed) and full.
    """

    state: str = "starting"  # starting | connected | failing | stopped
    problem: str = ""
    since_us: int = 0
    restarts: int = 0
    counters: Counter[str] = field(default_factory=Counter)

    def connected(self, now_us: int) -> None:
        """The other side answers."""
        if self.state != "connected":
            self.state, self.problem, self.since_us = "connected", "", now_us

    def failing(self, problem: str, now_us: int) -> None:
        """It does not; one clear line without addresses and secrets."""
        if self.state != "failing":
            self.since_us = now_us
        self.state, self.problem = "failing", problem


class Port(Protocol):
    """What the gateway gives one running connector."""

    name: str
    site: Site
    picture: Picture
    status: Status

    def clock_us(self) -> int:
        """Wall clock, UTC microseconds."""

    def offer(self, observation: FromConnector) -> bool:
        """Take an observation in; False when the queue is full or the observation is invalid, which
        is counted in `status`. Never waits."""

    async def act(self, act: Act | ProposeCue) -> bool:
        """An act in the connector's name (`by` is replaced by it); False when it may not, or it was
        not possible."""


@runtime_checkable
class Runs(Protocol):
    """A source, a sink, or both. Runs until cancelled; whatever it raises restarts it with backoff.

    A sink reads `port.picture` by version (`since`, `changed`), starts with the whole picture after
    every break, and takes back what is gone.
    """

    async def run(self, port: Port) -> None:
        """Carry until cancelled."""


DELIVERY_TIMEOUT_S = 10.0  # of one attempt


class DeliveryError(Exception):
    """Not delivered. `again`: it may work later, but not before `after_s`.

    The text goes into records and logs: no address, no secret, nothing that the other side wrote.
    """

    def __init__(self, problem: str, again: bool = True, after_s: float = 0.0) -> None:
        super().__init__(problem)
        self.again = again
        self.after_s = after_s


@runtime_checkable
class Notifier(Protocol):
    """Delivers one notification; it may be called again with the same one."""

    async def deliver(self, body: dict[str, Any]) -> str:
        """Delivered when this returns: the receipt, in our words. Raises DeliveryError."""


@runtime_checkable
class CueDevice(Protocol):
    """Carries out confirmed cues, one at a time. Never starts one by itself."""

    async def perform(self, cue: Cue, report: Callable[[CueState, str], None]) -> None:
        """Report sent, executing, then done or failed. Cancelled when the cue is withdrawn: then it
        stops the device."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a connector is made with."""

    site: Site
    clock_us: Callable[[], int]
    rng: random.Random


@dataclass(frozen=True, slots=True)
class ConnectorType:
    """One kind of connector. `make` does no I/O; it raises ConfigError for a bad configuration."""

    kind: str
    config: type[ConnectorConfig]
    make: Callable[[Any, Context], object]
    help: str
    needs: str = ""  # the optional extra that brings its library
    cues: frozenset[CueKind] = frozenset()  # what its device can be asked for
