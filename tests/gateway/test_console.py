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

import pytest
from aiohttp.typedefs import URL

from gateway.api import idempotency, routes, stream
from gateway.api.service import ActResult
from gateway.app import Gateway
from gateway.config import GatewayConfig, load_config
from gateway.console import pages
from gateway.model.alarm import AlarmKind
from gateway.model.observation import NodeCondition
from tests.api.picture import seen_by, shown
from tests.gateway.chromium import open_page
from tests.gateway.played_node import MqttNode, until, write_config
from tests.gateway.sign_in import Browser, enrol, sign_in_page, signed_in

CSP = "default-src 'none'"


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    enrol(tmp_path)
    async with Gateway(load_config(write_config(tmp_path, "port = 0"))) as running:
        yield running


@pytest.fixture
async def browser(gateway: Gateway) -> AsyncIterator[Browser]:
    async with signed_in(gateway) as browser:
        yield browser


def visited(folder: Path) -> GatewayConfig:
    """A console whose visitor need not sign in."""
    config = load_config(write_config(folder, "port = 0"))
    return replace(config, console=replace(config.console, visitor="operator"))


async def node_on(gateway: Gateway, name: str) -> MqttNode:
    node = MqttNode(name)
    node.connect(gateway.address[1])
    await until(lambda: node.subscribed)
    return node


async def test_console_every_answer_carries_the_policy(gateway: Gateway, browser: Browser) -> None:
    for path in (
        "",
        "console.js",
        "plan.js",
        "tables.js",
        "console.css",
        "sign-in",
        "api/v1/picture",
        "nothing",
    ):
        answer = await browser.get(path)
        assert answer.status == (404 if path == "nothing" else 200)
        assert answer.headers["Content-Security-Policy"].startswith(CSP)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_console_pages_ask_for_nothing_elsewhere() -> None:
    for path in pages.STATIC.iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|//[a-z]+\.|<style|style=|onclick|innerHTML|eval\(", text), (
            path
        )


async def test_console_foreign_host_name_is_refused(gateway: Gateway, browser: Browser) -> None:
    for path in ("", "api/v1/picture", "api/v1/stream"):
        answer = await browser.get(path, headers={"Host": "evil.example"})
        assert answer.status == 403


async def test_console_act_from_elsewhere_is_refused(gateway: Gateway, browser: Browser) -> None:
    path = "api/v1/alarms/1/acknowledge"
    for origin in ("", "null", "http://evil.example"):
        assert (await browser.post(path, Origin=origin)).status == 403
    for token in ("", "0" * 64, "x"):
        answer = await browser.post(path, **{"X-CSRF": token})
        assert answer.status == 403
        assert "load it again" in (await answer.json())["problem"]


BAD_BODIES: list[tuple[str, object, int]] = [
    ("alarms/1/acknowledge", b"", 400),
    ("alarms/1/acknowledge", b"[]", 400),
    ("alarms/1/acknowledge", b"[" * 4000, 400),
    ("alarms/1/acknowledge", b'{"note": NaN}', 400),
    ("alarms/1/acknowledge", b'{"note": "' + b"x" * 300_000 + b'"}', 413),
    ("alarms/1/acknowledge", {"disposition": "ghost"}, 400),
    ("alarms/1/acknowledge", {"disposition": ["test"]}, 400),
    ("alarms/1/acknowledge", {"note": "x" * 201}, 400),
    ("alarms/1/acknowledge", {"note": "a\u0000"}, 400),
    ("alarms/1/acknowledge", {"by": "another operator"}, 400),
    ("alarms/1e9/acknowledge", {}, 400),
    ("alarms/1/acknowledge", {}, 409),
    ("masks", {"sectors": ["west"], "minutes": 60}, 400),
    ("masks", {"sectors": ["west"], "minutes": 60, "reason": "  "}, 400),
    ("masks", {"sectors": [], "minutes": 60, "reason": "cows"}, 400),
    ("masks", {"sectors": ["moon"], "minutes": 60, "reason": "cows"}, 400),
    ("masks", {"sectors": ["west"], "minutes": 0, "reason": "cows"}, 400),
    ("masks", {"sectors": ["west"], "minutes": True, "reason": "cows"}, 400),
    ("masks", {"sectors": ["west"], "minutes": 7 * 24 * 60 + 1, "reason": "for good"}, 400),
    ("masks", {"sectors": ["west"] * 99, "minutes": 60, "reason": "cows"}, 400),
    ("masks/1/lift", {"reason": "gone"}, 409),
    ("walks", {"sectors": ["west"], "minutes": 60}, 400),
    ("walks", {"sectors": ["west"], "minutes": 60, "who": "Ben", "purpose": "stroll"}, 400),
    ("walks", {"sectors": ["west"], "minutes": 60, "who": "Ben", "crossings": 101}, 400),
    ("walks", {"sectors": ["west"], "minutes": 721, "who": "Ben"}, 400),
    ("walks/1/withdraw", {"reason": "back"}, 409),
    ("sectors/moon/arming", {"armed": False, "minutes": 5, "reason": "party"}, 400),
    ("sectors/west/arming", {"armed": 0, "minutes": 5, "reason": "party"}, 400),
    ("sectors/west/resume", {"reason": "over"}, 409),
]


