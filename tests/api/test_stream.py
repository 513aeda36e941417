# SPDX-License-Identifier: MIT
"""The stream over a real server: whole first, then deltas; resumed, compacted, never queued."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.api import stream as stream_module
from gateway.app import Gateway
from gateway.config import load_config
from gateway.model.actions.identity import Scope
from gateway.ports.picture import Picture
from tests.api.running import make_token
from tests.gateway.played_node import write_config

Event = tuple[str, str, dict[str, Any]]


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with Gateway(load_config(write_config(tmp_path, "port = 0"))) as running:
        yield running


@pytest.fixture
async def http(gateway: Gateway, tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {make_token(tmp_path, 'reader', Scope.READ)}"}
    async with aiohttp.ClientSession(gateway.console_url, headers=headers) as session:
        yield session


async def next_event(response: aiohttp.ClientResponse) -> Event:
    """(event, id, data) of the next one."""
    async with asyncio.timeout(10):
        raw = await response.content.readuntil(b"\n\n")
    lines = dict(line.split(": ", 1) for line in raw.decode().strip().splitlines())
    return lines["event"], lines["id"], json.loads(lines["data"])


async def until_changed(response: aiohttp.ClientResponse, kind: str, name: str) -> Event:
    """The event in which that thing changes."""
    while True:
        event = await next_event(response)
        if any((c["kind"], c["id"]) == (kind, name) for c in event[2]["changes"]):
            return event


async def test_stream_begins_with_everything_and_goes_on_with_what_changes(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    async with http.get("/api/v1/stream") as response:
        assert response.content_type == "text/event-stream"
        name, _cursor, first = await next_event(response)
        assert (name, first["whole"]) == ("picture", True)
        kinds = {change["kind"] for change in first["changes"]}
        assert {"site", "node", "sector", "section"} <= kinds
        gateway.facade.picture.put("test", "one", {"x": 1})
        name, _cursor, delta = await until_changed(response, "test", "one")
        assert (name, delta["whole"]) == ("changes", False)
        assert {"kind": "test", "id": "one", "value": {"x": 1}} in delta["changes"]
        gateway.facade.picture.remove("test", "one")
        _name, _cursor, delta = await until_changed(response, "test", "one")
        assert {"kind": "test", "id": "one", "value": None} in delta["changes"]


@pytest.mark.parametrize("way", ["header", "query"])
async def test_stream_resumed_by_its_cursor_brings_only_what_was_missed(
    gateway: Gateway, http: aiohttp.ClientSession, way: str
) -> None:
    async with http.get("/api/v1/stream") as response:
        _name, cursor, _first = await next_event(response)
    gateway.facade.picture.put("test", "missed", 1)
    headers = {"Last-Event-ID": cursor} if way == "header" else {}
    query = {"since": cursor} if way == "query" else {}
    async with http.get("/api/v1/stream", headers=headers, params=query) as response:
        name, _cursor, delta = await until_changed(response, "test", "missed")
        assert (name, delta["whole"]) == ("changes", False)
        assert len(delta["changes"]) < 30


@pytest.mark.parametrize("cursor", ["0badc0de.5", "5", "", "x.y", "9" * 64, "..", "\u0661.1"])
async def test_stream_with_a_cursor_of_another_run_brings_everything(
    http: aiohttp.ClientSession, cursor: str
) -> None:
    async with http.get("/api/v1/stream", params={"since": cursor}) as response:
        _name, _cursor, first = await next_event(response)
        assert first["whole"] is True


async def test_stream_that_nothing_happens_on_has_a_heartbeat_with_the_clock(
    http: aiohttp.ClientSession,
) -> None:
    async with http.get("/api/v1/stream", params={"kinds": "nothing"}) as response:
        first = await next_event(response)
        second = await next_event(response)
        assert second[0] == "heartbeat"
        assert first[2]["now_us"] < second[2]["now_us"] < first[2]["now_us"] + 4_000_000
        assert second[2]["changes"] == []


async def test_stream_of_chosen_kinds_brings_no_others(http: aiohttp.ClientSession) -> None:
    async with http.get("/api/v1/stream", params={"kinds": "node,site"}) as response:
        _name, _cursor, first = await next_event(response)
        assert {change["kind"] for change in first["changes"]} == {"node", "site"}


async def test_picture_since_a_cursor_holds_only_what_has_changed(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    first = await (await http.get("/api/v1/picture")).json()
    gateway.facade.picture.put("test", "late", 1)
    later = await (await http.get("/api/v1/picture", params={"since": first["cursor"]})).json()
    assert (first["whole"], later["whole"]) == (True, False)
    assert {"kind": "test", "id": "late", "value": 1} in later["changes"]


async def test_stream_of_a_client_that_does_not_read_costs_no_queue_and_is_compacted(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    """A thousand changes of one thing reach it as few, and the last one is among them."""
    picture = gateway.facade.picture
    async with http.get("/api/v1/stream") as response:
        await next_event(response)
        for number in range(1000):
            picture.put("test", "busy", "x" * 1000 + str(number))
            if number % 100 == 0:
                await asyncio.sleep(0.01)  # others have their turn
        seen = 0
        while True:
            _name, _cursor, delta = await until_changed(response, "test", "busy")
            seen += 1
            (value,) = [c["value"] for c in delta["changes"] if c["id"] == "busy"]
            if value.endswith("x999"):
                break
        assert seen <= 3


async def test_stream_ends_when_its_token_is_removed(
    gateway: Gateway, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with http.get("/api/v1/stream") as response:
        await next_event(response)
        (tmp_path / "tokens.toml").unlink()
        async with asyncio.timeout(10):
            while await response.content.readline():
                pass
        assert response.content.at_eof()


def test_stream_whole_rendering_is_shared_until_it_is_old() -> None:
    async def run() -> tuple[bool, bool]:
        picture = Picture()
        picture.put("node", "n01", 1)
        stream = stream_module.Stream(picture, lambda: 0, lambda _part, _error: None)
        first = stream._rendered()
        picture.put("node", "n02", 2)
        same = stream._rendered() is first
        stream._whole = stream_module._Rendered(first.version, -10.0, first.body)
        return same, b"n02" in stream._rendered().body

    assert asyncio.run(run()) == (True, True)


async def test_geojson_of_a_site_with_an_origin_places_nodes_and_without_one_is_an_error(
    tmp_path: Path,
) -> None:
    config = write_config(tmp_path, "port = 0")
    headers = {"Authorization": f"Bearer {make_token(tmp_path, 'map', Scope.READ)}"}
    site = tmp_path / "site.toml"
    async with (
        Gateway(load_config(config)) as gateway,
        aiohttp.ClientSession(gateway.console_url, headers=headers) as http,
    ):
        answer = await http.get("/api/v1/geojson")
        assert answer.status == 409
        assert "no origin" in (await answer.json())["problem"]
    written = site.read_text().replace("[site]", "[site]\nlatitude = 52.5\nlongitude = 13.4")
    site.write_text(written)
    async with (
        Gateway(load_config(config)) as gateway,
        aiohttp.ClientSession(gateway.console_url, headers=headers) as http,
    ):
        found = await (await http.get("/api/v1/geojson")).json()
        node = await (await http.get("/api/v1/nodes/n01")).json()
    assert found["type"] == "FeatureCollection"
    by_id = {feature["id"]: feature for feature in found["features"]}
    assert by_id["node/n01"]["geometry"] == {"type": "Point", "coordinates": [13.4, 52.5]}
    assert by_id["node/n01"]["properties"]["state"] == "not_reporting"
    assert (node["latitude"], node["longitude"]) == (pytest.approx(52.5), pytest.approx(13.4))
