# SPDX-License-Identifier: MIT
"""Home Assistant: what a late subscriber finds after a start, a crash, a removal; the button."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.connectors.home_assistant.translate import parse_command
from gateway.model.actions.acts import Acknowledge
from gateway.ports.discovery import find_type
from tests.architecture.tree import ROOT
from tests.connectors.mosquitto import Listener, Mosquitto, publish, retained, retained_json
from tests.connectors.running import Running, eventually, running
from tests.ports import free_port

BASE = "groundwatch/ha/yard"
STATUS, COMMAND = f"{BASE}/status", f"{BASE}/command"
KIND = find_type("home_assistant")


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    made = Mosquitto(tmp_path, free_port())
    await made.start()
    yield made
    await made.kill()


@asynccontextmanager
async def connected(broker: Mosquitto, **values: Any) -> AsyncIterator[Running]:
    table = {"kind": "home_assistant", "name": "ha", "host": "127.0.0.1", "port": broker.port}
    async with running(KIND, {**table, "may": ["acknowledge"], **values}, Path()) as made:
        made.put_site()
        await eventually(lambda: made.status.state == "connected")
        yield made


async def devices(broker: Mosquitto) -> dict[str, Any]:
    """Device (without "groundwatch_yard_") -> its announcement, as a late subscriber finds it."""
    found = await retained_json(broker.port, "homeassistant/#")
    return {topic.split("/")[2].removeprefix("groundwatch_yard_"): v for topic, v in found.items()}


async def test_home_assistant_that_starts_late_finds_every_device_with_a_state(
    broker: Mosquitto,
) -> None:
    async with connected(broker):
        found = await devices(broker)
        states = await retained_json(broker.port, f"{BASE}/#")
        assert await retained(broker.port, STATUS) == {STATUS: b"online"}
    assert set(found) == {
        "site",
        "sector_west",
        "sector_east",
        "node_n01",
        "node_n02",
        "node_n03",
    }
    unique = [part["unique_id"] for one in found.values() for part in one["cmps"].values()]
    assert len(set(unique)) == len(unique)
    for one in found.values():
        assert one["origin"]["name"] == "Groundwatch"
        assert one["availability"] == [{"topic": STATUS}]
        for key, part in one["cmps"].items():
            assert part["platform"] in ("binary_sensor", "sensor", "button")
            assert part["platform"] == "button" or key in states[one["state_topic"]]


async def test_home_assistant_shows_presence_and_the_alarm_with_place_and_error(
    broker: Mosquitto,
) -> None:
    async with connected(broker) as made:
        made.put_alarm(8, sectors=("east",), masked="mask 1 by eva: mowing")
        made.put_alarm(7, confidence=0.61)

        async def both() -> dict[str, Any]:
            found = await retained_json(broker.port, f"{BASE}/#")
            changed = found[f"{BASE}/sector/west"]["attributes"].get("confidence") == 0.61
            return found if changed else {}

        states = await eventually(both)
    west, east = states[f"{BASE}/sector/west"], states[f"{BASE}/sector/east"]
    assert (west["presence"], east["presence"]) == ("ON", "OFF")
    assert west["attributes"]["class"] == "person"
    assert west["attributes"]["gps_accuracy"] == west["attributes"]["error_m"] == 12.5
    assert west["attributes"]["latitude"] == pytest.approx(52.000045, abs=1e-6)
    assert states[f"{BASE}/site"]["waiting"] == 1
    node = states[f"{BASE}/node/n01"]
    assert (node["connected"], node["battery_v"], node["rssi_dbm"]) == ("ON", 3.7, -60)


async def test_home_assistant_node_that_is_offline_or_opened_is_shown_so(
    broker: Mosquitto,
) -> None:
    async with connected(broker) as made:
        made.put_node("n01", state="offline")
        made.put_node("n02", conditions=("tamper",), state="fault")

        async def shown() -> bool:
            states = await retained_json(broker.port, f"{BASE}/node/+")
            first, second = states[f"{BASE}/node/n01"], states[f"{BASE}/node/n02"]
            return (first["connected"], second["tamper"], second["connected"]) == (
                "OFF",
                "ON",
                "ON",
            )

        await eventually(shown)


async def test_home_assistant_is_offline_after_the_gateway_ends(broker: Mosquitto) -> None:
    async with connected(broker):
        pass

    async def is_offline() -> bool:
        return await retained(broker.port, STATUS) == {STATUS: b"offline"}

    await eventually(is_offline)


async def test_home_assistant_is_offline_after_a_kill_and_online_after_the_return(
    broker: Mosquitto,
) -> None:
    program = [sys.executable, "-m", "tests.connectors.home_assistant_process", str(broker.port)]
    process = await asyncio.create_subprocess_exec(
        *program, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"connected\n"
        assert await retained(broker.port, STATUS) == {STATUS: b"online"}
    finally:
        process.kill()
        await process.wait()

    async def has_status(status: bytes) -> bool:
        return await retained(broker.port, STATUS) == {STATUS: status}

    await eventually(lambda: has_status(b"offline"))
    assert len(await devices(broker)) == 6  # still there, shown as unavailable
    async with connected(broker):
        await eventually(lambda: has_status(b"online"))


async def test_home_assistant_node_removed_while_the_gateway_was_off_is_cleared(
    broker: Mosquitto,
) -> None:
    async with connected(broker):
        assert "node_n03" in await devices(broker)
    table = {"kind": "home_assistant", "name": "ha", "host": "127.0.0.1", "port": broker.port}
    async with (
        Listener(broker.port, "homeassistant/#") as listener,
        running(KIND, table, Path()) as made,
    ):
        for name in ("n01", "n02"):
            made.put_node(name)
        made.put_sector("west")

        async def cleared() -> bool:
            found, states = await devices(broker), await retained(broker.port, f"{BASE}/#")
            gone = {f"{BASE}/node/n03", f"{BASE}/sector/east"}
            is_clear = not {"node_n03", "sector_east"} & set(found) and not gone & set(states)
            return is_clear and "node_n01" in found

        await eventually(cleared)
        # Home Assistant, which was there all the time, is sent the empty announcement.
        gone = "homeassistant/device/groundwatch_yard_node_n03/config"
        await eventually(lambda: listener.newest.get(gone) == b"")


async def test_home_assistant_button_acknowledges_the_oldest_alarm_in_its_name(
    broker: Mosquitto,
) -> None:
    async with connected(broker) as made:
        made.put_alarm(9)
        button = (await devices(broker))["site"]["cmps"]["acknowledge"]
        assert button["platform"] == "button"
        await publish(broker.port, [(button["command_topic"], b"oldest 1790000000000")])
        await eventually(lambda: made.acts)
        (act,) = made.acts
        assert isinstance(act, Acknowledge)
        assert (act.alarm_id, act.by) == (7, "connector:ha")
        await publish(broker.port, [(COMMAND, b"9")])
        await eventually(lambda: len(made.acts) == 2)
        assert isinstance(made.acts[1], Acknowledge) and made.acts[1].alarm_id == 9


async def test_home_assistant_press_that_comes_twice_acknowledges_once(broker: Mosquitto) -> None:
    async with connected(broker) as made:
        made.put_alarm(9)
        presses = [b"oldest 1", b"oldest 1", b"9", b"9", b"oldest", b"oldest"]
        await publish(broker.port, [(COMMAND, press) for press in presses])
        await eventually(lambda: made.status.counters["ignored_duplicate"] == 3)
        assert len(made.acts) == 3


async def test_home_assistant_press_that_the_broker_kept_acknowledges_nothing(
    broker: Mosquitto,
) -> None:
    await publish(broker.port, [(COMMAND, b"oldest 5")], retain=True)
    async with connected(broker) as made:
        await eventually(lambda: made.status.counters["ignored_retained"] == 1)
        await publish(broker.port, [(COMMAND, b"7")])
        await eventually(lambda: made.acts)
        assert len(made.acts) == 1 and made.status.counters["received"] == 2


async def test_home_assistant_without_permission_has_no_button_and_does_nothing(
    broker: Mosquitto,
) -> None:
    async with connected(broker, may=[]) as made:
        assert "acknowledge" not in (await devices(broker))["site"]["cmps"]
        await publish(broker.port, [(COMMAND, b"7")])
        await eventually(lambda: made.status.counters["acts_refused"] == 1)
        assert made.acts == []


async def test_home_assistant_acknowledging_what_is_acknowledged_is_counted(
    broker: Mosquitto,
) -> None:
    async with connected(broker) as made:
        made.put_alarm(7, acknowledged=True, acknowledged_by="eva")
        await publish(broker.port, [(COMMAND, b"7"), (COMMAND, b"oldest 2")])
        await eventually(lambda: made.status.counters["ignored_nothing_waits"] == 2)
        assert made.acts == []


@pytest.mark.parametrize(
    ("payload", "command"),
    [
        (b"oldest", (None, "")),
        (b"oldest 17", (None, "17")),
        (b"7", (7, "alarm 7")),
        (b"0007", (7, "alarm 7")),
    ],
)
def test_command_that_is_well_formed_is_parsed(
    payload: bytes, command: tuple[int | None, str]
) -> None:
    assert parse_command(payload) == command


@pytest.mark.parametrize(
    "payload",
    [b"", b" ", b"oldest ", b"oldest  1", b"7 8", "\u00b2".encode(), b"1" * 19, b"a" * 65, b"{}"],
)
def test_command_that_is_anything_else_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError):
        parse_command(payload)


def test_announcement_of_a_node_is_the_vector_that_home_assistant_documents() -> None:
    from gateway.connectors.home_assistant.translate import Names, node_topics
    from gateway.model.view import NodeView

    view = NodeView(
        id="n01",
        sector="west",
        x_m=0.0,
        y_m=0.0,
        latitude=52.0,
        longitude=13.0,
        error_m=5.0,
        at_us=1_790_000_000_000_000,
        state="normal",
    )
    topics = node_topics(Names("yard", "homeassistant"), "n01", view)
    assert list(topics) == [
        "groundwatch/ha/yard/node/n01",
        "homeassistant/device/groundwatch_yard_node_n01/config",
    ]
    state, device = topics.values()
    assert state is not None and device is not None
    assert state["seen"] == "2026-09-21T14:13:00+00:00"
    assert device["cmps"]["connected"] == {
        "platform": "binary_sensor",
        "unique_id": "groundwatch_yard_node_n01_connected",
        "name": "Connected",
        "device_class": "connectivity",
        "value_template": "{{ value_json.connected }}",
        "json_attributes_topic": "groundwatch/ha/yard/node/n01",
        "json_attributes_template": "{{ value_json.attributes | tojson }}",
    }
    assert json.loads(json.dumps(device))["device"]["via_device"] == "groundwatch_yard_site"