async def test_console_act_that_is_not_right_is_refused_and_changes_nothing(
    gateway: Gateway, browser: Browser
) -> None:
    before = gateway.service.stages.monitor.state.alarms
    for path, body, status in BAD_BODIES:
        answer = await browser.post(f"api/v1/{path}", body)
        assert answer.status == status, (path, body)
        if status != 413:
            assert "\n" not in (await answer.json())["problem"]
    assert gateway.service.stages.monitor.state.alarms is before


async def test_console_orders_are_in_force_shown_and_audited_in_the_name_of_the_operator(
    gateway: Gateway, browser: Browser, tmp_path: Path
) -> None:
    for path, body in (
        ("masks", {"sectors": ["west"], "nodes": ["n03"], "minutes": 60, "reason": "cows"}),
        ("walks", {"sectors": ["east"], "minutes": 30, "who": "Ben and Mia"}),
        ("sectors/east/arming", {"armed": False, "minutes": 5, "reason": "school class"}),
    ):
        assert (await browser.post(f"api/v1/{path}", body)).status == 200
    orders = (await seen_by(browser))["orders"]
    assert [(m["owner"], m["reason"], m["sectors"]) for m in orders["masks"]] == [
        ("eva", "cows", ["west"])
    ]
    assert [(w["who"], w["purpose"]) for w in orders["walks"]] == [("Ben and Mia", "patrol")]
    assert [(a["id"], a["armed"], a["schedule"]) for a in orders["arming"]] == [
        ("west", True, "always"),
        ("east", False, "always"),
    ]
    for path in ("masks/1/lift", "walks/2/withdraw", "sectors/east/resume"):
        assert (await browser.post(f"api/v1/{path}", {"reason": "it is over"})).status == 200
        assert (await browser.post(f"api/v1/{path}", {"reason": "it is over"})).status == 409
    db = sqlite3.connect(tmp_path / "data" / "groundwatch.db")
    assert db.execute("SELECT actor, action FROM audit WHERE actor <> 'system'").fetchall() == [
        ("eva", "operator.sign_on"),
        ("eva", "mask.set"),
        ("eva", "walk.announce"),
        ("eva", "arming.set"),
        ("eva", "mask.lift"),
        ("eva", "walk.withdraw"),
        ("eva", "arming.resume"),
    ]
    (until_us, at_us) = db.execute(
        "SELECT until_us, at_us FROM audit WHERE action = 'mask.set'"
    ).fetchone()
    assert 0 < until_us - at_us <= 3600_000_000


async def test_console_stream_brings_an_alarm_at_once(gateway: Gateway, browser: Browser) -> None:
    events = await browser.get("api/v1/stream")
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


