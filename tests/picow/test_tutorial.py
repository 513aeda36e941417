# SPDX-License-Identifier: MIT
"""The tutorial of docs/emulated-board.md, run as it is printed: flash, key, first alarm."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.ports import free_port
from tools.micropython import cache_dir

PAGE = ROOT / "docs" / "emulated-board.md"
# Wall time, for what hangs: minutes on a free core, many more on a busy machine.
LIMIT_S = 4 * 3600


def commands() -> str:
    """The printed blocks, in order, with free ports."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 7
    text = "".join(blocks)
    for printed in ("1883", "8480"):
        assert printed in text
        text = text.replace(printed, str(free_port()))
    return text


def cache_with(image: Path, folder: Path) -> Path:
    """The cache of this machine with the image in it, as the page asks for."""
    inside = folder / "groundwatch"
    inside.mkdir(parents=True)
    for entry in cache_dir().iterdir():
        (inside / entry.name).symlink_to(entry)
    (inside / image.name).unlink(missing_ok=True)
    (inside / image.name).symlink_to(image)
    return folder


@pytest.mark.picow
def test_tutorial_leads_from_a_blank_board_to_the_first_alarm(pico_w_image, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    groundwatch = programs / "groundwatch"
    groundwatch.write_text(f'#!/bin/sh\nexec {sys.executable} -m tools.cli "$@"\n')
    groundwatch.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(Path.home()),
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(cache_with(pico_w_image, tmp_path / "cache")),
    }
    shell = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", commands()],
        cwd=work,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        printed, _ = shell.communicate(timeout=LIMIT_S)
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGKILL)
    logs = "".join((work / name).read_text() for name in ("gateway.log", "board.log"))
    print(printed)
    assert shell.returncode == 0, printed + logs
    assert "phase=onset" in printed
    assert re.search(r"^.*bench.*$", printed.splitlines()[-1])
    assert not (work / "ttyACM0").is_symlink()
    assert not (work / "control").exists()
