# SPDX-License-Identifier: MIT
"""Workbench, bench: the measured systems: processes that store MQTT messages in one table.

All of them keep messages in a table `message` of an SQLite file, so one observer serves all.
"""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.broker.mosquitto import program_path
from tools.bench.load.loads import Load, crossings, heartbeats
from tools.bench.load.messages import write_keys, write_site
from tools.bench.peers import naive, node_red
from tools.errors import UserError

_START_S = 60.0
LoadOf = Callable[[int, int], Load]  # nodes, count
# The same for all systems: no limit on queued messages, or most of a burst would be lost.
_BROKER = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_inflight_messages 0
max_queued_messages 0
set_tcp_nodelay true
log_type subscribe
log_dest stderr
user root
"""


@dataclass(frozen=True, slots=True)
class System:
    """`key` names it in JSON; `messages` is what its throughput is measured over."""

    key: str
    label: str
    messages: int
    embedded: bool = False
    load: LoadOf = heartbeats
    speed: float | None = None  # of `measure.Wanted`


OURS = System("groundwatch", "Groundwatch, mosquitto", 60_000)
EMBEDDED = System("groundwatch_embedded", "Groundwatch, its own broker", 60_000, embedded=True)
FUSING = System(
    "groundwatch_fusing",
    "Groundwatch, walks through fusion to alarms",
    3_000,
    load=crossings,
    speed=0,
)
NAIVE = System("naive", "paho + sqlite3, commit per message", 2_000)
NODE_RED = System("node_red", "Node-RED, MQTT and SQLite nodes", 6_000)
PEERS = (NAIVE, NODE_RED)


@dataclass(frozen=True, slots=True)
class Running:
    """The port for nodes, the database of the rows, and the process."""

    port: int
    database: Path
    process: subprocess.Popen[bytes]


def prepare(system: System) -> None:
    """Install what it needs, before anything is measured. Raises UserError."""
    if system is NODE_RED:
        node_red.ensure_installed()


@contextlib.contextmanager
def running(system: System, folder: Path, nodes: int) -> Iterator[Running]:
    """A fresh broker and a fresh system on it, subscribed. Raises UserError."""
    folder.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        port = _free_port()
        if system.embedded:
            output = None
        else:
            output = stack.enter_context(_mosquitto(folder, port))
        words, database = _command(system, folder, nodes, port)
        log = stack.enter_context((folder / "system.log").open("wb"))
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        stack.callback(_end, process)
        _await_subscribed(system, process, folder, output)
        yield Running(port, database, process)


def _command(system: System, folder: Path, nodes: int, port: int) -> tuple[list[str], Path]:
    if system in (OURS, EMBEDDED, FUSING):
        kind = "embedded" if system.embedded else "external"
        config = write_site(folder, nodes, f'kind = "{kind}"\nport = {port}')
        words = [sys.executable, "-m", "tools.cli", "gateway", "--config", str(config)]
        return words, folder / "data" / "groundwatch.db"
    database, keys = folder / "peer.db", folder / "keys.json"
    write_keys(keys, nodes)
    with contextlib.closing(sqlite3.connect(database)) as db:
        db.execute(naive.TABLE)
    if system is NAIVE:
        return [sys.executable, "-m", naive.__name__, str(port), str(database), str(keys)], database
    return node_red.command(folder / "red", port, database, keys), database


@contextlib.contextmanager
def _mosquitto(folder: Path, port: int) -> Iterator[Path]:
    configuration, output = folder / "mosquitto.conf", folder / "mosquitto.log"
    configuration.write_text(_BROKER.format(port=port))
    program = program_path()
    if program is None:
        raise UserError("mosquitto is not installed (Debian: apt install mosquitto)")
    with output.open("wb") as log:
        process = subprocess.Popen([program, "-c", str(configuration)], stdout=log, stderr=log)
    try:
        _until(lambda: _listens(port), f"mosquitto does not start: {output.read_text()[-200:]}")
        yield output
    finally:
        _end(process)


def _await_subscribed(
    system: System, process: subprocess.Popen[bytes], folder: Path, output: Path | None
) -> None:
    mark, where = (b"/up", output) if output else (b"console http", folder / "system.log")

    def ready() -> bool:
        if process.poll() is not None:
            tail = (folder / "system.log").read_text(errors="replace").strip()[-300:]
            raise UserError(f"{system.label} ended at its start: {tail}")
        return mark in where.read_bytes()

    _until(ready, f"{system.label} does not subscribe; its output is in {folder}/system.log")


def _until(true: object, otherwise: str) -> None:
    assert callable(true)
    deadline = time.monotonic() + _START_S
    while not true():
        if time.monotonic() > deadline:
            raise UserError(otherwise)
        time.sleep(0.02)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
