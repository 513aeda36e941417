# SPDX-License-Identifier: MIT
"""Service: heartbeats of partner gateways arrive here; one that stays away raises an alarm."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from gateway.config.heartbeats import PartnersConfig
from gateway.model.actions.record import SYSTEM
from gateway.model.alarm import AlarmKind
from gateway.model.observation import AreaCondition
from gateway.service.running.intake_stage import Work
from gateway.service.service import Service
from gateway.service.watch.partner import HeartbeatError, Partner, opened

_LOG = logging.getLogger(__name__)
TICK_S = 1.0
_LOGGED = 5  # refused datagrams that are worth a line each


class PartnerListener(asyncio.DatagramProtocol):
    """`counters` hold received heartbeats, and refused datagrams by reason."""

    def __init__(
        self,
        config: PartnersConfig,
        service: Service,
        monotonic: Callable[[], float],
    ) -> None:
        self.counters: Counter[str] = Counter()
        self.port = config.port
        self._config = config
        self._service = service
        self._monotonic = monotonic
        # A partner has as long as ever after our own start.
        self.partners = {
            one.site: Partner(one.site, one.key, one.silent_s, monotonic())
            for one in config.gateway
        }

    async def run(self) -> None:
        """Until cancelled. Raises OSError where the port is taken."""
        loop = asyncio.get_running_loop()
        where = (self._config.host, self._config.port)
        transport, _self = await loop.create_datagram_endpoint(lambda: self, local_addr=where)
        self.port = transport.get_extra_info("sockname")[1]
        try:
            while True:
                await asyncio.sleep(TICK_S)
                self.tick()
        finally:
            transport.close()

    def tick(self) -> None:
        """Raise the alarm about each partner that has become silent."""
        for partner in self.partners.values():
            self._turn(partner, received=False)

    def datagram_received(self, data: bytes, _addr: Any) -> None:
        """Whatever comes in."""
        try:
            tag, body, beat = opened(data)
            partner = self.partners.get(beat.site)
            if partner is None:
                raise HeartbeatError("unknown_site")
            partner.receive(tag, body, beat, self._service.clock_us(), self._monotonic())
        except HeartbeatError as error:
            self.counters[str(error)] += 1
            if self.counters[str(error)] <= _LOGGED:
                _LOG.warning("partners: a datagram was refused: %s", error)
            return
        self.counters["received"] += 1
        self._turn(partner, received=True)

    def silent(self) -> list[str]:
        """A line for each partner that is silent."""
        names = [one.site for one in self.partners.values() if one.is_silent]
        return [
            f"the partner gateway {name} is silent: its site is not monitored" for name in names
        ]

    def _turn(self, partner: Partner, received: bool) -> None:
        active = partner.turned(self._monotonic(), received)
        if active is None:
            return
        if active:
            _LOG.warning("the partner gateway %s is silent", partner.site)
        reason = (
            f"no heartbeat of the gateway {partner.site} for {partner.silent_s:.0f} s: "
            "its site is not monitored"
        )
        stages = self._service.stages
        condition = AreaCondition(
            AlarmKind.GATEWAY_LOST,
            f"partner {partner.site}",
            (),
            tuple(stages.site.sectors),
            active,
            reason,
        )
        self._service.intake_stage.post(
            lambda now_us: Work(stages.intake.append(now_us, SYSTEM, condition))
        )
