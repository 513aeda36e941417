# SPDX-License-Identifier: MIT
"""Service: reload of the policy while the gateway runs: all of it, or nothing and one line why.

A reload can change arming schedules, escalation, connectors, add nodes to the site and move them.
Everything else in gateway.toml needs a restart, and is rejected.
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
from gateway.config.site_edit import place
from gateway.errors import ConfigError
from gateway.keys import KeyRing
from gateway.model.actions.record import SYSTEM
from gateway.model.place.position import Position
from gateway.model.place.site import Site
from gateway.monitor.policy import Policy
from gateway.service.connectors import ConnectorService, channels_of, devices_of
from gateway.service.records.policy_record import NewPolicy
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
    "heartbeat": "heartbeats",
    "partners": "partners",
}


@dataclass(frozen=True, slots=True)
class Dependents:
    """What a new policy is applied to. `keys` are the present keys of the nodes of a site; `admit`
    lets nodes in at the links and the broker."""

    service: Service
    connectors: ConnectorService
    keys: Callable[[Site], dict[str, KeyRing]]
    admit: Callable[[Site, Mapping[str, KeyRing]], Awaitable[None]]


class Reload:
    """`config` is what the gateway started with; `read` reads it again, None without a file."""

    def __init__(
        self,
        config: GatewayConfig,
        read: Callable[[], GatewayConfig] | None,
        dependents: Dependents,
    ) -> None:
        self._config = config
        self._read = read
        self._dependents = dependents
        self._one = asyncio.Lock()

    async def load(self, by: str) -> list[str]:
        """What has changed, by subject. Raises ConfigError; then nothing has changed."""
        if self._read is None:
            raise ConfigError("this gateway was started without a gateway.toml: nothing to read")
        async with self._one:
            try:
                config = await asyncio.to_thread(self._read)
                site = await asyncio.to_thread(load_site, config.site)
                return await self._take(config, site, by)
            except ConfigError as error:
                _LOG.warning("the policy is unchanged: %s", error)
                raise

    async def load_site(self, by: str = SYSTEM) -> list[str]:
        """The same with the site file only: gateway.toml is not read."""
        async with self._one:
            site = await asyncio.to_thread(load_site, self._config.site)
            return await self._take(self._config, site, by)

    async def place_node(self, by: str, node: str, position: Position, sector: str) -> list[str]:
        """Write the node's position to the site file, and use it. Raises ConfigError; then neither
        the file nor the site has changed."""

        def check(now: Site) -> None:
            _check_growth(self._dependents.service.stages.site, now)

        async with self._one:
            path = self._config.site
            site = await asyncio.to_thread(place, path, node, position, sector, check)
            return await self._take(self._config, site, by)

    async def _take(self, config: GatewayConfig, site: Site, by: str) -> list[str]:
        dependents, before = self._dependents, self._config
        for name, field in _FIXED.items():
            if getattr(config, field) != getattr(before, field):
                raise ConfigError(f"{name} has changed: this needs a restart; nothing was changed")
        _check_growth(dependents.service.stages.site, site)
        policy = Policy(
            site,
            dependents.service.stages.policy.rules,
            alarm_rules(config.alarms, site),
            devices_of(config.connectors),
        )
        given = NewPolicy(
            policy,
            dependents.keys(site),
            channels_of(one for _kind, one in config.connectors),
            described_connectors(config),
            _hidden(before, config),
        )
        prepared = dependents.connectors.prepare(config.connectors)

        def current() -> NewPolicy:
            # Only now: a key may have been revoked since.
            return given._replace(keys=dependents.keys(site))

        changed = await dependents.service.set_policy(by, current)
        dependents.connectors.apply(prepared, site)
        self._config = config
        await dependents.admit(site, dependents.keys(site))
        _LOG.info("policy by=%s changed=%s", by, ", ".join(changed) or "nothing")
        return changed


def described_connectors(config: GatewayConfig) -> dict[str, Any]:
    """Connectors by subject, without addresses and secrets."""
    return {f"connector {one.name}": one.described() for _kind, one in config.connectors}


def _hidden(before: GatewayConfig, now: GatewayConfig) -> list[str]:
    """Subjects of connectors that are there as before, and differ in what is not described."""
    old, new = ({one.name: one for _kind, one in config.connectors} for config in (before, now))
    return [
        f"connector {name}"
        for name, one in new.items()
        if name in old and old[name] != one and old[name].described() == one.described()
    ]


def _check_growth(before: Site, now: Site) -> None:
    if now.name != before.name:
        raise ConfigError(f"the site is called {now.name} now: this needs a restart")
    for node in before.nodes.values():
        if node.id not in now.nodes:
            raise ConfigError(
                f"node {node.id} is not in site.toml any more: this needs a restart; "
                "nothing was changed"
            )
        if now.nodes[node.id].sector != node.sector:
            raise ConfigError(
                f"node {node.id} is in another sector: this needs a restart; nothing was changed"
            )
