# SPDX-License-Identifier: MIT
"""The node after its start: its lines on the cable, until the gateway has its first message."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import serial

from gateway.api.schema.answers import Nodes
from gateway.commands.client import Client, NoGateway
from gateway.errors import ConfigError
from gateway.model.view import NodeView
from tools.flash.job import Job
from tools.flash.repl import BAUD
from tools.monitor import Lines

_LOOK_S = 0.5
_CAUSE = re.compile(r"link failed cause=(.+)")


@dataclass
class Cable:
    """The node's lines, over resets: the port goes and comes back. No port: there are none."""

    port: str
    faults: list[str] = field(default_factory=list)  # why it has no link, the latest last
    linked: bool = False
    _line: serial.Serial | None = None
    _lines: Lines = field(default_factory=Lines)

    def read(self, show: Callable[[str], None]) -> None:
        """Process the received lines; never waits."""
        for text in self._lines.feed(self._bytes()):
            if text.startswith(("node started", "link ", "node stops", "board faulty")):
                show(f"  {text}")
            if match := _CAUSE.match(text):
                self.faults.append(match[1])
            self.linked = self.linked or text.startswith("link up")

    def close(self) -> None:
        """Close the port."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _bytes(self) -> bytes:
        if not self.port:
            return b""
        try:
            if self._line is None:
                self._line = serial.Serial(self.port, BAUD, timeout=0, exclusive=True)
            return bytes(self._line.read(4096))
        except (OSError, ValueError, TypeError):  # pyserial: TypeError on a port closed meanwhile
            self.close()
            return b""


@dataclass(frozen=True)
class Heartbeat:
    """The node as the gateway reports it, or None and one line with the reason and what to do."""

    node: NodeView | None
    note: str = ""
    is_late: bool = False  # a gateway runs and received nothing


def await_heartbeat(
    job: Job, port: str, since_s: float, wait_s: float, show: Callable[[str], None]
) -> Heartbeat:
    """`since_s`: a moment of time.monotonic(); earlier heartbeats do not count, by the gateway's
    clock. With no wait the gateway is not asked."""
    client = Client(job.config.data_dir)
    cable, end_s = Cable(port), time.monotonic() + wait_s
    try:
        while time.monotonic() < end_s:
            cable.read(show)
            try:
                node = _newest(client.get("/nodes", Nodes), job.node.id, since_s)
            except NoGateway as error:
                return Heartbeat(None, f"{error}; {job.node.id} then reports to it")
            except ConfigError:
                node = None  # it is busy, or starts
            if node is not None:
                return Heartbeat(node)
            time.sleep(_LOOK_S)
    finally:
        cable.close()
    return Heartbeat(None, _advice(job, cable, wait_s), wait_s > 0)


def _newest(found: Nodes, name: str, since_s: float) -> NodeView | None:
    """The node, once a heartbeat came after that moment. The gateway reads the site file every
    second, and may not know the node yet."""
    since_us = found.now_us - int((time.monotonic() - since_s) * 1e6)
    for node in found.nodes:
        if node.id == name and (node.last_seen_us or 0) >= since_us and node.fw:
            return node
    return None


def _advice(job: Job, cable: Cable, wait_s: float) -> str:
    network = job.config.nodes
    if not wait_s:
        return f"{job.node.id} starts now"
    late = f"no heartbeat of {job.node.id} within {wait_s:.0f} s"
    again = f"groundwatch node flash {job.node.id}"
    if network is None or not cable.port:
        return f"{late}: is its line in gateway.toml ([[serial]])?"
    if cable.linked:
        return f"{late}, though it has a link: groundwatch node show {job.node.id}"
    why = f" ({cable.faults[-1]})" if cable.faults else ""
    return (
        f"{late}: it does not reach {network.host}:{network.port} by the Wi-Fi "
        f"{network.ssid!r}{why}; correct it with `groundwatch init --wifi NAME` or `--address "
        f"ADDRESS`, then {again}"
    )


def sentence(node: NodeView) -> str:
    """The first heartbeat on one line."""
    parts = [f"first heartbeat of {node.id}: firmware {node.fw}"]
    if node.battery_mv is not None:
        parts.append(f"battery {node.battery_mv / 1000:.2f} V")
    if node.rssi_dbm is not None:
        parts.append(f"Wi-Fi {node.rssi_dbm} dBm")
    parts += [f"condition {name}" for name in node.conditions]
    return ", ".join(parts)
