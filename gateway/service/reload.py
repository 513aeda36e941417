# SPDX-License-Identifier: MIT
"""Standing orders read anew while the gateway runs: all of them, or none and one line why.

What can change so: arming schedules, escalation, outputs, Home Assistant, and a site that grows or
is measured anew. Everything else of gateway.toml takes a restart, and is refused.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.config import GatewayConfig
from gateway.config.alarms import alarm_rules
from gateway.config.site import load_site
from gateway.errors import ConfigError
from gateway.keys import KeyRing
from gateway.model.record import SYSTEM
from gateway.model.site import Site
from gateway.monitor.policy import Policy
from gateway.outputs.desk import OutputDesk
from gateway.outputs.home_assistant import HomeAssistant
from gateway.service.policy_record import NewPolicy
from gateway.service.service import Service

_LOG = logging.getLogger(__name__)
# As written in gateway.toml, and where the configuration holds it.
_FIXED = {
    "gateway.data_dir": "data_dir",
    "gateway.site": "site",
    "gateway.fleet_key": "fleet_key",
    "gateway.release_key": "release_key",
    "broker": "broker",
    "console": "console",
    "serial": "serial",
    "store.url": "store_url",
    "retention": "retention",
}


@dataclass(frozen=True, slots=True)
class Rooms:
    """Who must hear of it. `keys` are those of a site's nodes as they stand, `admit` lets nodes in
    at the links and the broker."""

    service: Service
    outputs: OutputDesk
    keys: Callable[[Site], dict[str, KeyRing]]
    admit: Callable[[Site, Mapping[str, KeyRing]], Awaitable[None]]
    assistant: Callable[[GatewayConfig, Site], HomeAssistant | None]


class Reload:
    """`config` is what the gateway began with, `read` reads it anew; None: it is of no file."""

    def __init__(
        self, config: GatewayConfig, read: Callable[[], GatewayConfig] | None, rooms: Rooms
    ) -> None:
        self._config = config
        self._read = read
        self._rooms = rooms
        self._one = asyncio.Lock()

    async def load(self, by: str) -> list[str]:
        """What is other from now on, by subject. Raises ConfigError, and then nothing is."""
        if self._read is None:
            raise ConfigError("this gateway was started without a gateway.toml: nothing to read")
        async with self._one:
            try:
                config = await asyncio.to_thread(self._read)
                site = await asyncio.to_thread(load_site, config.site)
                return await self._take(config, site, by)
            except ConfigError as error:
                _LOG.warning("orders stay as they were: %s", error)
                raise

    async def load_site(self, by: str = SYSTEM) -> list[str]:
        """The same of the site alone: what gateway.toml says by now is not looked at."""
        async with self._one:
            site = await asyncio.to_thread(load_site, self._config.site)
            return await self._take(self._config, site, by)

    async def _take(self, config: GatewayConfig, site: Site, by: str) -> list[str]:
        rooms, before = self._rooms, self._config
        for name, field in _FIXED.items():
            if getattr(config, field) != getattr(before, field):
                raise ConfigError(f"{name} is another: that takes a restart; nothing was changed")
        _check_growth(rooms.service.stages.site, site)
        policy = Policy(site, rooms.service.stages.policy.rules, alarm_rules(config.alarms, site))
        given = NewPolicy(
            policy,
            rooms.keys(site),
            [output.channel for output in config.outputs],
            outputs_told(config),
            _hidden(before, config),
        )
        # The entities of Home Assistant are made from the site.
        same = config.home_assistant == before.home_assistant and site == rooms.service.stages.site
        assistant = rooms.outputs.home_assistant if same else rooms.assistant(config, site)

        def current() -> NewPolicy:
            # Only now: a key may have been revoked since.
            rooms.outputs.set_outputs(config.outputs, assistant)
            return given._replace(keys=rooms.keys(site))

        changed = await rooms.service.set_policy(by, current)
        self._config = config
        await rooms.admit(site, rooms.keys(site))
        _LOG.info("orders by=%s changed=%s", by, ", ".join(changed) or "nothing")
        return changed


def outputs_told(config: GatewayConfig) -> dict[str, Any]:
    """Outputs by subject, without what nobody may read."""
    told = {f"output {one.channel.name}": one.described() for one in config.outputs}
    if config.home_assistant is not None:
        told["home_assistant"] = config.home_assistant.described()
    return told


def _hidden(before: GatewayConfig, now: GatewayConfig) -> list[str]:
    """Subjects of outputs that are there as before, and other in what is not told of them."""
    old, new = ({one.channel: one for one in config.outputs} for config in (before, now))
    hidden = [f"output {c.name}" for c, one in new.items() if c in old and old[c] != one]
    both = before.home_assistant, now.home_assistant
    if None not in both and both[0] != both[1]:
        hidden.append("home_assistant")
    return hidden


def _check_growth(before: Site, now: Site) -> None:
    if now.name != before.name:
        raise ConfigError(f"the site is called {now.name} now: that takes a restart")
    for node in before.nodes.values():
        if node.id not in now.nodes:
            raise ConfigError(
                f"node {node.id} is not in site.toml any more: that takes a restart; "
                "nothing was changed"
            )
        if now.nodes[node.id].sector != node.sector:
            raise ConfigError(
                f"node {node.id} is in another sector: that takes a restart; nothing was changed"
            )
