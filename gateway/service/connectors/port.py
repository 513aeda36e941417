# SPDX-License-Identifier: MIT
"""Service: what one connector gets: the picture, a bounded queue for its observations, and acts.

Counters of its status: "received", "rejected" and "full" (offers); "acts", "acts_refused" and
"acts_limited".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from gateway.limits import TokenBucket
from gateway.model.actions.acts import Act
from gateway.model.actions.cue import ProposeCue
from gateway.model.observation import FromConnector
from gateway.model.place.site import Site
from gateway.ports.connector import ACT_OF, ConnectorConfig, Status
from gateway.ports.picture import Picture
from gateway.service.connectors.offered import OfferedError, checked

_LOG = logging.getLogger(__name__)
MAX_OFFERED = 1024
MAX_BATCH = 64
ACTS_PER_MINUTE = 30
_MAX_LOGGED = 5  # rejections of one connector in a row that are worth a line each

# Stores observations; returns when they are committed, or at least accepted.
Take = Callable[[Sequence[FromConnector]], Awaitable[None]]
# Performs an act in the name it carries; False when it was not possible.
Perform = Callable[[Act | ProposeCue], Awaitable[bool]]


class ConnectorPort:
    """The `Port` of one connector. `site` is replaced when the site changes."""

    def __init__(
        self,
        config: ConnectorConfig,
        site: Site,
        picture: Picture,
        status: Status,
        clock_us: Callable[[], int],
        perform: Perform,
    ) -> None:
        self.name = config.name
        self.site = site
        self.picture = picture
        self.status = status
        self._clock_us = clock_us
        self._perform = perform
        self._may = tuple(ACT_OF[word] for word in config.may)
        self._offered: asyncio.Queue[FromConnector] = asyncio.Queue(MAX_OFFERED)
        self._acts = TokenBucket(ACTS_PER_MINUTE / 60, ACTS_PER_MINUTE)

    @property
    def identity(self) -> str:
        """The name under which its acts are recorded."""
        return f"connector:{self.name}"

    @property
    def waiting(self) -> int:
        """Observations that are not accepted yet."""
        return self._offered.qsize()

    def clock_us(self) -> int:
        """Wall clock, UTC microseconds."""
        return self._clock_us()

    def offer(self, observation: FromConnector) -> bool:
        """Accept an observation; False when it is invalid or the queue is full. Never waits."""
        counters = self.status.counters
        try:
            stamped = checked(observation, self.name, self._clock_us())
        except OfferedError as error:
            counters["rejected"] += 1
            if counters["rejected"] <= _MAX_LOGGED:
                _LOG.warning("connector %s offered an invalid observation: %s", self.name, error)
            return False
        if self._offered.full():
            counters["full"] += 1
            return False
        counters["received"] += 1
        self._offered.put_nowait(stamped)
        return True

    async def act(self, act: Act | ProposeCue) -> bool:
        """An act in the connector's name; False when it may not, or it was not possible."""
        counters = self.status.counters
        if type(act) not in self._may:
            counters["acts_refused"] += 1
            _LOG.warning("connector %s may not do %s", self.name, type(act).__name__)
            return False
        if not self._acts.take(self._clock_us() / 1e6):
            counters["acts_limited"] += 1
            return False
        done = await self._perform(replace(act, by=self.identity))
        counters["acts" if done else "acts_refused"] += 1
        return done

    async def drain(self, take: Take) -> None:
        """Pass what was offered to intake, until cancelled. What intake raises costs that batch and
        is counted as "lost"; the connector is not affected."""
        while True:
            batch = [await self._offered.get()]
            while len(batch) < MAX_BATCH and not self._offered.empty():
                batch.append(self._offered.get_nowait())
            try:
                await take(batch)
            except Exception:
                self.status.counters["lost"] += len(batch)
                _LOG.exception("observations of connector %s were not taken", self.name)
