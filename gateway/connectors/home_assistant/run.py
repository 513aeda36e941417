# SPDX-License-Identifier: MIT
"""Connectors: Home Assistant: keeps its devices true, and takes presses of its button."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial

from gateway.connectors.home_assistant import translate
from gateway.connectors.home_assistant.config import HomeAssistantConfig
from gateway.connectors.home_assistant.translate import Names, Topics
from gateway.model.actions.acts import Acknowledge
from gateway.model.text import format_json
from gateway.mqtt.configured import broker_access
from gateway.mqtt.mirror import Mirror
from gateway.ports.connector import Context, Port
from gateway.ports.follow import follow, one_thing
from gateway.ports.picture import Delta

_MAX_COMMANDS = 16
_MAX_STALE = 1024
_PRESSES_KEPT = 64
_SAME_PRESS_S = 2.0  # a press without a number, again within it, is a copy
_NOTE = "by its button in Home Assistant"


class HomeAssistant:
    """One session with its broker; the supervisor makes the next one."""

    def __init__(self, config: HomeAssistantConfig, context: Context) -> None:
        self._names = Names(context.site.name, config.prefix)
        self._may_acknowledge = "acknowledge" in config.may
        self._access = broker_access(config, f"groundwatch-{context.site.name}-{config.name}")

    @classmethod
    def make(cls, config: HomeAssistantConfig, context: Context) -> HomeAssistant:
        """Raises ConfigError."""
        return cls(config, context)

    async def run(self, port: Port) -> None:
        """Until cancelled. Raises OSError, TimeoutError."""
        await port.picture.changed(0)  # before that nothing is known to be gone
        commands: asyncio.Queue[bytes] = asyncio.Queue(_MAX_COMMANDS)
        stale: asyncio.Queue[tuple[str, str]] = asyncio.Queue(_MAX_STALE)
        receive = partial(self._receive, port, commands, stale)
        names = self._names
        mirror = Mirror(
            self._access, names.status, [names.command, names.states], receive, port.status.counters
        )
        async with mirror, asyncio.TaskGroup() as tasks:
            tasks.create_task(mirror.closed())
            tasks.create_task(self._clear_stale(port, mirror, stale))
            tasks.create_task(self._acknowledge(port, commands))
            async for delta in follow(port.picture):
                await self._bring(port, mirror, delta)
                await mirror.online()
                port.status.connected(port.clock_us())

    async def _bring(self, port: Port, mirror: Mirror, delta: Delta) -> None:
        picture, names = port.picture, self._names
        wanted: Topics = {}
        for change in delta.changes:
            with one_thing(port.name, port.status):
                if change.kind == "node":
                    wanted |= translate.node_topics(names, change.id, change.value)
                elif change.kind == "sector" and change.value is None:
                    wanted |= translate.sector_topics(names, change.id, None, ())
        if delta.whole or any(one.kind in ("alarm", "sector") for one in delta.changes):
            alarms = [view for _name, view in picture.all("alarm")]
            with one_thing(port.name, port.status):
                wanted |= translate.site_topics(names, alarms, self._may_acknowledge)
            for name, view in picture.all("sector"):
                with one_thing(port.name, port.status):
                    wanted |= translate.sector_topics(names, name, view, alarms)
        if delta.whole:
            gone = mirror.sent.keys() - wanted.keys() - {names.status}
            wanted |= dict.fromkeys(sorted(gone), None)
        await mirror.put(
            {
                topic: b"" if value is None else format_json(value).encode()
                for topic, value in wanted.items()
            }
        )

    def _receive(
        self,
        port: Port,
        commands: asyncio.Queue[bytes],
        stale: asyncio.Queue[tuple[str, str]],
        topic: str,
        payload: bytes,
        retained: bool,
    ) -> None:
        counters = port.status.counters
        if topic == self._names.command:
            counters["received"] += 1
            if retained:  # kept by the broker from some day: never a press of now
                counters["ignored_retained"] += 1
            elif commands.full():
                counters["full"] += 1
            else:
                commands.put_nowait(payload)
            return
        key = self._names.key(topic)
        # What the broker kept of an earlier run, and is gone since.
        if retained and payload and key is not None and port.picture.get(*key) is None:
            if stale.full():
                counters["full"] += 1
            else:
                stale.put_nowait(key)

    async def _clear_stale(
        self, port: Port, mirror: Mirror, stale: asyncio.Queue[tuple[str, str]]
    ) -> None:
        while True:
            kind, name = await stale.get()
            if port.picture.get(kind, name) is None:
                names = self._names
                await mirror.clear([names.device(f"{kind}_{name}"), names.state(kind, name)])

    async def _acknowledge(self, port: Port, commands: asyncio.Queue[bytes]) -> None:
        counters, loop = port.status.counters, asyncio.get_running_loop()
        presses: deque[str] = deque(maxlen=_PRESSES_KEPT)
        pressed_s = -_SAME_PRESS_S
        while True:
            payload = await commands.get()
            try:
                alarm_id, press = translate.parse_command(payload)
            except ValueError:
                counters["rejected"] += 1
                continue
            is_copy = press in presses if press else loop.time() - pressed_s < _SAME_PRESS_S
            if is_copy:
                counters["ignored_duplicate"] += 1
                continue
            if press:
                presses.append(press)
            else:
                pressed_s = loop.time()
            alarms = [view for _name, view in port.picture.all("alarm")]
            if alarm_id is None:
                alarm_id = translate.oldest(alarms)
            if not any(view.id == alarm_id and view.unacknowledged for view in alarms):
                counters["ignored_nothing_waits"] += 1
            elif alarm_id is not None:
                done = await port.act(Acknowledge(alarm_id, port.name, note=_NOTE))
                counters["acts" if done else "refused"] += 1
