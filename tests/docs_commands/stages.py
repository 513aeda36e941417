# SPDX-License-Identifier: MIT
"""What is there when the commands of a page are typed: a fresh folder, or a site that runs."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.gateway.played_node import ROOT as FLEET_ROOT
from tests.gateway.played_node import MqttNode
from tests.ports import free_port
from tests.terminal import ROOT, Answers, Shell

LIMIT_S = 120.0  # wall time, for what hangs, on a busy machine
PASSPHRASE = "four words are long"
SITE = "yard"  # of the played nodes
NODES = {"n01": "east", "n02": "east", "n03": "east", "n07": "west"}
PRINTED_PORT, PRINTED_ENTRY = "8480", "120:9f86d081884c7d65"
# What is typed at the questions of a command, by how the command starts.
ANSWERS: dict[str, Answers] = {
    "groundwatch operator add": [("pass phrase of", PASSPHRASE), ("once more", PASSPHRASE)],
    "groundwatch release key": [("passphrase: ", PASSPHRASE), ("again: ", PASSPHRASE)],
    "groundwatch release sign": [("passphrase: ", PASSPHRASE)],
}


@dataclass
class Stage:
    """A shell in a folder; `changes` has what a page prints and what this machine has instead."""

    shell: Shell
    changes: dict[str, str] = field(default_factory=dict)

    def run(self, command: str) -> str:
        """What the command showed. Raises AssertionError when it fails."""
        for printed, here in self.changes.items():
            command = command.replace(printed, here)
        asked = next((ANSWERS[one] for one in ANSWERS if command.startswith(one)), [])
        answers = list(asked)
        shown = self.shell.run(command, answers)
        assert not answers, f"{command!r} did not ask {answers}: {shown}"
        return shown


def programs(folder: Path, paths: tuple[Path, ...] = ()) -> Path:
    """A folder for PATH: `groundwatch` and `python` of this environment and checkout."""
    folder.mkdir()
    path = shlex.quote(":".join(map(str, (ROOT, ROOT / "firmware", *paths))))
    python = shlex.quote(sys.executable)
    for name, words in (("groundwatch", f"{python} -m tools.cli"), ("python", python)):
        script = folder / name
        script.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {words} "$@"\n')
        script.chmod(0o755)
    return folder


@contextmanager
def empty(folder: Path) -> Iterator[Stage]:
    """A fresh folder with the example of a node's configuration, and the checkout's firmware."""
    work = folder / "work"
    work.mkdir()
    (work / "firmware").symlink_to(ROOT / "firmware")
    (work / "node.toml").write_text((ROOT / "docs" / "examples" / "node.toml").read_text())
    (work / "fleet.key").write_text(FLEET_ROOT.hex() + "\n")
    (work / "fleet.key").chmod(0o600)
    with Shell(work, programs(folder / "bin"), LIMIT_S) as shell:
        yield Stage(shell)


@contextmanager
def site(folder: Path) -> Iterator[Stage]:
    """The folder of a site made by `groundwatch init`: its gateway runs, and alarm 1 is open.

    A webhook and a camera are its connectors. Nodes send what real ones send; none is connected
    any more.
    """
    path = programs(folder / "bin", (_examples(folder / "examples"),))
    work = folder / SITE
    with _receiver() as url, _camera() as camera, Shell(folder, path, LIMIT_S) as first:
        broker, console = _make_site(first, work, url, camera)
        _make_files(first)
        with Shell(work, path, LIMIT_S) as second:
            shown = second.start("groundwatch gateway run", "code=")
            second.wait_for("\n")
            entry = re.search(r"audit entry=(\d+) code=(\w+)", shown + second.shown)
            assert entry is not None, second.shown
            _alarm(broker)
            stage = Stage(first)
            stage.changes = {PRINTED_PORT: str(console), PRINTED_ENTRY: f"{entry[1]}:{entry[2]}"}
            first.run_until("groundwatch alarm list", "east")
            yield stage


STAGES: dict[str, Callable[[Path], object]] = {"empty": empty, "site": site}


def _make_site(shell: Shell, work: Path, url: str, camera: int) -> tuple[int, int]:
    (work.parent / "wifi").write_text("correct horse\n")
    (work.parent / "wifi").chmod(0o600)
    broker, console = free_port(), free_port()
    shell.run(
        f"groundwatch init {SITE} --yes --site {SITE} --wifi field --wifi-passphrase-file wifi "
        f"--operator eva --address 127.0.0.1 --broker-port {broker} --console-port {console}",
        [],
    )
    (work / "keys" / "fleet.key").write_text(FLEET_ROOT.hex() + "\n")
    (work / "hook.key").write_text("k" * 32 + "\n")
    (work / "hook.key").chmod(0o600)
    with (work / "gateway.toml").open("a") as file:
        file.write(
            f'\n[[connector]]\nname = "duty_phone"\nkind = "webhook"\nurl = "{url}"\n'
            'secret_file = "hook.key"\n'
            f'\n[[connector]]\nname = "mast1"\nkind = "sim_camera"\nport = {camera}\n'
        )
    with (work / "site.toml").open("a") as file:
        for sector in sorted(set(NODES.values())):
            file.write(f'\n[[sector]]\nid = "{sector}"\n')
        for number, (node, sector) in enumerate(NODES.items()):
            file.write(f'\n[[node]]\nid = "{node}"\nx_m = {25 * number}\ny_m = 0\n')
            file.write(f'sector = "{sector}"\n')
    shell.run(f"cd {SITE}", [])
    return broker, console


def _make_files(shell: Shell) -> None:
    """Files that the pages name: a recording, and other rules."""
    shell.run("groundwatch sim export bench_walker --seconds 15 --seed 7 --out walk", [])
    shell.run("cp walk/n01.npz walk.npz && printf '[rules]\\n' | tee rules.toml stricter.toml", [])


def _alarm(broker: int) -> None:
    """Reports of a person by three nodes; their receipts are there when this returns."""
    played = [MqttNode(name) for name in ("n01", "n02", "n03")]
    for node in played:
        node.connect(broker)
    _until(lambda: all(node.subscribed for node in played))
    for node in played:
        node.publish(node.hello(20_000))
        node.publish(node.detection(12_000, confidence_pct=95))
    _until(lambda: not any(node.ledger for node in played))
    for node in played:
        node.disconnect()


def _until(true: Callable[[], object]) -> None:
    end_s = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < end_s, "the gateway sent no receipts"
        time.sleep(0.05)


def _examples(target: Path) -> Path:
    """The example connectors, installed as docs/connectors.md describes it."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    pip += ["--disable-pip-version-check", "--target", str(target)]
    subprocess.run([*pip, ROOT / "examples" / "connectors"], check=True, timeout=LIMIT_S)
    return target


class _Hook(BaseHTTPRequestHandler):
    """Takes every notification."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Nothing is printed."""


@contextmanager
def _receiver() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _camera() -> Iterator[int]:
    """The port of a camera that takes commands."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as camera:
        camera.bind(("127.0.0.1", 0))
        yield camera.getsockname()[1]
