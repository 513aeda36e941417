# SPDX-License-Identifier: MIT
"""A clean machine: five commands from a wheel to the first alarm, timed.

    make test-installs PYTEST_ARGS='-k five -s'

The figures are printed; docs/clean-machine.md has those of one machine. The simulated nodes stand
for boards, so they run from an environment of their own: a gateway does not need the simulator.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.architecture.tree import ROOT
from tests.ports import free_port
from tests.tools.installs import build_wheel, fresh, sizes

pytestmark = pytest.mark.installs

PAGE = ROOT / "docs" / "clean-machine.md"
_WITHIN_S = 400.0


def commands() -> list[str]:
    """The commands of the page, without their comments."""
    block = PAGE.read_text().split("```sh\n", 1)[1].split("```", 1)[0]
    return [line.split(" #")[0].strip() for line in block.splitlines()]


class Machine:
    """A folder of a new user, and the seconds that each command took."""

    def __init__(self, folder: Path, micropython: Path) -> None:
        self.folder = folder
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "GROUNDWATCH"))}
        self.environment = {**kept, "MICROPYTHON": str(micropython)}
        self.seconds: dict[str, float] = {}

    def run(self, *command: str | Path, cwd: str = ".") -> str:
        ran = subprocess.run(
            command,
            cwd=self.folder / cwd,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    @contextmanager
    def running(self, *command: str | Path, cwd: str) -> Iterator[Path]:
        """The file with what it prints, until the block ends; then all its processes have."""
        out = self.folder / f"{'-'.join(map(str, command[1:3]))}.out"
        with out.open("wb") as file:
            process = subprocess.Popen(
                command, cwd=self.folder / cwd, env=self.environment, stdout=file, stderr=file
            )
        try:
            yield out
        finally:
            own = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
            process.wait(60)
            psutil.wait_procs(own, 30)

    def until(self, what: str, out: Path, text: str) -> None:
        """Seconds until the output has this text."""
        start_s = time.monotonic()
        while text not in out.read_text(errors="replace"):
            assert time.monotonic() - start_s < _WITHIN_S, out.read_text(errors="replace")
            time.sleep(0.1)
        self.seconds[what] = time.monotonic() - start_s


def test_five_commands_from_a_wheel_to_an_alarm(tmp_path: Path, micropython: Path) -> None:
    wheel = build_wheel(ROOT, tmp_path)
    (tmp_path / "board").mkdir()
    board = fresh(wheel, tmp_path / "board", "[sim]").with_name("groundwatch")
    machine = Machine(tmp_path, micropython)
    pip, *others = commands()
    assert pip == "pip install groundwatch"
    init, gateway, nodes, alarm_list = (
        line.removeprefix("groundwatch ").split() for line in others
    )

    start_s = time.monotonic()
    python = fresh(wheel, tmp_path)  # 1. pip install groundwatch
    machine.seconds["pip install"] = time.monotonic() - start_s
    groundwatch = python.with_name("groundwatch")

    start_s = time.monotonic()
    ports = ("--broker-port", str(free_port()), "--console-port", str(free_port()))
    machine.run(groundwatch, *init, *ports)  # 2.
    machine.seconds["init --yes"] = time.monotonic() - start_s

    with machine.running(groundwatch, *gateway, cwd="north") as printed:  # 3.
        machine.until("gateway run, until it is ready", printed, "http://")
        with machine.running(board, *nodes, cwd="north") as printed:  # 4.
            machine.until("sim run, until a node is connected", printed, "link up")
            start_s, alarms = time.monotonic(), ""
            while not alarms:
                assert time.monotonic() - start_s < _WITHIN_S, printed.read_text()
                time.sleep(0.5)
                alarms = machine.run(groundwatch, *alarm_list, "--json", cwd="north")  # 5.
            machine.seconds["until alarm list has an alarm"] = time.monotonic() - start_s
    assert json.loads(alarms.splitlines()[-1])["kind"] == "intrusion"
    _report(machine, sizes(python))


def _report(machine: Machine, found: dict[str, int]) -> None:
    for what, seconds in machine.seconds.items():
        print(f"{seconds:7.1f} s  {what}")
    print(f"{sum(machine.seconds.values()):7.1f} s  in all")
    print(f"{len(found)} packages, {sum(found.values()) / 1e6:.0f} MB")
    for name, size in sorted(found.items(), key=lambda one: -one[1])[:8]:
        print(f"{size / 1e6:7.1f} MB  {name}")
