# SPDX-License-Identifier: MIT
"""The dead man's switch: who raises the alarm when the gateway is gone, asleep or stuck."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.app import Gateway
from gateway.config import load_config
from gateway.config.heartbeats import HeartbeatConfig
from gateway.config.reading import convert
from gateway.errors import ConfigError
from gateway.service.watch.heartbeats import HeartbeatSender
from gateway.service.watch.partner import Heartbeat, HeartbeatError, Partner, opened, seal
from tests.connectors.receivers import web_server
from tests.gateway.alarm_steps import T0, S
from tests.gateway.played_node import until, write_config
from tests.outbox.deliveries import secret
from tests.ports import free_port
from tests.virtual_loop import run_virtual

KEY = "a key that both gateways hold"


def config(folder: Path, **values: Any) -> HeartbeatConfig:
    return convert({"name": "switch", **values}, HeartbeatConfig, "gateway.toml", folder)


async def fine() -> None:
    """Intake and store answer."""


def sender(made: HeartbeatConfig, alive: Callable[[], Awaitable[None]] = fine) -> HeartbeatSender:
    loop = asyncio.get_running_loop()
    return HeartbeatSender(made, "yard", alive, lambda: T0 + int(loop.time() * S))


@dataclass
class NtfyServer:
    """Scheduled messages as ntfy 2.16 has them: one of the same sequence takes another's place."""

    due: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)
    replaces: bool = True

    async def reply(self, _request: web.Request, body: bytes) -> web.StreamResponse:
        value = json.loads(body)
        at_s = asyncio.get_running_loop().time() + float(value["delay"].removesuffix("s"))
        name = value["sequence_id"] if self.replaces else f"{len(self.due)}"
        self.due[name] = (at_s, value)
        answer = {"event": "message", "topic": value["topic"], "title": value["title"]}
        return web.json_response(answer | ({"sequence_id": name} if self.replaces else {}))

    def received(self, now_s: float) -> list[str]:
        return [value["title"] for at_s, value in self.due.values() if at_s <= now_s]


def test_ntfy_raises_the_alarm_when_heartbeats_stay_away_and_not_before(tmp_path: Path) -> None:
    async def play() -> None:
        server, loop = NtfyServer(), asyncio.get_running_loop()
        async with web_server(reply=server.reply) as http:
            made = config(tmp_path, kind="ntfy", url=http.root, topic="north", silent_s=180)
            task = asyncio.create_task(sender(made).run())
            for _minute in range(120):
                await asyncio.sleep(60.0)
                assert server.received(loop.time()) == []
            task.cancel()  # the gateway is gone
            await asyncio.sleep(100.0)
            assert server.received(loop.time()) == []
            await asyncio.sleep(90.0)
            assert server.received(loop.time()) == ["yard: the gateway is silent"]

    run_virtual(play())


async def test_ntfy_that_cannot_replace_a_scheduled_message_is_reported(tmp_path: Path) -> None:
    async with web_server(reply=NtfyServer(replaces=False).reply) as http:
        made = sender(config(tmp_path, kind="ntfy", url=http.root, topic="north"))
        await made.beat()
    assert made.problem == "no ntfy of version 2.16 or newer answers there"


async def test_url_gets_a_heartbeat_with_site_and_time(tmp_path: Path) -> None:
    async with web_server() as http:
        made = sender(config(tmp_path, kind="url", url=http.url))
        await made.beat()
    assert (made.problem, made.counters["sent"]) == ("", 1)
    assert json.loads(http.received[0].body)["site"] == "yard"


def test_gateway_whose_intake_or_store_hangs_sends_no_heartbeat(tmp_path: Path) -> None:
    async def play() -> None:
        async def stuck() -> None:
            await asyncio.Event().wait()

        async with web_server() as http:
            made = sender(config(tmp_path, kind="url", url=http.url), stuck)
            task = asyncio.create_task(made.run())
            await asyncio.sleep(600.0)
            task.cancel()
            assert http.received == []
            assert made.problem == "intake or store do not answer: no heartbeat is sent"

    run_virtual(play())


async def test_heartbeat_that_fails_is_reported_and_tried_again(tmp_path: Path) -> None:
    port = free_port()
    made = sender(config(tmp_path, kind="url", url=f"http://127.0.0.1:{port}/"))
    await made.beat()
    assert made.problem == "connection refused: nothing accepts connections there"
    async with web_server(port=port):
        await made.beat()
    assert (made.problem, made.counters) == ("", {"failed": 1, "sent": 1})


