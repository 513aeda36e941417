# SPDX-License-Identifier: MIT
"""Help, lists and completion start fast because they import none of the heavy libraries."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tools.commands import table

HEAVY = {
    *("aiohttp", "asyncio", "cryptography", "esptool", "keyring", "matplotlib", "msgspec", "numpy"),
    *("paho", "rich", "scipy", "serial", "sqlite3", "ssl", "uvloop"),
}
_SCRIPT = """
import contextlib, io, json, sys
from tools.cli import main
for words in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(words) == 0, words
    assert out.getvalue(), words
print(json.dumps(sorted(sys.modules)))
"""


def imported(*commands: list[str]) -> set[str]:
    """Modules that a fresh interpreter has after these commands."""
    words = [sys.executable, "-c", _SCRIPT, json.dumps(commands)]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stdout))


def test_help_of_groups_imports_no_heavy_library_and_no_verb():
    groups = [[group.name, "--help"] for group in table.GROUPS]
    found = imported(["--help"], *groups, ["--version"])
    assert not found & HEAVY
    assert not found & {verb.target.partition(":")[0] for verb in table.VERBS}


@pytest.mark.parametrize(
    "words", [["sim", "list"], ["sim", "list", "--json"], ["sim", "--list"], ["completion", "zsh"]]
)
def test_small_verb_imports_no_heavy_library(words):
    assert not imported(words) & HEAVY


def test_help_of_a_verb_that_asks_the_gateway_imports_no_numbers_and_no_http():
    groups = ("alarm", "node", "connector", "walktest", "token")
    helps = [
        [*verb.name.split(), "--help"]
        for verb in table.VERBS
        if verb.name.split()[0] in groups and verb.target.startswith("gateway.commands.")
    ]
    found = imported(*helps, ["gateway", "reload", "--help"])
    assert not found & {"aiohttp", "matplotlib", "numpy", "scipy"}


# What costs help its time. A module takes about 0.4 ms of processor: 450 of them stay below 0.3 s.
SLOW = {"aiohttp", "esptool", "matplotlib", "numpy", "scipy", "sklearn", "uvloop"}
MAX_MODULES = 450


@pytest.mark.parametrize("verb", table.VERBS, ids=lambda verb: verb.name)
def test_help_of_a_verb_imports_neither_numbers_nor_servers(verb) -> None:
    found = imported([*verb.name.split(), "--help"])
    assert not found & SLOW
    assert len(found) < MAX_MODULES
