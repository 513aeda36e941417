# SPDX-License-Identifier: MIT
"""The window: what it refuses, and what a real browser shows of hostile input."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from gateway.alarms import NodeTrouble
from gateway.app import Gateway
from gateway.config import load_config
from gateway.console import server
from gateway.console import state as state_module
from gateway.model.alarm import AlarmKind
from gateway.pipeline import Outcome
from tests.gateway.chromium import open_page
from tests.gateway.played_node import MqttNode, until, write_config

CSP = "default-src 'none'"


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with Gateway(load_config(write_config(tmp_path, "port = 0"))) as running:
        yield running


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def node_on(gateway: Gateway, name: str) -> MqttNode:
    node = MqttNode(name)
    node.connect(gateway.address[1])
    await until(lambda: node.subscribed)
    return node


async def test_console_every_answer_carries_the_policy(
    gateway: Gateway, browser: aiohttp.ClientSession
) -> None:
    for path in ("", "console.js", "plan.js", "tables.js", "console.css", "api/state", "nothing"):
        answer = await browser.get(gateway.console_url + path)
        assert answer.status == (404 if path == "nothing" else 200)
        assert answer.headers["Content-Security-Policy"].startswith(CSP)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_console_pages_ask_for_nothing_elsewhere() -> None:
    for path in server._STATIC.iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|//[a-z]+\.|<style|style=|onclick|innerHTML|eval\(", text), (
            path
        )


async def test_console_foreign_host_name_is_refused(
    gateway: Gateway, browser: aiohttp.ClientSession
) -> None:
    for path in ("", "api/state", "events"):
        answer = await browser.get(gateway.console_url + path, headers={"Host": "evil.example"})
        assert answer.status == 403


async def test_console_acknowledgement_from_elsewhere_is_refused(
    gateway: Gateway, browser: aiohttp.ClientSession
) -> None:
    url = gateway.console_url + "api/alarms/1/acknowledge"
    own = {"Origin": gateway.console_url.rstrip("/")}
    for origin in ({}, {"Origin": "null"}, {"Origin": "http://evil.example"}):
        assert (await browser.post(url, json={"by": "x"}, headers=origin)).status == 403
    bad: list[tuple[bytes, int]] = [
        (b"", 400), (b"[]", 400), (b'{"by": ""}', 400), (b'{"by": "a\\u0000"}', 400),
        (b'{"by": "eva", "disposition": "ghost"}', 400), (b'{"by": "eva", "x": 1}', 400),
        (b"[" * 4000, 400), (b'{"by": "' + b"x" * 5000 + b'"}', 413), (b'{"by": "eva"}', 409),
    ]  # fmt: skip
    for body, status in bad:
        assert (await browser.post(url, data=body, headers=own)).status == status, body[:40]
    answer = await browser.post(url.replace("/1/", "/1e9/"), json={"by": "eva"}, headers=own)
    assert answer.status == 400


async def test_console_events_bring_an_alarm_at_once(
    gateway: Gateway, browser: aiohttp.ClientSession
) -> None:
    events = await browser.get(gateway.console_url + "events")
    await asyncio.wait_for(events.content.readuntil(b"\n\n"), 3)
    nodes = [await node_on(gateway, name) for name in ("n01", "n02")]
    for node in nodes:
        node.publish(node.hello(0))
        node.publish(node.detection(100))
    seen = b""
    async with asyncio.timeout(2):
        while b'"intrusion"' not in seen:
            seen = await events.content.readuntil(b"\n\n")
    events.close()
    for node in nodes:
        node.disconnect()


async def test_console_slow_and_many_pages_do_not_hold_up_the_door(
    gateway: Gateway, browser: aiohttp.ClientSession
) -> None:
    host, port = gateway.console.url.removeprefix("http://").rstrip("/").split(":")
    paused = []
    for _ in range(server._CLIENTS_MOST):
        _reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET /events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        paused.append(writer)
    await until(lambda: gateway.console.clients == server._CLIENTS_MOST)
    assert (await browser.get(gateway.console_url + "events")).status == 503
    node = await node_on(gateway, "n01")
    node.publish(node.hello(0))
    for number in range(200):
        node.publish(node.detection(number))
    await node.until_received()
    node.disconnect()
    for writer in paused:
        writer.transport.abort()
    await until(lambda: gateway.console.clients == 0)


async def test_hostile_input_is_refused_counted_and_shown_in_a_browser(
    gateway: Gateway, browser: aiohttp.ClientSession, tmp_path: Path
) -> None:
    node = await node_on(gateway, "n01")
    node.publish(node.hello(0))
    replayed = node.health(5)
    wrong_tag = node.detection(9)[:-1] + b"\0"
    node.ledger.clear()
    for data in (replayed, replayed, wrong_tag, b"\x81" * 700, node.hello(7)[:-3], bytes(1600)):
        node.publish(data)
    foreign = MqttNode("n02")
    foreign.connect(gateway.address[1])
    await until(lambda: foreign.subscribed)
    foreign.publish(node.detection(11), topic=node.up)
    refused = gateway.pipeline.refused
    await until(lambda: sum(refused.cells.values()) == 5)
    await until(lambda: gateway.broker.counters["publish_on_a_foreign_topic"] > 0)
    for played in (node, foreign):
        played.disconnect()
    state = await (await browser.get(gateway.console_url + "api/state")).json()
    counted = {(cell["reason"], cell["node"]): cell["count"] for cell in state["refused"]}
    assert counted == {
        ("bad_tag", "n01"): 1,
        ("replayed", "n01"): 1,
        ("bad_envelope", "n01"): 2,
        ("too_big", "n01"): 1,
    }
    async with open_page(tmp_path, gateway.console_url) as page:
        await page.shows("SECURE", "bad tag", "replayed", "bad envelope", "too big")
    db = sqlite3.connect(tmp_path / "data" / "groundwatch.db")
    assert db.execute("SELECT kind, count(*) FROM message GROUP BY kind").fetchall() == [
        ("health", 1),
        ("hello", 1),
    ]
    assert db.execute("SELECT count(*) FROM detection").fetchone() == (0,)


async def test_console_acknowledgement_not_stored_in_time_is_told(
    gateway: Gateway, browser: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_given: object) -> Outcome:
        await asyncio.Event().wait()
        return Outcome()

    monkeypatch.setattr(server, "_ACKNOWLEDGE_S", 0.1)
    gateway.console._perform = never  # a store that does not answer
    url = gateway.console_url
    answer = await asyncio.wait_for(
        browser.post(
            url + "api/alarms/1/acknowledge", json={"by": "eva"}, headers={"Origin": url[:-1]}
        ),
        3,
    )
    assert answer.status == 503
    assert "not stored yet" in (await answer.json())["problem"]


async def test_console_long_queue_is_cut_but_never_what_is_active(
    gateway: Gateway, browser: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_module, "_OPEN_SHOWN", 2)
    pipeline, now_us = gateway.pipeline, 1_000_000
    for number in range(6):
        trouble = NodeTrouble(AlarmKind.TAMPER, "n01", "west", f"{number}", True, "opened")
        pipeline._alarm(trouble, now_us + number, Outcome())
        if number != 4:
            pipeline._alarm(replace(trouble, active=False), now_us + number, Outcome())
    state = await (await browser.get(gateway.console_url + "api/state")).json()
    assert [alarm["id"] for alarm in state["alarms"]] == [1, 2, 5]
    assert state["alarms_waiting"] == 3


async def test_console_many_pages_share_one_rendering(
    gateway: Gateway, browser: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered = 0
    snapshot = gateway._state.snapshot

    def counting() -> dict[str, object]:
        nonlocal rendered
        rendered += 1
        return snapshot()

    monkeypatch.setattr(gateway._state, "snapshot", counting)
    pages = [await browser.get(gateway.console_url + "events") for _ in range(20)]
    for _ in range(100):  # something new is there at every look
        gateway._state.version += 1
        await asyncio.sleep(0.01)
    assert 3 <= rendered <= 8
    for page in pages:
        page.close()


async def test_page_whose_gateway_is_gone_does_not_say_secure(
    tmp_path: Path,
) -> None:
    config = load_config(write_config(tmp_path, "port = 0"))
    async with AsyncExitStack() as running:
        gateway = await running.enter_async_context(Gateway(config))
        async with open_page(tmp_path, gateway.console_url) as page:
            await page.shows("SECURE")
            await running.aclose()
            text = await page.shows("NO CONNECTION", "what you see is old")
            assert "SECURE" not in text


async def test_operator_acknowledges_with_key_a_in_a_browser(
    gateway: Gateway, tmp_path: Path
) -> None:
    nodes = [await node_on(gateway, name) for name in ("n01", "n02")]
    for node in nodes:
        node.publish(node.hello(0))
        node.publish(node.detection(100))
    async with open_page(tmp_path, gateway.console_url) as page:
        await page.shows("ALARM", "PERSON", "heard it", "Acknowledge")
        key = "new KeyboardEvent('keydown', {key: 'a', bubbles: true})"
        await page.ask(f"document.body.dispatchEvent({key})")
        await page.shows("acknowledged by operator", "1 acknowledged, still active")
    for node in nodes:
        node.disconnect()
    assert [alarm.state for alarm in gateway.pipeline.alarms.open] == ["active_acked"]
