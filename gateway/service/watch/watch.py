# SPDX-License-Identifier: MIT
"""Service: what keeps this gateway monitoring, and what raises an alarm when it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from gateway.alarms.suppression import armed
from gateway.config.heartbeats import HeartbeatConfig, PartnersConfig
from gateway.service.service import Service
from gateway.service.watch.awake import Awake
from gateway.service.watch.gaps import STOPPED, GapWatch, recent, record_gap
from gateway.service.watch.heartbeats import HeartbeatSender
from gateway.service.watch.listener import PartnerListener


class Watch:
    """Made when the service has its stages; `operators` are those at a console now."""

    def __init__(
        self,
        service: Service,
        operators: Callable[[], int],
        heartbeats: Sequence[HeartbeatConfig] = (),
        partners: PartnersConfig | None = None,
    ) -> None:
        self._service = service
        self._gaps = GapWatch(service, operators)
        self.awake = Awake(self._is_armed)
        site = service.stages.site.name
        self.senders = [
            HeartbeatSender(one, site, service.flush, service.clock_us) for one in heartbeats
        ]
        monotonic = asyncio.get_running_loop().time
        self.listener = PartnerListener(partners, service, monotonic) if partners else None

    def begin(self) -> None:
        """The service has started: record for how long it had not."""
        service = self._service
        entries = record_gap(service.stages, service.clock_us(), STOPPED)
        service.monitor_stage.hand_over(entries)

    def tasks(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        """What runs beside the service, by name."""
        listening = {"partners": self.listener.run} if self.listener else {}
        return {
            "gaps": self._gaps.run,
            "awake": self.awake.run,
            **{f"heartbeat {one.name}": one.run for one in self.senders},
            **listening,
        }

    def warnings(self) -> list[str]:
        """Lines for the page."""
        service = self._service
        return [
            *filter(None, [self.awake.problem]),
            *(f"heartbeat {one.name}: {one.problem}" for one in self.senders if one.problem),
            *(self.listener.silent() if self.listener else ()),
            *recent(service.stages, service.clock_us()),
        ]

    def _is_armed(self) -> bool:
        stages, now_us = self._service.stages, self._service.clock_us()
        state, rules = stages.monitor.state.alarms, stages.policy.alarms
        return any(armed(state, rules, sector, now_us) for sector in stages.site.sectors)
