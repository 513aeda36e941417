# SPDX-License-Identifier: MIT
"""Ports: what a connector is: a name, a configuration, and one or more of four roles.

*Source* brings observations or acts. *Sink* keeps the picture true on another system. *Notifier*
delivers a notification. *Cue device* carries out a request to look or to move. Source and sink are
one coroutine (`run`), since most systems are both over one connection.

A package offers connectors under the entry point group `groundwatch.connectors`; each entry names a
`ConnectorType`. Its module imports the library of the other system inside `make` or `run` only, so
that nobody pays for a connector that is not configured.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import msgspec

from gateway.model.acts import Act
from gateway.model.cue import Cue, CueState
from gateway.model.observation import FromConnector
from gateway.model.site import Site
from gateway.ports.picture import Picture

ENTRY_POINTS = "groundwatch.connectors"


class ConnectorConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every `[[connector]]` table holds; a connector's own configuration derives from it.

    `may` lists the acts that the other side may bring ("acknowledge"); nothing unless it is named.
    """

    kind: str
    name: str
    may: tuple[str, ...] = ()


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

    async def act(self, act: Act) -> bool:
        """An act in the connector's name; False when it may not, or it was not possible."""


@runtime_checkable
class Runs(Protocol):
    """A source, a sink, or both. Runs until cancelled; whatever it raises restarts it with backoff.

    A sink reads `port.picture` by version (`since`, `changed`), starts with the whole picture after
    every break, and takes back what is gone.
    """

    async def run(self, port: Port) -> None:
        """Carry until cancelled."""


class DeliveryError(Exception):
    """Not delivered. `again` says that it may work later, `after_s` that it will not before.

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


async def sleep_backoff(attempt: int, rng: random.Random, first_s: float, max_s: float) -> None:
    """Wait before attempt number `attempt` (from 1) with jitter of a factor 0.5 to 1.5."""
    await asyncio.sleep(min(max_s, first_s * 2.0 ** (attempt - 1)) * rng.uniform(0.5, 1.5))
