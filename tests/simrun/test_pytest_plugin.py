# SPDX-License-Identifier: MIT
"""The plugin for pytest, installed from a wheel: the example passes, and nothing is left behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.architecture.tree import ROOT
from tests.ports import free_port
from tests.wheels import unpacked

PAGE = ROOT / "docs" / "own-gateway-tests.md"
LISTENER = """
import asyncio

async def listen():
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    return "mqtt://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
"""
FAILS = """
from listener import listen

async def test_fails(groundwatch_world, groundwatch_fleet):
    world = groundwatch_world(seed=4711)
    async with groundwatch_fleet(world, await listen()) as nodes:
        print("folder=%s" % world.folder)
        while not nodes.events:
            await __import__("asyncio").sleep(0.05)
        assert nodes.events[0]["type"] == "alarm"
"""
NEVER_LEFT = """
from listener import listen
kept = []

async def test_enters_and_forgets(groundwatch_world, groundwatch_fleet):
    world = groundwatch_world()
    print("folder=%s" % world.folder)
    kept.append(groundwatch_fleet(world, await listen()))
    await kept[0].__aenter__()
    assert False
"""
MISTAKES = """
import pytest
from listener import listen

@pytest.mark.parametrize(("broker", "part"), [
    ("mqtts://127.0.0.1:8883", "without TLS"),
    ("127.0.0.1", "must be HOST:PORT"),
    ("127.0.0.1:{port}", "no broker answers at 127.0.0.1:{port}"),
])
async def test_broker(groundwatch_world, groundwatch_fleet, broker, part):
    with pytest.raises(Exception, match=part):
        async with groundwatch_fleet(groundwatch_world(), broker):
            pass

@pytest.mark.parametrize(("wrong", "part"), [
    ({{"fleet_key": b"short"}}, "a fleet key has 32 bytes, not 5"),
    ({{"scenario": "absent"}}, "no scenario absent"),
    ({{"site": "absent.toml"}}, "absent.toml"),
])
def test_world(groundwatch_world, wrong, part):
    with pytest.raises(Exception, match=part):
        groundwatch_world(**wrong)
"""
# Of a session in which no test uses a fixture of the plugin.
IMPORTED = """
import sys

def pytest_sessionfinish(session):
    assert session.config.pluginmanager.get_plugin("groundwatch") is not None
    known = {"tools", "tools.simrun", "tools.simrun.pytest_plugin"}
    ours = ("gateway", "sim_hardware", "tools", "numpy", "scipy", "msgspec")
    more = [name for name in sys.modules if name.split(".")[0] in ours and name not in known]
    assert not more, more
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this tree, unpacked as an installation would be."""
    return unpacked(tmp_path_factory.mktemp("wheel"))


def run_pytest(
    installed: Path, folder: Path, micropython: Path, *words: str, temporary: Path | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider", *words]
    return run_in(installed, folder, micropython, command, temporary)


def run_in(
    installed: Path,
    folder: Path,
    micropython: Path,
    command: list[str],
    temporary: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """As a user of the wheel, with no setting of the pytest that runs this."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    paths = {"PYTHONPATH": str(installed), "MICROPYTHON": str(micropython)}
    if temporary is not None:
        paths["TMPDIR"] = str(temporary)
    return subprocess.run(
        command,
        cwd=folder,
        env={**kept, **paths},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def project(folder: Path, **files: str) -> Path:
    """A project of a user with these modules."""
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\npythonpath = .\n")
    for name, text in {"listener": LISTENER, **files}.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def nodes_in(folder: str) -> list[str]:
    running = (" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"]))
    return [line for line in running if "run_node.py" in line and folder in line]


def test_commands_of_the_page_test_the_example(installed: Path, tmp_path: Path, micropython: Path):
    """But those that install: this environment has what they bring."""
    block = re.search(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert block is not None
    lines = block[1].splitlines()
    run = [line for line in lines if not line.startswith(("apt-get", "python -m pip"))]
    assert (len(lines), run[-1]) == (5, "python -m pytest")
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    script = "\n".join(["set -e", f'python() {{ {sys.executable} -P "$@"; }}', *run])
    ran = run_in(installed, tmp_path, micropython, ["bash", "-c", script])
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "3 passed" in ran.stdout


@pytest.mark.parametrize(
    ("test", "scope"), [(FAILS, "function"), (NEVER_LEFT, "function"), (NEVER_LEFT, "session")]
)
def test_failed_test_prints_its_seed_and_leaves_nothing(
    test: str, scope: str, installed: Path, tmp_path: Path, micropython: Path
):
    (tmp_path / "temporary").mkdir()
    folder = project(tmp_path, test_it=test)
    words = ("--groundwatch-seed=4711", "-o", f"asyncio_default_test_loop_scope={scope}")
    ran = run_pytest(installed, folder, micropython, *words, temporary=tmp_path / "temporary")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "seed 4711" in ran.stdout
    assert ("never left: use `async with`" in ran.stdout) == (test == NEVER_LEFT)
    assert re.search(rf"^folder={tmp_path}/temporary/groundwatch-", ran.stdout, re.MULTILINE)
    assert nodes_in(str(tmp_path)) == []
    assert [one.name for one in (tmp_path / "temporary").glob("groundwatch-*")] == []


def test_mistakes_are_named(installed: Path, tmp_path: Path, micropython: Path):
    folder = project(tmp_path, test_it=MISTAKES.format(port=free_port()))
    ran = run_pytest(installed, folder, micropython)
    assert (ran.returncode, "6 passed" in ran.stdout) == (0, True), ran.stdout


def test_session_without_a_fixture_imports_nothing(
    installed: Path, tmp_path: Path, micropython: Path
):
    folder = project(tmp_path, conftest=IMPORTED, test_it="def test_it(): pass\n")
    ran = run_pytest(installed, folder, micropython)
    assert ran.returncode == 0, ran.stdout + ran.stderr
