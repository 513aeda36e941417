# SPDX-License-Identifier: MIT
"""How the conformance suite looks at the far side of each connector of the example package."""

from __future__ import annotations

import asyncio
import csv
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.ports.discovery import find_type
from tests.connectors.harness import CUE, SINK, SOURCE, Harness, Shown
from tests.connectors.made import now_us
from tests.ports import free_port

HOST = "127.0.0.1"


class CsvHarness(Harness):
    """A folder that another thing can take the place of."""

    roles = frozenset({SINK})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.kind = find_type("csv")
        self._out = folder / "out"

    def table(self) -> dict[str, Any]:
        return {"kind": "csv", "name": "log", "path": "out/picture.csv"}

    @asynccontextmanager
    async def far_side(self) -> AsyncIterator[None]:
        self._out.mkdir(exist_ok=True)
        yield

    async def cut(self) -> None:
        self._out.rename(self.folder / "away")
        self._out.touch()

    async def mend(self) -> None:
        self._out.unlink()
        (self.folder / "away").rename(self._out)

    async def shown(self, kind: str, name: str) -> Shown | None:
        row = self._now().get((kind, name))
        if row is None:
            return None
        error_m, at_us = row["error_m"], row["at_us"]
        return Shown(row["value"], float(error_m) if error_m else None, int(at_us or 0) or None)

    async def names_shown(self, kind: str) -> list[str]:
        return [name for of_kind, name in self._now() if of_kind == kind]

    def _now(self) -> dict[tuple[str, str], dict[str, str]]:
        """The rows replayed, as the README of the connector describes it."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        try:
            text = (self._out / "picture.csv").read_text()
        except OSError:
            return found
        written = text[: text.rfind("\n") + 1]  # the last row may be on its way
        for row in csv.DictReader(written.splitlines(keepends=True), restval=""):
            if row["change"] == "whole":
                found.clear()
            elif row["change"] == "put":
                found[row["kind"], row["id"]] = row
            else:
                found.pop((row["kind"], row["id"]), None)
        return found


class UdpPlotsHarness(Harness):
    """A radar: it sends, and does not know whether anything receives."""

    roles = frozenset({SOURCE})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.kind = find_type("udp_plots")
        self._port = free_port(socket.SOCK_DGRAM)

    def table(self) -> dict[str, Any]:
        return {"kind": "udp_plots", "name": "radar", "port": self._port}

    @asynccontextmanager
    async def far_side(self) -> AsyncIterator[None]:
        yield

    async def cut(self) -> None:
        """A radar that is silent looks like one that sees nothing."""

    async def mend(self) -> None:
        """The same."""

    async def send(self, count: int) -> None:
        await self._send(*[plot() for _number in range(count)])

    async def send_hostile(self) -> int:
        forged = (
            b"",
            b"\0" * 100,
            b"[" * 1000,
            b"{}",
            b"x" * 5000,
            plot(x_m=None, y_m=None),
            plot(latitude=52.0, longitude=13.0),
            plot(x_m=None, y_m=None, latitude=-52.0, longitude=13.0),
            plot(x_m=None, y_m=None, latitude=1e9, longitude=13.0),
            plot(x_m=1e9),
            plot(error_m=0),
            plot(error_m=-1e200),
            plot(at_us=0),
            plot(at_us=now_us() + 3_600_000_000),
            plot(confidence=7),
            plot(track="x" * 100),
            plot(by="eva"),
            plot().replace(b"person", b"ghost"),
            plot().replace(b"12.5", b"NaN"),
            plot().replace(b"12.5", b"1e999"),
        )
        await self._send(*forged)
        return len(forged)

    async def _send(self, *datagrams: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radar:
            for number, datagram in enumerate(datagrams):
                radar.sendto(datagram, (HOST, self._port))
                if number % 50 == 49:  # a socket buffers only so many
                    await asyncio.sleep(0.02)


def plot(**values: Any) -> bytes:
    """A datagram; None leaves a field out."""
    fields = {
        "at_us": now_us(),
        "x_m": 12.5,
        "y_m": 3.0,
        "error_m": 4.0,
        "class": "person",
        "confidence": 0.8,
        "track": "17",
        **values,
    }
    return json.dumps({name: one for name, one in fields.items() if one is not None}).encode()


class CameraHarness(Harness):
    """A camera on the network; while it is cut it receives and does not answer."""

    roles = frozenset({CUE})

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.kind = find_type("sim_camera")
        self._port = free_port(socket.SOCK_DGRAM)
        self._camera = Camera()

    def table(self) -> dict[str, Any]:
        return {"kind": "sim_camera", "name": "mast", "port": self._port}

    @asynccontextmanager
    async def far_side(self) -> AsyncIterator[None]:
        transport, _camera = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self._camera, local_addr=(HOST, self._port)
        )
        try:
            yield
        finally:
            transport.close()
            await asyncio.sleep(0)  # it is closed in the next turn of the loop

    async def cut(self) -> None:
        self._camera.answers = ()

    async def mend(self) -> None:
        self._camera.answers = ("turning", "there")

    async def jam(self) -> None:
        self._camera.answers = ("turning", "jammed")

    def moves(self) -> list[str]:
        return self._camera.commands


class Camera(asyncio.DatagramProtocol):
    """Keeps the commands, and answers each look with `answers`."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.answers: tuple[str, ...] = ("turning", "there")
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        command = json.loads(data)
        self.commands.append(data.decode())
        if command["do"] == "look":
            for answer in self.answers:
                value = {"cue": command["cue"], "state": answer}
                self._transport.sendto(b"noise", address)
                self._transport.sendto(json.dumps(value).encode(), address)


EXAMPLES: dict[str, type[Harness]] = {
    "csv": CsvHarness,
    "udp_plots": UdpPlotsHarness,
    "sim_camera": CameraHarness,
}
