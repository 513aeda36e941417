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
from gateway.audit.clock import GatewayClock
from gateway.audit.continuity import compare, known_moment
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
from gateway.intake.admission import Gate
from gateway.intake.downlink import skipped_counters
from gateway.keys import KeyRing
from gateway.keysafe import open_root
from gateway.links.mqtt import RIVAL, MqttLink
from gateway.links.serial import SerialLink
from gateway.model.actions.acts import Act
from gateway.model.actions.cue import ProposeCue
from gateway.model.actions.record import STARTED, SYSTEM
from gateway.model.alarm import AlarmChange
from gateway.model.place.site import Site
from gateway.performance.service import PerformanceService
from gateway.ports.link import Link
from gateway.ports.picture import Picture
from gateway.service.connectors import ConnectorService, channels_of, devices_of
from gateway.service.doubt_watch import DoubtWatch, resume
from gateway.service.loop_faults import loop_faults
from gateway.service.node_requests import NodeRequests
from gateway.service.outcome import Outcome, log_change
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
_LINK_UP_S = 10.0
BROKER = "broker mosquitto"  # as its faults name it


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
        self._clock = GatewayClock(lambda: _utc_us())
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
        stack.enter_context(loop_faults(stages.faults.report))
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
            clock_us=self._clock,
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
        self._site_files = SiteFiles(config.site, log, fleet_root, self._clock)
        site, keys = self._site_files.site, self._site_files.keys(self._site_files.site)
        store = self._store = store_at(config.store)
        store.open()
        stack.callback(store.close)
        signer = Signer(load_or_create(config.data_dir))
        audit, snapshot = AuditLog(_salt, signer), store.load()
        finding = compare(snapshot, config.data_dir, signer, store.audit_link)
        self._clock.start(known_moment(snapshot, finding))
        stages = Stages(
            site,
            keys,
            snapshot,
            alarm_rules=alarm_rules(config.alarms, site),
            audit=audit,
            channels=channels_of(one for _kind, one in config.connectors),
            devices=devices_of(config.connectors),
        )
        self.service = Service(
            stages,
            store,
            self._clock,
            self._on_outcome,
            HeadFile(config.data_dir / head_file.NAME).committed,
            self._on_received,
            config.retention,
        )
        resume(stages, finding, skipped_counters(secrets.randbelow), self._clock())
        self._doubts = DoubtWatch(self._clock, self.service)
        self._doubts.check()
        in_force = {"orders": stages.policy.digest}
        audit.add(self._clock(), SYSTEM, STARTED, f"site {site.name}", detail=in_force)
        self.service.note_policy(SYSTEM, described_connectors(config))
        self.service.enrol(self._site_files.entries, keys)
        return stages

    async def _start_links(self, stack: AsyncExitStack) -> Link:
        """The broker, its link, and the serial lines; returns the broker's link."""
        config, stages = self._config, self.service.stages
        offer = self.service.intake_stage.offer
        self._gate = Gate(stages.site.name, stages.site.nodes, offer, stages.intake.refused.count)
        keys = self._site_files.keys(stages.site)
        self.broker = broker_for(
            config.broker,
            config.data_dir,
            stages.site.name,
            passwords_of(keys),
            self._gate.offer,
            self._clock,
        )
        self.broker.on_refused = self._on_refused
        self.broker.on_state, self.broker.on_fault = self._on_broker, stages.faults.report
        await stack.enter_async_context(self.broker)
        carrier = self._carrier()
        serial: list[Link] = [
            SerialLink(line.port, line.baud, self._gate.offer, self._clock)
            for line in config.serial
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
                stages.monitored_time, lambda: stages.site, service.alarms_since, self._clock
            ),
            UpdateRequests(service, config.data_dir, config.release_key),
            requests,
            TuningRequests(service, requests, config.store, self._clock),
            reader,
            self._clock,
            authentication.shown,
            self._warnings,
            self._doubts,
        )
        self.facade = Facade(parts)
        self.console = ConsolePages(authentication)
        tokens = Tokens(config.api.tokens, self.facade.record, self._clock, time.monotonic)
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
        """The gateway is connected to its own broker before nodes connect, if it can be."""
        try:
            async with asyncio.timeout(_LINK_UP_S):
                await mqtt.ready.wait()
        except TimeoutError:
            self.service.stages.faults.report("link to the broker", "it is not connected yet")

    def _authentication(self) -> SessionAuthentication:
        console = self._config.console
        visitor = Operator(console.visitor, Role.SUPERVISOR) if console.visitor else None
        audit = self.service.stages.audit

        def record(actor: str, action: str, reason: str) -> None:
            audit.add(self._clock(), actor, action, reason=reason)

        file = OperatorFile(console.operators)
        return SessionAuthentication(file, record, time.monotonic, visitor)

    def _carrier(self) -> Link:
        """The embedded broker is a link itself; another one is reached by MQTT."""
        broker = self.broker
        if isinstance(broker, EmbeddedBroker):
            return broker
        assert broker.access is not None
        return MqttLink(broker.access, self.site.name, self._gate.offer, self._clock)

    async def _run(self) -> None:
        """Each task by itself: a fault in one is logged, and it starts again."""
        files, keep_up = self._site_files, self.service.supervisor.keep_up
        beside: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "broker": self.broker.watch,
            "site": lambda: files.watch_site(self._reload.load_site),
            "keys": lambda: files.watch_keys(self.service, self._admit),
            "publisher": self.facade.run,
            "connectors": self.connectors.run,
            "doubts": self._doubts.run,
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

    def _warnings(self) -> list[str]:
        store = filter(None, [self._store.warning])
        files = self._site_files.problems.values()
        rivals = [RIVAL for link in self.links if isinstance(link, MqttLink) and link.has_rival]
        own = (*self._config.exposed, *rivals, *self.watch.warnings())
        return [*self.broker.warnings, *store, *files, *own]

    def _on_broker(self, problem: str) -> None:
        self.service.stages.faults.state(BROKER, problem)

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
        self.service.stages.doubts.note_time(self._clock(), at_once=True)
        await self.service.close()

    def _on_received(self, nodes: Iterable[str]) -> None:
        self.facade.on_received(nodes)

    def _on_outcome(self, outcome: Outcome) -> None:
        """Each effect by itself: a fault of the picture must not keep a notification back."""
        guard = self.service.stages.faults.guard
        with guard("picture"):
            self.facade.on_outcome(outcome)
        with guard("notifications"):
            self.connectors.deliver(outcome.deliveries)
        for cued in outcome.cues:
            with guard("cues to devices"):
                self.connectors.on_cue(cued.cue)
        for observer in self._observers:
            with guard("an observer"):
                observer(outcome)
        for change in outcome.alarms:
            log_change(change)
            for listener in self._listeners:
                with guard("a listener"):
                    listener(change)
