# SPDX-License-Identifier: MIT
"""A store in PostgreSQL gives the same report and the same replay as a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.server import Server
from tests.tune.weeks import Plan, live
from tools.cli import main

NOW_US = 1_790_000_000_000_000


@pytest.fixture
def url() -> Iterator[str]:
    server = Server()
    server.start()
    try:
        yield server.url()
    finally:
        server.stop("immediate")
        server.remove()


def test_tune_of_postgresql_gives_what_a_file_gives(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = []
    for name, place in (("file", None), ("server", url)):
        folder = tmp_path / name
        folder.mkdir()
        file = live(folder, NOW_US, Plan(days=5), place=place)
        assert main(["tune", "--store", place or str(file), "--replay", "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0] == found[1]
    assert found[0]["replay"]["alarms"]
