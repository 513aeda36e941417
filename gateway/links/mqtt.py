# SPDX-License-Identifier: MIT
"""Links: MQTT uplinks of a site, acknowledged by hand: commit first, then PUBACK."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from functools import partial

from gateway.limits import Backoff
from gateway.mqtt.session import MqttAccess, MqttSession
from gateway.ports.link import Arrival, Clock, Offer
from gateway.wire.topics import uplink_filter

_LOG = logging.getLogger(__name__)
_FIRST_WAIT_S, _MAX_WAIT_S = 0.2, 10.0
# A broker ends a session when another client comes with its id; that one has then the same done to
# it. After so many sessions in a row that end so soon, this side steps back.
_SHORT_S, _SHORT_SESSIONS = 10.0, 5
_BACK_FIRST_S, _BACK_MAX_S = 20.0, 600.0
RIVAL = (
    "the broker ends each session after a moment: does another gateway use the same client id? "
    "This one steps back"
)
# Less than a full batch takes: what comes is read while one is committed, not while none is.
_OFFER_AGAIN_S = 0.005


class MqttLink:
    """Subscribes to all uplinks of a site and publishes downlinks, QoS 0."""

    def __init__(self, access: MqttAccess, site: str, offer: Offer, clock: Clock) -> None:
        self.name = f"mqtt {access.host}:{access.port}"
        self.connected = False
        self.counters: Counter[str] = Counter()
        self.problem = ""
        self.ready = asyncio.Event()
        self._access = access
        self._filter = uplink_filter(site)
        self._offer = offer
        self._clock = clock
        self._session: MqttSession | None = None
        self._held: Arrival | None = None
        self._again: asyncio.TimerHandle | None = None
        self._random = random.Random()

    @property
    def has_rival(self) -> bool:
        """Another client seems to use the same client id."""
        return self.problem == RIVAL

    async def run(self) -> None:
        """Connect, carry, reconnect with jitter, until cancelled."""
        backoff, logged = Backoff(_FIRST_WAIT_S, _MAX_WAIT_S, self._random), ""
        back, short = Backoff(_BACK_FIRST_S, _BACK_MAX_S, self._random), 0
        loop = asyncio.get_running_loop()
        while True:
            session = MqttSession(self._access, [self._filter], self._take, self.counters)
            self._session = session
            try:
                await session.open()
                self.connected, self.problem = True, ""
                self.counters["connects"] += 1
                self.ready.set()
                backoff.reset()
                logged = ""
                opened_s = loop.time()
                await session.closed.wait()
                short = short + 1 if loop.time() - opened_s < _SHORT_S else 0
                self.problem = RIVAL if short >= _SHORT_SESSIONS else session.problem
            except (OSError, TimeoutError) as error:
                self.problem = str(error) or type(error).__name__
                short = 0  # the broker itself was away: no rival
            finally:
                self._session, self.connected = None, False
                self._held = None  # not acknowledged: it comes again
                if self._again is not None:
                    self._again.cancel()
                self.ready.clear()
                session.close()
            self.counters["disconnects"] += 1
            if self.problem != logged:
                # Once per problem: what goes on is on the page, not in a line for every retry.
                _LOG.warning("lost the broker link=%r problem=%r", self.name, self.problem)
                logged = self.problem
            if self.has_rival:
                self.counters["stepped_back"] += 1
                await asyncio.sleep(back.next_s())
            else:
                if not short:
                    back.reset()
                await asyncio.sleep(backoff.next_s())

    def send(self, topic: str, payload: bytes) -> bool:
        """Publish at QoS 0; False when the broker is away or slow."""
        if not self.connected or self._session is None or not self._session.publish(topic, payload):
            self.counters["down_dropped"] += 1
            return False
        self.counters["down"] += 1
        return True

    def _take(self, topic: str, payload: bytes, packet_id: int, _retained: bool) -> None:
        session = self._session
        assert session is not None
        self.counters["up"] += 1
        acknowledge = partial(session.acknowledge, packet_id) if packet_id else _nothing
        arrival = Arrival(self._clock(), topic, payload, self, acknowledge)
        if not self._accepted(arrival):
            self.counters["held_back"] += 1
            self._held = arrival
            self._wait_for_room(session)

    def _accepted(self, arrival: Arrival) -> bool:
        """A message that a fault of our own keeps out is passed over: held back it would keep out
        all that are behind it. It has no receipt, so its node sends it again."""
        try:
            return self._offer(arrival)
        except Exception as error:
            self.counters["faults"] += 1
            loop = asyncio.get_running_loop()
            given = {"message": self.name, "part": f"link {self.name}", "exception": error}
            loop.call_exception_handler(given)
            arrival.acknowledge()
            return True

    def _wait_for_room(self, session: MqttSession) -> None:
        """A message that is not accepted waits, and the broker with it: passed over, it would never
        be acknowledged and keep its place in the broker's window for good."""
        session.pause()
        loop = asyncio.get_running_loop()
        self._again = loop.call_later(_OFFER_AGAIN_S, self._offer_held, session)

    def _offer_held(self, session: MqttSession) -> None:
        if session is not self._session or self._held is None:
            return
        if self._accepted(self._held):
            self._held = None
            session.resume()
        else:
            self._wait_for_room(session)


def _nothing() -> None:
    """A message of QoS 0 is not acknowledged."""


__all__ = ["MqttAccess", "MqttLink"]
