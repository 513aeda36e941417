# SPDX-License-Identifier: MIT
"""A node on a wire, in real time, against the whole gateway: noise, cuts, replugging, an update."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import pytest

from gateway.model.alarm import AlarmKind
from gateway.updates import package
from gateway.updates.rollout import Rollout, plan
from gateway.wire.messages import Chunk, DownMessage
from tests.node.conftest import walker
from tests.node.yard import Yard, printed, until
from tests.trees import patch
from tests.update.field import RELEASE_KEY, made


@pytest.fixture
def yard(tmp_path: Path, micropython: Path) -> Yard:
    return Yard(tmp_path, micropython)


def lengthen(folder: Path) -> None:
    """Some 25 pieces that are not on the node already."""
    rows = [random.Random(row).randbytes(30).hex() for row in range(400)]
    (folder / "ugs" / "long.py").write_text(f"ROWS = {rows!r}\n")


async def test_wired_node_with_a_walker_becomes_an_alarm_at_the_gateway(yard: Yard) -> None:
    alarms: list[AlarmKind] = []
    with yard.node(walker(60, 3, 25)) as node:
        async with yard.gateway() as gateway:
            gateway.on_alarm(lambda change: alarms.append(change.alarm.kind))
            await until(lambda: alarms, 30, node)
            view = gateway.service.stages.intake.registry.views["n01"]
            assert (view.board, view.rssi_dbm) == ("pico_w", None)
            counters = gateway.links[1].counters
            await until(lambda: "link up line=console" in node.lines, 5, node)
            assert gateway.summary()["refused"] == 0
    assert alarms[0] is AlarmKind.INTRUSION
    assert counters["console_text"] > 0
    assert counters["bad_crc"] == counters["bad_cobs"] == 0
    assert not [line for line in node.lines if "failed" in line]


@pytest.mark.long
async def test_wired_node_on_a_bad_cable_loses_nothing(yard: Yard) -> None:
    """Noise in and between frames, both ways; the cable pulled in the middle of things, the gateway
    stopped and started, the node's power cut: every detection made is stored once."""
    chance = random.Random(9)

    def noise(data: bytes) -> bytes:
        out = bytearray(data)
        if chance.random() < 0.15 and out:
            out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
        if chance.random() < 0.05:
            out += chance.randbytes(chance.randrange(1, 30)).replace(b"\x03", b"")
        return bytes(out)

    with yard.node(walker(90, 2, 60)) as node:
        node.noise = noise
        async with yard.gateway() as gateway:
            link = gateway.links[1]
            await until(lambda: gateway.service.stages.intake.detections, 30, node)
            for _ in range(2):
                node.unplug()
                await until(lambda: not link.connected, 5, node)
                await asyncio.sleep(chance.random())
                node.plug()
                await until(lambda: link.connected, 5, node)
                await asyncio.sleep(1 + chance.random())
            assert link.counters["unplugged"] == 2
            await until(lambda: link.counters["bad_crc"] + link.counters["bad_cobs"], 20, node)
        node.cut_power()
        await until(lambda: node.boots == 2, 5, node)
        async with yard.gateway() as gateway:
            link = gateway.links[1]
            await until(
                lambda: gateway.service.stages.intake.registry.views["n01"].boot == 2, 30, node
            )
            await until(lambda: any(boot == 2 for boot, _seq in printed(node)), 40, node)
            node.noise = bytes
            await until(lambda: printed(node) == yard.stored(), 60, node)
    assert {boot for boot, _seq in yard.stored()} == {1, 2}
    assert not [line for line in node.lines if line.startswith(("task failed", "node stops"))]


async def test_wired_node_whose_gateway_is_away_notices_and_asks_again(yard: Yard) -> None:
    # Silence is reported after two heartbeats without an answer: shortened for this test.
    patch(
        yard.tree,
        "ugs/link/serial.py",
        lambda text: text.replace("const(150_000)", "const(3_000)"),
    )
    patch(
        yard.tree,
        "ugs/remote/settings.py",
        lambda text: text.replace('"heartbeat_s", 30, 3_600, 60', '"heartbeat_s", 1, 3_600, 1'),
    )
    with yard.node(walker(60, 0, 0)) as node:
        async with yard.gateway():
            await until(lambda: node.lines.count("link up line=console") == 1, 20, node)
        await until(lambda: "link failed cause=silence" in node.lines, 20, node)
        async with yard.gateway():
            await until(lambda: node.lines.count("link up line=console") == 2, 40, node)


async def test_wired_node_whose_host_sends_a_break_gives_the_console_back(
    yard: Yard,
) -> None:
    with yard.node(walker(60, 0, 0)) as node:
        async with yard.gateway():
            await until(lambda: "link up line=console" in node.lines, 20, node)
        with node.port.open("wb", buffering=0) as host:
            host.write(b"\x03" * 260)
        end_s = time.monotonic() + 10
        while node.ended is None and time.monotonic() < end_s:  # noqa: ASYNC110  # a thread sets it
            await asyncio.sleep(0.05)
        assert node.ended == 1  # this simulated board has no prompt to fall back to
    assert "link ends cause=break" in node.lines


@pytest.mark.long
async def test_wired_node_takes_an_update_that_is_cut_and_goes_on(
    yard: Yard, micropython: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = made(tmp_path, "0.1.9", lengthen, "changed", micropython)
    release = package.parse(data, RELEASE_KEY.public_key(), "changed")
    chunks: list[Chunk] = []
    with yard.node(walker(120, 0, 0)) as node:
        async with yard.gateway() as gateway:
            pipeline = gateway.service.stages
            seal = pipeline.intake.downlinks.seal

            def counted(node: str, message: DownMessage) -> tuple[str, bytes] | None:
                if isinstance(message, Chunk):
                    chunks.append(message)
                return seal(node, message)

            monkeypatch.setattr(pipeline.intake.downlinks, "seal", counted)
            await until(lambda: pipeline.intake.registry.views["n01"].fw, 20, node)
            rollout = Rollout(
                command=0,
                digest=release.digest.hex(),
                version=release.version,
                board="pico_w",
                files=len(release.contents),
                by="test",
                nodes=plan([["n01"]]),
                soak_s=0,
                node_timeout_s=180,
            )
            assert await gateway.service.begin_update(rollout, release)
            await until(lambda: len(chunks) >= 10, 60, node)
            node.unplug()
            await asyncio.sleep(2)
            before = len(chunks)
            node.plug()
            await until(lambda: len(chunks) >= before + 10, 60, node)
            node.cut_power()  # what is on flash already is not asked for again
            await until(lambda: not pipeline.updates.rollout.active, 150, node)
            view = pipeline.intake.registry.views["n01"]
            assert view.fw == "0.1.9", pipeline.updates.rollout
    assert any(line.startswith("update whole") for line in node.lines)
