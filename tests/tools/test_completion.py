# SPDX-License-Identifier: MIT
"""`groundwatch completion`: the script for bash completes verbs, options and names of files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.cli import main

# As bash calls the function: with all words so far, the last to be completed.
_TYPED = """
eval "$(groundwatch completion bash)"
complete -p groundwatch
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_groundwatch_completion groundwatch 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def program(tmp_path: Path) -> dict[str, str]:
    """An environment in which `groundwatch` is this checkout's."""
    path = tmp_path / "groundwatch"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tools.cli "$@"\n')
    path.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}


def completed(program: dict[str, str], *typed: str) -> list[str]:
    ran = subprocess.run(
        ["bash", "--norc", "-c", _TYPED, "bash", "groundwatch", *typed],
        env=program,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    first, *rest = ran.stdout.splitlines()
    assert "_groundwatch_completion" in first, ran
    return rest


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (["al"], {"alarm"}),
        (["node", "re"], {"reboot", "revoke"}),
        (["alarm", "list", "--sta"], {"--state"}),
        (["alarm", "assess", "12", "wea"], {"weather"}),
        (["sim", ""], {"list", "export", "board", "control", "run"}),
    ],
)
def test_bash_completes_what_was_typed(program: dict[str, str], typed: list[str], found: set[str]):
    assert set(completed(program, *typed)) == found


def test_bash_is_offered_no_hidden_verb_and_no_former_name(program: dict[str, str]) -> None:
    offered = completed(program, "")
    assert {"demo", "doctor", "gateway", "node"} <= set(offered)
    assert not {"wire", "flash", "provision"} & set(offered)


@pytest.mark.parametrize(
    ("shell", "part"), [("zsh", "#compdef groundwatch"), ("fish", "fish_complete")]
)
def test_script_of_another_shell_asks_the_same_program(
    shell: str, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert part in script and "_GROUNDWATCH_COMPLETE" in script


def test_completion_of_an_unknown_shell_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
