# SPDX-License-Identifier: MIT
"""Wiring of the gateway: broker, links, writer, console, in one task group."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import Any, Self

from gateway.api.access.identify import Access
from gateway.api.access.local_socket import NAME as API_SOCKET
from gateway.api.access.tokens import Tokens
from gateway.api.server import Listen, Server
from gateway.app_facade import Facade, Parts
from gateway.audit import head as head_file
from gateway.audit.chain import SALT_BYTES
from gateway.audit.checkpoint import Signer
from gateway.audit.head import HeadFile
from gateway.audit.keys import load_or_create
from gateway.audit.log import AuditLog
from gateway.broker.choose import broker_for, passwords_of
from gateway.broker.embedded import EmbeddedBroker
from gateway.broker.interface import Broker
from gateway.config import BrokerKind, GatewayConfig
from gateway.config.alarms import alarm_rules
from gateway.console.authentication import SessionAuthentication
from gateway.console.operators import Operator, OperatorFile, Role
from gateway.console.pages import ConsolePages
from gateway.enrolment import ENROLMENT, EnrolmentLog
from gateway.errors import BrokerError
from gateway.intake.admission import Gate
from gateway.keys import KeyRing
from gateway.keysafe import open_root
from gateway.links.mqtt import RIVAL, MqttLink
from gateway.links.serial import SerialLink
from gateway.model.actions.acts import Act
from gateway.model.actions.cue import ProposeCue
from gateway.model.actions.record import SYSTEM
from gateway.model.alarm import AlarmChange
from gateway.model.place.site import Site
from gateway.performance.service import PerformanceService
from gateway.ports.link import Link
from gateway.ports.picture import Picture
from gateway.service.connectors import ConnectorService, channels_of, devices_of
from gateway.service.node_requests import NodeRequests
from gateway.service.outcome import Outcome
from gateway.service.reload import Dependents, Reload, described_connectors
from gateway.service.service import Service
from gateway.service.site_files import SiteFiles
from gateway.service.stages import Stages
from gateway.service.tuning_requests import TuningRequests
from gateway.service.update_requests import UpdateRequests
from gateway.service.watch.watch import Watch
from gateway.store.choose import store_at
from gateway.store.reader import StoreReader

_LOG = logging.getLogger(__name__)
_FAILED_LOGIN_S = 0.05


def _utc_us() -> int:
    return time.time_ns() // 1000


def _salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


class Gateway:
    """`async with Gateway(config) as gateway:` everything runs inside; `wait()` ends when it fails.

    Raises GroundwatchError on entering when a file, a port or the broker is not as it must be.
    """

    def __init__(
        self, config: GatewayConfig, read: Callable[[], GatewayConfig] | None = None
    ) -> None:
        """`read` reads the configuration again, for `reload`."""
        self.service: Service
        self.broker: Broker
        self.console: ConsolePages
        self.api: Server
        self.facade: Facade
        self.links: list[Link]
        self._config = config
        self._read = read
        self._listeners: list[Callable[[AlarmChange], None]] = []
        self._observers: list[Callable[[Outcome], None]] = []
        self._main: asyncio.Task[None] | None = None
        self._failed_login_s = -_FAILED_LOGIN_S
        self._stack = AsyncExitStack()

    @property
    def address(self) -> tuple[str, int]:
        """Where nodes find the broker."""
        return self.broker.address

    @property
    def site(self) -> Site:
        """Nodes and sectors, as they are now."""
        return self.service.stages.site

    @property
    def console_url(self) -> str:
        """Where the operator finds the page."""
        return self.console.url

    def on_alarm(self, listener: Callable[[AlarmChange], None]) -> None:
        """Call `listener` in the event loop for every change of an alarm."""
        self._listeners.append(listener)

    def on_outcome(self, observer: Callable[[Outcome], None]) -> None:
        """Call `observer` in the event loop for every step of the pipeline."""
        self._observers.append(observer)

    def summary(self) -> dict[str, Any]:
        """Counts since the store was new."""
        stages, intake = self.service.stages, self.service.stages.intake
        return {
            "messages": intake.messages,
            "detections": intake.detections,
            "alarms": stages.monitor.state.alarms.last_id,
            "duplicates": intake.registry.duplicates,
            "refused": sum(intake.refused.cells.values()),
            "refused_by_reason": intake.refused.by_reason(),
            "queue_dropped": sum(link.counters["queue_full"] for link in self.links),
            "store_failures": self.service.commits.failures,
            "nodes_seen": sum(view.messages > 0 for view in intake.registry.views.values()),
        }

    async def reload(self, by: str = SYSTEM) -> list[str]:
        """Read the policy again: what has changed. Raises ConfigError; then nothing has."""
        return await self._reload.load(by)

    async def wait(self) -> None:
        """Until something fails, which is raised."""
        assert self._main is not None
        await asyncio.shield(self._main)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._stack.aclose()

    async def _start(self, stack: AsyncExitStack) -> None:
        config = self._config
        for line in config.exposed:
            _LOG.warning("%s", line)
        stages = self._make_service(stack)
        carrier = await self._start_links(stack)
        self.picture = Picture()
        self.connectors = ConnectorService(
            stages.site,
            self.picture,
            stages.outbox,
            take=self.service.observe,
            act=self._act,
            settle=self.service.settle_delivery,
            report_cue=self.service.report_cue,
            clock_us=_utc_us,
        )
        self.connectors.apply(self.connectors.prepare(config.connectors))
        dependents = Dependents(self.service, self.connectors, self._site_files.keys, self._admit)
        self._reload = Reload(config, self._read, dependents)
        self.watch = Watch(
            self.service, lambda: self.api.operators, config.heartbeats, config.partners
        )
        await self._start_api(stack)
        self.service.start()
        self.watch.begin()
        for cue in stages.monitor.state.cues.open.values():
            self.connectors.on_cue(cue)
        self._main = asyncio.create_task(self._run(), name="gateway")
        stack.push_async_callback(self._end)
        await self.service.started.wait()
        if config.broker.kind is BrokerKind.MOSQUITTO and isinstance(carrier, MqttLink):
            await self._link_up(carrier)

    def _make_service(self, stack: AsyncExitStack) -> Stages:
        """Both stages over the store, as an earlier run left them."""
        config = self._config
        fleet_root = open_root(config.fleet_key)
        log = EnrolmentLog(config.data_dir / ENROLMENT, fleet_root)
        self._site_files = SiteFiles(config.site, log, fleet_root, _utc_us)
        site, keys = self._site_files.site, self._site_files.keys(self._site_files.site)
        store = store_at(config.store)
        store.open()
        stack.callback(store.close)
        audit = AuditLog(_salt, Signer(load_or_create(config.data_dir)))
        stages = Stages(
            site,
            keys,
            store.load(),
            alarm_rules=alarm_rules(config.alarms, site),
            audit=audit,
            channels=channels_of(one for _kind, one in config.connectors),
            devices=devices_of(config.connectors),
        )
        self.service = Service(
            stages,
            store,
            _utc_us,
            self._on_outcome,
            HeadFile(config.data_dir / head_file.NAME).committed,
            self._on_received,
            config.retention,
        )
        in_force = {"orders": stages.policy.digest}
        audit.add(_utc_us(), SYSTEM, "gateway.start", f"site {site.name}", detail=in_force)
        self.service.note_policy(SYSTEM, described_connectors(config))
        self.service.enrol(self._site_files.entries, keys)
        return stages

    async def _start_links(self, stack: AsyncExitStack) -> Link:
        """The broker, its link, and the serial lines; returns the broker's link."""
        config, stages = self._config, self.service.stages
        offer = self.service.intake_stage.offer
        self._gate = Gate(stages.site.name, stages.site.nodes, offer, stages.intake.refused.count)
        keys = self._site_files.keys(stages.site)
        self.broker = await stack.enter_async_context(
            broker_for(
                config.broker,
                config.data_dir,
                stages.site.name,
                passwords_of(keys),
                self._gate.offer,
                _utc_us,
            )
        )
        self.broker.on_refused = self._on_refused
        carrier = self._carrier()
        serial: list[Link] = [
            SerialLink(line.port, line.baud, self._gate.offer, _utc_us) for line in config.serial
        ]
        self.links = [carrier, *serial]
        return carrier

    async def _start_api(self, stack: AsyncExitStack) -> None:
        """Where people and programs look in: the API, and the console's pages beside it."""
        config, service = self._config, self.service
        authentication = self._authentication()
        stack.callback(authentication.close)
        reader = StoreReader(config.store)
        stack.callback(reader.close)
        stages = service.stages
        requests = NodeRequests(service, reader)
        parts = Parts(
            service,
            self.broker,
            self.links,
            self.connectors,
            self.picture,
            self._reload,
            PerformanceService(
                stages.monitored_time, lambda: stages.site, service.alarms_since, _utc_us
            ),
            UpdateRequests(service, config.data_dir, config.release_key),
            requests,
            TuningRequests(service, requests, config.store, _utc_us),
            reader,
            _utc_us,
            authentication.shown,
            self._warnings,
        )
        self.facade = Facade(parts)
        self.console = ConsolePages(authentication)
        tokens = Tokens(config.api.tokens, self.facade.record, _utc_us, time.monotonic)
        listen = Listen(
            config.console.host,
            config.console.port,
            config.data_dir / API_SOCKET,
            None if config.api.port is None else (config.api.host, config.api.port),
        )
        self.api = Server(listen, self.facade, Access(authentication, tokens), self.console)
        stack.push_async_callback(self.api.stop)
        await self.api.start()

    async def _link_up(self, mqtt: MqttLink) -> None:
        """The gateway must be connected to its own broker before nodes may connect."""
        assert self._main is not None
        ready = asyncio.create_task(mqtt.ready.wait())
        try:
            await asyncio.wait({ready, self._main}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
            if self._main.done():
                await self._main
            if not ready.done():
                raise BrokerError(f"the gateway cannot connect to its own broker: {mqtt.problem}")
        finally:
            ready.cancel()

    def _authentication(self) -> SessionAuthentication:
        console = self._config.console
        visitor = Operator(console.visitor, Role.SUPERVISOR) if console.visitor else None
        audit = self.service.stages.audit

        def record(actor: str, action: str, reason: str) -> None:
            audit.add(_utc_us(), actor, action, reason=reason)

        file = OperatorFile(console.operators)
        return SessionAuthentication(file, record, time.monotonic, visitor)

    def _carrier(self) -> Link:
        """The embedded broker is a link itself; another one is reached by MQTT."""
        broker = self.broker
        if isinstance(broker, EmbeddedBroker):
            return broker
        assert broker.access is not None
        return MqttLink(broker.access, self.site.name, self._gate.offer, _utc_us)

    async def _run(self) -> None:
        """Each task by itself: a fault in one is logged, and it starts again."""
        files, keep_up = self._site_files, self.service.supervisor.keep_up
        beside: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "broker": self._watch_broker,
            "site": lambda: files.watch_site(self._reload.load_site),
            "keys": lambda: files.watch_keys(self.service, self._admit),
            "publisher": self.facade.run,
            "connectors": self.connectors.run,
            **self.watch.tasks(),
            **{link.name: link.run for link in self.links},
        }
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.service.run(), name="service")
            for name, run in beside.items():
                tasks.create_task(keep_up(name, run), name=name)

    async def _act(self, act: Act | ProposeCue) -> bool:
        """Of a connector, in its name."""
        return (await self.service.act(act)).done

    async def _admit(self, site: Site, keys: Mapping[str, KeyRing]) -> None:
        """Nodes that are new may log in and send."""
        self._gate.add(site.nodes)
        await self.broker.set_passwords(passwords_of(keys))

    async def _watch_broker(self) -> None:
        await self.broker.watch()
        raise BrokerError("the broker ended by itself; see its messages above")

    def _warnings(self) -> list[str]:
        files = self._site_files.problems.values()
        rivals = [RIVAL for link in self.links if isinstance(link, MqttLink) and link.has_rival]
        own = (*self._config.exposed, *rivals, *self.watch.warnings())
        return [*self.broker.warnings, *files, *own]

    def _on_refused(self, user: str, knew_password: bool) -> None:
        """The broker refused a login; 20 a second are enough to detect an attack."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._failed_login_s >= _FAILED_LOGIN_S:
            self._failed_login_s = now_s
            self.service.failed_login(user, knew_password)

    async def _end(self) -> None:
        assert self._main is not None
        self._main.cancel()
        await asyncio.gather(self._main, return_exceptions=True)
        await self.service.close()

    def _on_received(self, nodes: Iterable[str]) -> None:
        self.facade.on_received(nodes)

    def _on_outcome(self, outcome: Outcome) -> None:
        self.facade.on_outcome(outcome)
        self.connectors.deliver(outcome.deliveries)
        for cued in outcome.cues:
            self.connectors.on_cue(cued.cue)
        for observer in self._observers:
            observer(outcome)
        for change in outcome.alarms:
            _log_change(change)
            for listener in self._listeners:
                listener(change)


def _log_change(change: AlarmChange) -> None:
    alarm = change.alarm
    _LOG.info(
        "alarm %s id=%d kind=%s nodes=%s state=%s",
        change.change.value,
        alarm.id,
        alarm.kind.value,
        ",".join(alarm.nodes),
        alarm.state,
    )