async def test_console_slow_and_many_pages_do_not_delay_the_intake(
    gateway: Gateway, browser: Browser
) -> None:
    host, port = gateway.console.url.removeprefix("http://").rstrip("/").split(":")
    paused = []
    for _ in range(stream.MAX_CLIENTS):
        _reader, writer = await asyncio.open_connection(host, int(port))
        cookie = browser.http.cookie_jar.filter_cookies(URL(browser.url)).output(header="", sep=";")
        head = f"GET /api/v1/stream HTTP/1.1\r\nHost: {host}:{port}\r\nCookie:{cookie}\r\n\r\n"
        writer.write(head.encode())
        paused.append(writer)
    await until(lambda: gateway.api.stream.clients == stream.MAX_CLIENTS)
    assert (await browser.get("api/v1/stream")).status == 503
    node = await node_on(gateway, "n01")
    node.publish(node.hello(0))
    for number in range(200):
        node.publish(node.detection(number))
    await node.until_received()
    node.disconnect()
    for writer in paused:
        writer.transport.abort()
    await until(lambda: gateway.api.stream.clients == 0)


async def test_hostile_input_is_refused_counted_and_shown_in_a_browser(
    gateway: Gateway, browser: Browser, tmp_path: Path
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
    refused = gateway.service.stages.intake.refused
    await until(lambda: sum(refused.cells.values()) == 6)
    await until(lambda: gateway.broker.counters["publish_on_a_foreign_topic"] > 0)
    for played in (node, foreign):
        played.disconnect()
    state = shown(gateway)
    counted = {(cell["reason"], cell["node"]): cell["count"] for cell in state["refused"]}
    assert counted == {
        ("bad_tag", "n01"): 1,
        ("replayed", "n01"): 1,
        ("bad_envelope", "n01"): 2,
        ("too_big", "n01"): 1,
        ("misused", "n02"): 1,
    }
    async with open_page(tmp_path, gateway.console_url) as page:
        await sign_in_page(page)
        await page.press("c")
        await page.shows(
            "ALARM · SPOOFED MESSAGES", "authentication failed", "replayed", "malformed envelope"
        )
    db = sqlite3.connect(tmp_path / "data" / "groundwatch.db")
    assert db.execute("SELECT kind, count(*) FROM message GROUP BY kind").fetchall() == [
        ("health", 1),
        ("hello", 1),
    ]
    assert db.execute("SELECT count(*) FROM detection").fetchone() == (0,)


async def test_console_acknowledgement_not_stored_in_time_is_reported(
    gateway: Gateway, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_given: object) -> ActResult:
        await asyncio.Event().wait()
        return ActResult(True)

    monkeypatch.setattr(idempotency, "MAX_OPEN", 1)
    monkeypatch.setattr(gateway.facade, "act", never)  # a store that does not answer
    path = "api/v1/alarms/1/acknowledge"
    waits = asyncio.create_task(browser.post(path))
    answer = await asyncio.wait_for(waits, routes.ACT_S + 3)
    assert answer.status == 503
    assert "not stored yet" in (await answer.json())["problem"]
    other = await browser.post("api/v1/alarms/2/acknowledge")
    assert "too many acts" in (await other.json())["problem"]


async def test_page_long_queue_is_cut_but_never_what_is_active(tmp_path: Path) -> None:
    async with Gateway(visited(tmp_path)) as gateway:
        stages, now_us = gateway.service.stages, 1_000_000
        for number in range(206):
            condition = NodeCondition(AlarmKind.TAMPER, "n01", "west", f"{number}", True, "opened")
            stages.take(now_us + number, "n01", condition)
            if number != 204:
                stages.take(now_us + number, "n01", replace(condition, active=False))
        gateway.facade.refresh()
        async with open_page(tmp_path, gateway.console_url) as page:
            text = await page.shows("5 more cleared alarms are not shown", "#205 ·", "#200 ·")
            assert "#201 ·" not in text


async def test_page_whose_gateway_is_gone_does_not_show_secure(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as running:
        gateway = await running.enter_async_context(Gateway(visited(tmp_path)))
        async with open_page(tmp_path, gateway.console_url) as page:
            await page.shows("SECURE")
            await running.aclose()
            text = await page.shows("NO CONNECTION", "data stale since")
            assert "SECURE" not in text
