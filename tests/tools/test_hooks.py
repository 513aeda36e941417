# SPDX-License-Identifier: MIT
"""Hooks of .pre-commit-config.yaml: local, and each runs on this checkout."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.architecture.tree import ROOT

CONFIG = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
HOOKS = {hook["id"]: hook for repo in CONFIG["repos"] for hook in repo["hooks"]}
VENV = ".venv/bin/"


def ran(hook: dict[str, object], *files: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The hook as git would run it, by this environment."""
    words = shlex.split(str(hook["entry"]))
    assert words[0].startswith(VENV)
    program = str(Path(sys.executable).with_name(words[0].removeprefix(VENV)))
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'firmware'}"}
    command = [program, *words[1:], *files]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_hooks_are_local_and_of_the_environment() -> None:
    assert [repo["repo"] for repo in CONFIG["repos"]] == ["local"]
    assert HOOKS.keys() == {"ruff", "ruff-format", "words", "wire"}
    assert all(hook["language"] == "system" for hook in HOOKS.values())


@pytest.mark.parametrize("name", ["ruff", "ruff-format"])
def test_hook_for_python_passes_a_good_file_and_refuses_a_bad_one(
    name: str, tmp_path: Path
) -> None:
    assert ran(HOOKS[name], "tests/tools/test_hooks.py").returncode == 0
    bad = tmp_path / "bad.py"
    bad.write_text("import os\nx = {  'a':1}\n")
    assert ran(HOOKS[name], str(bad)).returncode == 1


def test_hook_for_words_finds_its_tool() -> None:
    shown = ran(HOOKS["words"], "--help")
    assert (shown.returncode, shown.stderr) == (0, "")


def test_hook_for_the_wire_passes_this_checkout() -> None:
    shown = ran(HOOKS["wire"])
    assert shown.returncode == 0, shown.stdout + shown.stderr
