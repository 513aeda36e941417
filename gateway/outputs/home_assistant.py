# SPDX-License-Identifier: MIT
"""Outputs: nodes, sectors and alarms as entities of Home Assistant, by its MQTT discovery.

Configurations and states are retained, so whichever side starts later finds the other; the Will
says when the gateway is gone. What is told is presence, as on the operator's page.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from gateway.alarms import AlarmState
from gateway.intake.nodes.registry import NodeRegistry
from gateway.model.alarm import AlarmKind
from gateway.model.site import Site
from gateway.model.text import format_json
from gateway.mqtt.session import MqttAccess, MqttSession, Will, take_nothing
from gateway.outputs.config import HomeAssistantConfig
from gateway.outputs.mqtt import plain_mqtt

_LOG = logging.getLogger(__name__)
_PERIOD_S = 1.0  # states are looked at so often, and sent when they changed
_BACKOFF_S = (1.0, 60.0)
_ON = {True: "ON", False: "OFF"}
ONLINE, OFFLINE = b"online", b"offline"

States = dict[str, dict[str, Any]]


def base_topic(site: Site) -> str:
    """States and availability are below it."""
    return f"groundwatch/ha/{site.name}"


def states(site: Site, roster: NodeRegistry, alarms: AlarmState) -> States:
    """State topic -> values. Hushed alarms switch nothing on."""
    base = base_topic(site)
    calling = [alarm for alarm in alarms.open if not alarm.hushed]
    intrusions = [a for a in calling if a.kind is AlarmKind.INTRUSION and a.active]
    found: States = {
        f"{base}/site": {
            "alarm": _ON[any(alarm.asks for alarm in calling)],
            "waiting": sum(alarm.asks for alarm in calling),
        }
    }
    for sector in site.sectors:
        here = any(sector in alarm.sectors for alarm in intrusions)
        found[f"{base}/sector/{sector}"] = {"presence": _ON[here]}
    for node in site.nodes:
        view = roster.views[node]
        found[f"{base}/node/{node}"] = {
            "connected": _ON[view.messages > 0 and not view.lost],
            "tamper": _ON["tamper" in view.conditions],
            "battery_v": None if view.battery_mv is None else view.battery_mv / 1000,
            "rssi_dbm": view.rssi_dbm,
        }
    return found


def discovery(site: Site, prefix: str) -> States:
    """Configuration topic -> configuration of every entity."""
    base, name = base_topic(site), site.name
    found: States = {}

    def add(component: str, thing: str, key: str, title: str, topic: str, **extra: str) -> None:
        unique = f"groundwatch_{name}_{thing}_{key}"
        device = {
            "identifiers": [f"groundwatch_{name}_{thing}"],
            "name": f"Groundwatch {name} {thing}",
            "manufacturer": "Groundwatch",
        }
        found[f"{prefix}/{component}/{unique}/config"] = {
            "name": title,
            "unique_id": unique,
            "state_topic": f"{base}/{topic}",
            "value_template": "{{ value_json." + key + " }}",
            "availability_topic": f"{base}/status",
            "device": device,
            **extra,
        }

    add("binary_sensor", "site", "alarm", "Alarm", "site", device_class="safety")
    add("sensor", "site", "waiting", "Alarms to acknowledge", "site")
    for sector in site.sectors:
        thing, topic = f"sector_{sector}", f"sector/{sector}"
        add("binary_sensor", thing, "presence", "Presence", topic, device_class="motion")
    for node in site.nodes:
        thing, topic = f"node_{node}", f"node/{node}"
        add("binary_sensor", thing, "connected", "Connected", topic, device_class="connectivity")
        add("binary_sensor", thing, "tamper", "Tamper", topic, device_class="tamper")
        volts = {"device_class": "voltage", "unit_of_measurement": "V"}
        add("sensor", thing, "battery_v", "Battery", topic, **volts)
        radio = {"device_class": "signal_strength", "unit_of_measurement": "dBm"}
        add("sensor", thing, "rssi_dbm", "Signal", topic, **radio)
    return found


class HomeAssistant:
    """Keeps the entities true until cancelled; comes back by itself when the broker does."""

    def __init__(
        self,
        config: HomeAssistantConfig,
        site: Site,
        look: Callable[[], States],
        chance: random.Random | None = None,
    ) -> None:
        self.connected = False
        self.problem = ""
        self.counters: Counter[str] = Counter()
        self._config = config
        self._site = site
        self._look = look
        self._chance = chance or random.Random()

    async def run(self) -> None:
        """Until cancelled."""
        wait_s = _BACKOFF_S[0]
        while True:
            client = self._client()
            try:
                await client.open()
                self.connected, self.problem, wait_s = True, "", _BACKOFF_S[0]
                self.counters["connects"] += 1
                await self._serve(client)
            except (OSError, TimeoutError) as error:
                if self.problem != plain_mqtt(error):
                    self.problem = plain_mqtt(error)
                    _LOG.warning("home assistant's broker: %s", self.problem)
            finally:
                self.connected = False
                client.close()
            await asyncio.sleep(wait_s * self._chance.uniform(0.5, 1.5))
            wait_s = min(2 * wait_s, _BACKOFF_S[1])

    def _client(self) -> MqttSession:
        config = self._config
        access = MqttAccess(
            config.host,
            config.port,
            config.username,
            config.password,
            f"groundwatch-{self._site.name}-ha",
            persistent=False,
            tls=config.trust.context if config.trust else None,
        )
        will = Will(f"{base_topic(self._site)}/status", OFFLINE, 1, retain=True)
        return MqttSession(access, None, take_nothing, self.counters, will)

    async def _serve(self, client: MqttSession) -> None:
        for topic, value in discovery(self._site, self._config.prefix).items():
            await self._send(client, topic, format_json(value).encode())
        sent: dict[str, bytes] = {}
        status = f"{base_topic(self._site)}/status"
        try:
            while True:
                for topic, value in self._look().items():
                    data = format_json(value).encode()
                    if sent.get(topic) != data:
                        await self._send(client, topic, data)
                        sent[topic] = data
                if status not in sent:  # only now: what is available has its state
                    await self._send(client, status, ONLINE)
                    sent[status] = ONLINE
                if await _closed_within(client, _PERIOD_S):
                    raise ConnectionError(client.problem)
        finally:
            # A clean goodbye sends no Will.
            client.publish(status, OFFLINE, retain=True)

    async def _send(self, client: MqttSession, topic: str, data: bytes) -> None:
        await client.deliver(topic, data, retain=True)
        self.counters["sent"] += 1


async def _closed_within(client: MqttSession, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await client.closed.wait()
    except TimeoutError:
        return False
    return True