def partner() -> Partner:
    return Partner("south", KEY, 180.0, 0.0)


def test_partner_heartbeat_is_accepted_once_and_silence_is_noticed_and_ends() -> None:
    one, data = partner(), seal(Heartbeat("south", T0), KEY)
    one.receive(*opened(data), T0, 10.0)
    assert one.turned(10.0, received=True) is False
    assert one.turned(189.0, received=False) is None
    assert one.turned(191.0, received=False) is True
    assert one.turned(192.0, received=False) is None  # one alarm
    one.receive(*opened(seal(Heartbeat("south", T0 + S), KEY)), T0 + S, 200.0)
    assert one.turned(200.0, received=True) is False


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "malformed"),
        (b"GWHB1 ", "malformed"),
        (b"GWHB1 00 {}", "malformed"),
        (b"GWHB1 00 " + b"[" * 400, "malformed"),
        (b"GWHB1 " + b"0" * 1000, "malformed"),
        (seal(Heartbeat("south", T0), "another key of both"), "bad_tag"),
        (seal(Heartbeat("south", T0), KEY).replace(b"GWHB1 ", b"GWHB1 \xff"), "bad_tag"),
        (seal(Heartbeat("south", T0 - 301 * S), KEY), "other_clock"),
        (seal(Heartbeat("south", T0 - 2 * S), KEY), "copy"),
    ],
)
def test_partner_datagram_that_is_forged_old_or_a_copy_is_refused(data: bytes, reason: str) -> None:
    one = partner()
    one.receive(*opened(seal(Heartbeat("south", T0 - S), KEY)), T0, 10.0)
    with pytest.raises(HeartbeatError, match=reason):
        one.receive(*opened(data), T0, 20.0)
    assert one.seen_s == 10.0


def kinds(gateway: Gateway) -> list[tuple[str, str, bool]]:
    return [
        (a.kind.value, a.key, a.active) for a in gateway.service.stages.monitor.state.alarms.open
    ]


async def test_partner_gateway_that_dies_is_an_alarm_here_until_it_is_back(tmp_path: Path) -> None:
    port, key = free_port(), secret(tmp_path, KEY)
    path = write_config(tmp_path, "port = 0")
    table = f'[partners]\nhost = "127.0.0.1"\nport = {port}\n[[partners.gateway]]\n'
    path.write_text(path.read_text() + f'{table}site = "yard"\nkey_file = "{key}"\nsilent_s = 30\n')
    made = config(tmp_path, kind="partner", host="127.0.0.1", port=port, key_file=key, every_s=10)
    async with Gateway(load_config(path)) as gateway:
        listener, now_s = gateway.watch.listener, [0.0]
        listener._monotonic = lambda: now_s[0]
        other = HeartbeatSender(made, "yard", fine, gateway.facade.clock_us)
        while not listener.counters["received"]:  # UDP does not wait for the port to be open
            await other.beat()
            await asyncio.sleep(0.2)
        assert kinds(gateway) == []
        now_s[0] = 31.0  # and no heartbeat came
        await until(lambda: kinds(gateway) == [("gateway_lost", "partner yard", True)], 60)
        assert any("partner gateway yard is silent" in line for line in gateway._warnings())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"GWHB1 forged", ("127.0.0.1", port))
        await until(lambda: listener.counters["malformed"] == 1, 60)
        await other.beat()
        await until(lambda: kinds(gateway) == [("gateway_lost", "partner yard", False)], 60)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "url"}, "url is missing"),
        ({"kind": "ntfy", "url": "https://ntfy.sh"}, "topic is missing"),
        ({"kind": "ntfy", "url": "https://ntfy.sh/a", "topic": "a"}, "root of the server"),
        ({"kind": "url", "url": "https://x.net/", "topic": "a"}, "topic is not for"),
        ({"kind": "partner", "host": "10.0.0.9", "port": 8491}, "key_file is missing"),
        ({"kind": "pigeon"}, "kind must be"),
        ({"kind": "url", "url": "https://x.net/", "every_s": 5}, "every_s must be"),
        ({"kind": "ntfy", "url": "https://x.net", "topic": "a", "every_s": 200}, "silent_s must"),
    ],
)
def test_heartbeat_configuration_that_is_wrong_is_refused_in_one_line(
    values: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        config(tmp_path, **values)
    assert "\n" not in str(caught.value)


def test_key_of_partners_that_can_be_tried_out_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="16 characters or more"):
        config(
            tmp_path, kind="partner", host="h", port=1, key_file=secret(tmp_path, "short", "b.key")
        )
