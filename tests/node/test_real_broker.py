# SPDX-License-Identifier: MIT
"""The whole node in real time against a real broker: killed, commanded, restarted."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from gateway import keys
from gateway.wire import codec, seal
from gateway.wire.messages import Command, CommandKind, Receipt, ResultStatus, Time
from tests.broker import Broker, until
from tests.node.conftest import FS_HZ, NODE_KEY, RUN_NODE, UP_TOPIC, config, walker
from tools.bundle import write_tree
from tools.compiled import mpy_of_interpreter

DOWN_TOPIC = UP_TOPIC.removesuffix("up") + "down"
NODE_KEYS = keys.derive(NODE_KEY)


class StandIn:
    """Answers as a gateway does: time always, receipts while `receipts` is set."""

    def __init__(self, port: int) -> None:
        self.receipts = False
        self.got: list[tuple[int, int, int, Any, bytes]] = []  # space, boot, seq, message, sealed
        self._counter = 0
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="gateway")
        self.client.username_pw_set("gateway", "secret")
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)
        self.client.subscribe(UP_TOPIC, qos=1)
        self.client.loop_start()

    def _on_message(self, _client: Any, _data: Any, mqtt: Any) -> None:
        piv, payload = seal.open_sealed(
            NODE_KEYS.up_key, NODE_KEYS.up_iv, mqtt.payload, UP_TOPIC.encode()
        )
        space, boot, seq = seal.parse_up_piv(piv)
        message = codec.decode(payload)
        self.got.append((space, boot, seq, message, mqtt.payload))
        name = type(message).__name__
        # What goes down is bound to the boot the node is in, also when it speaks of an older one.
        now = max(b for _l, b, _s, _m, _p in self.got)
        if name in ("Hello", "Health"):
            self.send(now, Time(utc_ms=time.time_ns() // 1_000_000, echo_ms=message.t_ms))
        if space == 0 and self.receipts:
            self.send(now, Receipt(upto=(boot, seq)))

    def send(self, boot: int, message: Any) -> bytes:
        self._counter += 1
        piv = self._counter.to_bytes(4, "big").lstrip(b"\0")
        aad = DOWN_TOPIC.encode() + boot.to_bytes(2, "big")
        payload = codec.encode(message)
        sealed = seal.seal(NODE_KEYS.down_key, NODE_KEYS.down_iv, piv, payload, aad)
        self.publish(sealed)
        return sealed

    def publish(self, sealed: bytes) -> None:
        self.client.publish(DOWN_TOPIC, sealed, qos=1)

    def messages(self, name: str, boot: int | None = None) -> list[Any]:
        return [
            m for _l, b, _s, m, _p in self.got if type(m).__name__ == name and boot in (b, None)
        ]


class LiveNode:
    """A node as a process in real time, on ground recorded in advance."""

    def __init__(self, interpreter: Path, folder: Path, port: int) -> None:
        self._interpreter = interpreter
        self._tree = folder / "n07"
        write_tree(config("pico_w", port), self._tree, mpy_of_interpreter(interpreter))
        feed = folder / "feed.i32"
        feed.write_bytes(walker(60, 2, 58))
        self._sim = folder / "sim.json"
        sim = {
            "mode": "real",
            "board": "pico_w",
            "feed": str(feed),
            "fs_hz": FS_HZ,
            "t0_epoch_ms": time.time_ns() // 1_000_000,
        }
        self._sim.write_text(json.dumps(sim))
        self._log = folder / "node.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [self._interpreter, RUN_NODE],
                cwd=self._tree,
                env={**os.environ, "GROUNDWATCH_SIM": str(self._sim)},
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def lines(self, start: str) -> list[str]:
        return [x for x in self._log.read_text().splitlines() if x.startswith(start)]


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[tuple[StandIn, Broker]]:
    """A broker with a gateway behind it."""
    broker = Broker(tmp_path, {"n07": NODE_KEYS.mqtt_password, "gateway": "secret"})
    broker.start()
    made = StandIn(broker.port)
    yield made, broker
    made.client.loop_stop()
    broker.stop()


@pytest.mark.long
def test_node_killed_and_restarted_delivers_everything_once_made(
    stand_in: tuple[StandIn, Broker], micropython: Path, tmp_path: Path
):
    gateway, broker = stand_in
    node = LiveNode(micropython, tmp_path, broker.port)
    try:
        node.start()
        until(lambda: len(gateway.messages("Detection")) >= 2, 20)
        node.kill()
        first = {(b, s): p for space, b, s, _m, p in gateway.got if space == 0}
        until(lambda: bool(gateway.messages("Condition", 1)), 10)  # the Will: link_lost

        gateway.got.clear()
        gateway.receipts = True
        node.start()
        until(lambda: bool(gateway.messages("Hello", 2)), 10)
        until(lambda: len(gateway.messages("Detection", 1)) >= len(first), 10)
        again = {(b, s): p for space, b, s, _m, p in gateway.got if space == 0}
        # The same numbers carry the same bytes, to the last bit of the tag.
        assert all(again[identity] == sealed for identity, sealed in first.items())

        ping = gateway.send(2, Command(id=1, kind=CommandKind.PING))
        gateway.publish(ping)
        gateway.send(2, Command(id=2, kind=CommandKind.SNIPPET))
        gateway.send(1, Command(id=3, kind=CommandKind.REBOOT))  # meant for the boot before
        until(lambda: len(gateway.messages("Result")) >= 2, 10)
        gateway.send(2, Command(id=4, kind=CommandKind.REBOOT))
        assert node.process is not None
        assert node.process.wait(timeout=15) == 3
        results = [(m.command_id, m.status) for m in gateway.messages("Result")]
        assert results == [
            (1, ResultStatus.OK),
            (2, ResultStatus.REFUSED),
            (4, ResultStatus.OK),
        ]

        node.start()
        until(lambda: bool(gateway.messages("Hello", 3)), 10)
        printed = {tuple(x.split()[1:3]) for x in node.lines("detection")}
        until(lambda: len(detections(gateway, first)) >= len(printed), 10)
    finally:
        node.kill()
    # Everything had its receipt before the reboot.
    assert "pending=0" in node.lines("node started")[2]


def detections(gateway: StandIn, first: dict[tuple[int, int], bytes]) -> set[tuple[int, int]]:
    """The identities of all detections that arrived."""
    arrived = {(b, s) for _l, b, s, m, _p in gateway.got if type(m).__name__ == "Detection"}
    return arrived | set(first)


def test_node_when_the_broker_restarts_comes_back_by_itself(
    stand_in: tuple[StandIn, Broker], micropython: Path, tmp_path: Path
):
    gateway, broker = stand_in
    node = LiveNode(micropython, tmp_path, broker.port)
    try:
        node.start()
        until(lambda: bool(gateway.messages("Hello")), 10)
        broker.stop()
        until(lambda: bool(node.lines("link failed")), 10)
        broker.start()
        until(lambda: len(node.lines("link up")) >= 2, 10)
    finally:
        node.kill()
    assert not node.lines("task failed")
