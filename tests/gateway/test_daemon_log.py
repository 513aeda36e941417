# SPDX-License-Identifier: MIT
"""The log: one line an event, with time and level, without secrets; it ends and delays nothing."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config.secrets import InlineSecret
from gateway.service.daemon_log import DaemonHandler, Limit, LineWriter
from tests.gateway.played_node import write_config

PLAIN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning|error) [\w.]+: .*")


class Now:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


class Logged:
    """A logger whose lines are read from a real file."""

    def __init__(self, path: Path, as_json: bool) -> None:
        self.path, self.now = path, Now()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT)
        self._writer = LineWriter(self._file)
        self.log = logging.Logger("gateway.part")
        self.log.addHandler(DaemonHandler(self._writer, as_json, Limit(self.now)))

    def lines(self) -> list[str]:
        self._writer.close()
        os.close(self._file)
        return self.path.read_text().splitlines()


@pytest.fixture
def plain(tmp_path: Path) -> Logged:
    return Logged(tmp_path / "log", as_json=False)


@pytest.fixture
def as_json(tmp_path: Path) -> Logged:
    return Logged(tmp_path / "log", as_json=True)


def fail() -> None:
    raise ValueError("first\nsecond")


def test_every_event_is_one_line_with_time_and_level(plain: Logged) -> None:
    plain.log.warning("a\nb\x1b[31m\u2028c %s", "d\r\ne")
    try:
        fail()
    except ValueError:
        plain.log.exception("failed")
    plain.log.error("number %d", "no number")
    plain.log.error("long %s", "x" * 100_000)
    lines = plain.lines()
    assert len(lines) == 4
    assert all(PLAIN.fullmatch(line) for line in lines), lines
    assert lines[0].endswith("warning part: a | b\\x1b[31m | c d | e")
    assert "failed | Traceback" in lines[1] and lines[1].endswith("ValueError: first | second")
    assert "number %d (TypeError in its arguments)" in lines[2]
    assert len(lines[3]) < 2_200


def test_events_for_programs_are_json_objects(as_json: Logged) -> None:
    as_json.log.info("a\nb %d", 3)
    try:
        fail()
    except ValueError:
        as_json.log.exception("failed")
    first, second = map(json.loads, as_json.lines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]{12}Z", first.pop("at"))
    assert first == {"type": "log", "level": "info", "from": "part", "text": "a | b 3"}
    assert second["level"] == "error" and "ValueError: first" in second["trace"]


def test_lines_of_one_kind_are_limited_and_those_left_out_are_counted(as_json: Logged) -> None:
    for number in range(1000):
        as_json.log.warning("refused user=%s", number)
    as_json.log.error("another kind")
    as_json.now.s = 10.0
    as_json.log.warning("refused user=%s", "later")
    rows = [json.loads(line) for line in as_json.lines()]
    assert [row["text"] for row in rows[59:]] == [
        "refused user=59",
        "another kind",
        "refused user=later",
    ]
    assert rows[-1]["left_out"] == 940
    assert "left_out" not in rows[0]


def test_kinds_without_number_do_not_grow_the_memory() -> None:
    limit = Limit(Now())
    for number in range(5000):
        assert limit.left_out(("gateway", 20, f"kind {number}")) == 0
    assert len(limit._known) == 500


@pytest.mark.parametrize(
    "shown",
    [
        "swordfish 12",
        "https://h/?p=swordfish%2012",
        "5a" * 32,
        "gwt_abcdefghijkl",
        "postgresql://eva:wrong@db/x",
        "Authorization: Bearer abcdefgh.ijkl",
        "Basic ZXZhOndyb25nIG9uZQ==",
    ],
)
def test_secrets_are_replaced_in_text_and_trace(shown: str, plain: Logged) -> None:
    InlineSecret.read("swordfish 12", Path())
    try:
        raise ValueError(shown)
    except ValueError:
        plain.log.exception("cannot connect: %s", shown)
    (line,) = plain.lines()
    for secret in ("swordfish", "5a5a", "gwt_", "wrong", "abcdefgh.", "ZXZhOn"):
        assert secret not in line
    assert line.count("<secret>") >= 2


@pytest.fixture
def blocked() -> Iterator[tuple[int, int]]:
    """A pipe of one page that nothing reads."""
    there, here = os.pipe()
    yield there, here
    os.close(there)
    os.close(here)


def test_reader_that_has_stopped_delays_nothing(blocked: tuple[int, int]) -> None:
    writer = LineWriter(blocked[1], size=10)
    for _ in range(200):
        writer.put("x" * 4000)
    assert writer.lost > 0  # the pipe and the queue are full, and this line is reached
    writer.close(timeout_s=0.1)


def test_full_disk_and_closed_descriptor_cost_the_line_alone(tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    writer = LineWriter(full)
    writer.put("lost")
    writer.close()
    assert writer.lost == 1
    os.close(full)
    writer = LineWriter(full)
    writer.put("lost")
    writer.close()
    assert writer.lost == 1


def fill(pipe: int) -> None:
    """To the last byte; its other holders write to it as before."""
    os.set_blocking(pipe, False)
    try:
        while True:
            os.write(pipe, b"x")
    except BlockingIOError:
        os.set_blocking(pipe, True)


@pytest.mark.parametrize("how", ["full", "closed"])
def test_gateway_runs_on_and_stops_when_nothing_reads_its_log(how: str, tmp_path: Path) -> None:
    config = write_config(tmp_path, 'kind = "embedded"\nport = 0')
    there, here = os.pipe()
    words = [sys.executable, "-m", "tools.cli", "gateway", "run", "--config", str(config), "--json"]
    with (
        os.fdopen(there) as log,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=here, text=True) as run,
    ):
        assert run.stdout is not None
        assert json.loads(run.stdout.readline())["type"] == "ready"
        first = json.loads(log.readline())
        assert (first["type"], first["level"]) == ("log", "info")
        if how == "full":
            fill(here)
        else:
            run.stdout.close()
            log.close()
        os.close(here)
        run.send_signal(signal.SIGHUP)  # is logged
        time.sleep(1.0)
        assert run.poll() is None
        run.send_signal(signal.SIGTERM)
        assert run.wait(60) == 0
