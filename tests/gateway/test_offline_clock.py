# SPDX-License-Identifier: MIT
"""Commands without a gateway, and those that ask one, go by the gateway's time."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.api.access.tokens import load_tokens
from gateway.app import Gateway
from gateway.audit.clock import DAY_US
from gateway.commands.client import Client
from gateway.config import load_config
from gateway.store.interface import CLOCK, Writes
from gateway.store.sqlite import SqliteStore
from tests.gateway.played_node import write_config
from tools.cli import main

YEAR_US = 365 * DAY_US
NOW_US = 1_795_000_000_000_000  # November 2026
# The computer's clock of the command: the interpreter starts with another time.
SHIFTED = """
import sys, time
time.time_ns = lambda at=int(sys.argv[1]): 1000 * at
from tools.cli import main
sys.exit(main(sys.argv[2:]))
"""


def run(at_us: int, *words: str) -> tuple[int, str, str]:
    """A command on a computer whose clock shows that moment."""
    done = subprocess.run(
        [sys.executable, "-c", SHIFTED, str(at_us), *words],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return done.returncode, done.stdout, done.stderr


def recorded(folder: Path, at_us: int) -> Path:
    """A configuration with a store whose newest record is of that moment."""
    config = write_config(folder, "port = 0")
    path = load_config(config).store
    assert isinstance(path, Path)
    path.parent.mkdir(exist_ok=True)
    store = SqliteStore(path)
    writes = Writes()
    writes.state[CLOCK] = str(at_us)
    store.commit(writes)
    store.close()
    return config


@pytest.mark.parametrize("gap_us", [20 * YEAR_US, -20 * YEAR_US, -3 * 3600 * 1_000_000])
def test_token_of_a_computer_with_a_wrong_clock_ends_by_the_records(
    tmp_path: Path, gap_us: int
) -> None:
    config = recorded(tmp_path, NOW_US)
    words = ("token", "add", "tak", "--days", "30", "--config", str(config), "--json")
    code, out, err = run(NOW_US + gap_us, *words)
    assert (code, err.count("\n")) == (0, 1)
    assert "gateway confirm clock" in err
    until_us = json.loads(out)["until_us"]
    assert until_us == load_tokens(tmp_path / "tokens.toml")["tak"].until_us
    assert 0 <= until_us - NOW_US - 30 * DAY_US < 60_000_000


def test_token_of_a_computer_with_a_good_clock_ends_by_it(tmp_path: Path) -> None:
    config = recorded(tmp_path, NOW_US)
    words = ("token", "add", "tak", "--days", "30", "--config", str(config), "--json")
    code, out, err = run(NOW_US + DAY_US, *words)
    assert (code, err) == (0, "")
    assert json.loads(out)["until_us"] == NOW_US + 31 * DAY_US


def test_token_before_the_first_start_and_beside_a_damaged_store_is_made(tmp_path: Path) -> None:
    config = write_config(tmp_path, "port = 0")
    words = ("token", "add", "tak", "--config", str(config))
    code, _out, err = run(NOW_US, *words)
    assert (code, err.count("\n")) == (0, 1)
    assert "shown only now" in err
    path = load_config(config).store
    assert isinstance(path, Path)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"SQLite format 3\0" + bytes(4096))
    code, _out, err = run(NOW_US, "token", "add", "radar", "--config", str(config))
    assert (code, err.count("\n")) == (0, 2)
    assert "was not compared" in err


def test_enrolment_log_has_the_times_of_the_records(tmp_path: Path) -> None:
    config = recorded(tmp_path, NOW_US)
    words = ("node", "revoke", "n04", "--why", "stolen", "--config", str(config))
    assert run(NOW_US + 20 * YEAR_US, *words)[0] == 0
    (entry,) = (tmp_path / "data" / "enrolment.jsonl").read_text().splitlines()
    assert json.loads(entry)["at"].startswith("2026-11-18T11:0")


def test_check_and_doctor_go_by_the_records(tmp_path: Path) -> None:
    config = recorded(tmp_path, NOW_US)
    run(NOW_US, "token", "add", "tak", "--days", "30", "--config", str(config))
    _code, out, _err = run(NOW_US + 20 * YEAR_US, "gateway", "check", "--config", str(config))
    assert "has expired" not in out
    later = NOW_US + 31 * DAY_US
    store = SqliteStore(load_config(config).store)  # type: ignore[arg-type]  # a path here
    writes = Writes()
    writes.state[CLOCK] = str(later)
    store.commit(writes)
    store.close()
    _code, out, _err = run(NOW_US, "gateway", "check", "--config", str(config))
    assert "the token tak has expired" in out
    _code, out, _err = run(NOW_US, "doctor", "--json", "--config", str(config))
    found = {one["check"]: one for one in json.loads(out)}["clock and records"]
    assert found["state"] == "warning"
    assert "31 days behind the newest record" in found["found"]
    _code, out, _err = run(later, "doctor", "--json", "--config", str(config))
    assert {one["check"]: one for one in json.loads(out)}["clock and records"]["state"] == "ok"


async def test_hours_of_the_list_are_those_of_the_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records end in November 2026: any later computer is ahead, and the gateway doubts it."""
    config = recorded(tmp_path, NOW_US)
    asked: list[dict[str, Any]] = []
    get = Client.get

    def noted(self: Client, path: str, answer: Any, query: dict[str, Any] | None = None) -> Any:
        if query is not None:
            asked.append(query)
        return get(self, path, answer, query)

    monkeypatch.setattr(Client, "get", noted)
    async with Gateway(load_config(config)) as gateway:
        words = ["alarm", "list", "--hours", "2", "--config", str(config)]
        assert await asyncio.to_thread(main, words) == 0
        gateway_us = gateway.facade.clock_us()
    assert abs(gateway_us - NOW_US) < 120_000_000
    [query] = asked
    assert abs(query["from_us"] - (NOW_US - 2 * 3600 * 1_000_000)) < 120_000_000
