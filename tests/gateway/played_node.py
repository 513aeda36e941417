# SPDX-License-Identifier: MIT
"""A node as the gateway sees one: seals, keeps what has no receipt, sends it again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gateway.keys import NodeKeys, derive, node_key
from gateway.wire import codec, seal
from gateway.wire.messages import (
    Detection,
    Footfalls,
    Health,
    Hello,
    Message,
    Phase,
    Receipt,
    ResetCause,
    TargetClass,
    Time,
)
from gateway.wire.topics import downlink_topic, uplink_topic

ROOT = bytes(range(32))
SITE = "yard"


async def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    """Until something another thread or process changes is so."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  # what others change has no event to wait for
            await asyncio.sleep(0.01)


def write_site(folder: Path, nodes: int = 4, sectors: int = 2) -> Path:
    """A line of nodes 25 m apart, shared out among sectors; returns the path of gateway.toml."""
    lines = ["[site]", f'name = "{SITE}"']
    for index in range(nodes):
        sector = "west" if index < nodes / sectors else "east"
        lines += ["[[node]]", f'id = "n{index + 1:02}"', f"x_m = {25 * index}", "y_m = 0"]
        lines += [f'sector = "{sector}"']
    (folder / "site.toml").write_text("\n".join(lines))
    key = folder / "fleet.key"
    key.write_text(ROOT.hex() + "\n")
    key.chmod(0o600)
    return folder / "gateway.toml"


def write_config(folder: Path, broker: str, console_port: int = 0, serial: str = "") -> Path:
    path = write_site(folder)
    path.write_text(
        '[gateway]\ndata_dir = "data"\nsite = "site.toml"\nfleet_key = "fleet.key"\n'
        f"[broker]\n{broker}\n[console]\nport = {console_port}\n{serial}"
    )
    return path


@dataclass
class PlayedNode:
    """Counters, ledger and seal of one node. `sealed_*` give bytes; nothing is sent from here."""

    node: str
    boot: int = 1
    site: str = SITE
    ledger: dict[tuple[int, int], bytes] = field(default_factory=dict)
    received: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys: NodeKeys = derive(node_key(ROOT, self.site, self.node))
        self.up = uplink_topic(self.site, self.node)
        self.down = downlink_topic(self.site, self.node)
        self._seq = [0, 0]

    def seal(self, message: Message, space: int, topic: str | None = None) -> bytes:
        self._seq[space] += 1
        counter = self.boot.to_bytes(2, "big") + self._seq[space].to_bytes(2, "big")
        piv = counter if space == 0 else b"\x01" + counter
        aad = (topic or self.up).encode()
        data = seal.seal(self.keys.up_key, self.keys.up_iv, piv, codec.encode(message), aad)
        if space == 0:
            self.ledger[(self.boot, self._seq[0])] = data
        return data

    def hello(self, t_ms: int = 0, oldest_seq: int | None = None, **more: Any) -> bytes:
        """`more` fields of a hello; without any, of firmware of schema version 1."""
        fields = {"schema": 2 if more else 1, "reset_cause": ResetCause.POWER_ON, **more}
        return self.seal(
            Hello(
                t_ms=t_ms,
                fw="0.1",
                board="played",
                fs_hz=250,
                heap_free=100_000,
                oldest_seq=oldest_seq,
                **fields,
            ),
            1,
        )

    def restart(self) -> None:
        """The next boot."""
        self.boot += 1
        self._seq = [0, 0]

    def health(self, t_ms: int, pending: int = 0) -> bytes:
        return self.seal(
            Health(
                t_ms=t_ms,
                battery_mv=3900,
                rssi_dbm=-60,
                floor_um_s_x100=12,
                samples_missed=0,
                ledger_pending=pending,
            ),
            1,
        )

    def detection(
        self,
        t_ms: int,
        phase: Phase = Phase.ONSET,
        target: TargetClass = TargetClass.PERSON,
        confidence_pct: int = 60,
        elapsed_s: float | None = None,
        pir: int = 0,
        peak_um_s: float = 5.0,
    ) -> bytes:
        return self.seal(
            Detection(
                t_ms=t_ms,
                phase=phase,
                class_=target,
                confidence_pct=confidence_pct,
                peak_um_s_x100=round(100 * peak_um_s),
                cadence_hz_x20=36,
                pir_count=pir,
                elapsed_s_x10=None if elapsed_s is None else round(10 * elapsed_s),
            ),
            0,
        )

    def footfalls(
        self, t_ms: int, utc_ms: int, *pairs: tuple[int, int], error_ms: int = 3
    ) -> bytes:
        """Of the activity that started at t_ms: (ms after utc_ms, level)."""
        numbers = tuple(number for pair in pairs for number in pair)
        return self.seal(
            Footfalls(t_ms=t_ms, utc_ms=utc_ms, error_ms=error_ms, footfalls=numbers), 1
        )

    def open_down(self, data: bytes) -> Message:
        """A downlink as the node opens it; receipts empty the ledger."""
        aad = seal.down_aad(self.down, self.boot)
        _piv, payload = seal.open_sealed(self.keys.down_key, self.keys.down_iv, data, aad)
        message = codec.decode(payload, "down")
        self.received.append(message)
        if isinstance(message, Receipt):
            pairs = zip(message.upto[::2], message.upto[1::2], strict=True)
            for boot, upto in pairs:
                for key in [k for k in self.ledger if k[0] == boot and k[1] <= upto]:
                    del self.ledger[key]
        return message

    @property
    def times(self) -> list[Time]:
        return [message for message in self.received if isinstance(message, Time)]


class MqttNode(PlayedNode):
    """A played node on a broker, by paho's own thread: not the gateway's event loop."""

    subscribed = False

    def connect(self, port: int, password: str | None = None, client_id: str = "") -> None:
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id or self.node, clean_session=True
        )
        self.client.username_pw_set(self.node, password or self.keys.mqtt_password)
        self.client.reconnect_delay_set(0.05, 0.2)
        self.client.on_connect = lambda c, *_: c.subscribe(self.down, 1)
        self.client.on_subscribe = lambda *_: setattr(self, "subscribed", True)
        self.client.on_message = lambda _c, _u, message: self._on_down(message.payload)
        self.client.connect_async("127.0.0.1", port, 30)
        self.client.loop_start()

    def _on_down(self, payload: bytes) -> None:
        # Downlinks of before this played node's time do not open; a real node counts them.
        with contextlib.suppress(ValueError):
            self.open_down(bytes(payload))

    def publish(self, payload: bytes, topic: str | None = None) -> paho.MQTTMessageInfo:
        return self.client.publish(topic or self.up, payload, qos=1)

    def disconnect(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    async def until_received(self, seconds: float = 5.0) -> None:
        """Until every durable message has its receipt."""
        await until(lambda: not self.ledger, seconds)
