# SPDX-License-Identifier: MIT
"""docs/add-hardware.md: its blocks, applied to a copy of the tree, make a board and a sensor."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, files

PAGE = ROOT / "docs" / "add-hardware.md"
COPIED = ("docs/boards/", "firmware/", "gateway/", "sim_hardware/", "tests/", "tools/")
BLOCK = re.compile(
    r"(?:^(?P<how>New file|Append to) `(?P<path>[^`\n]+)`:\n\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, micropython: Path) -> Path:
    """The tree without its history, in an environment that finds nothing of the original."""
    folder = tmp_path / "tree"
    for path in files():
        if path.startswith(COPIED) or path == "pyproject.toml":
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, folder / path)
    for name in [name for name in os.environ if name.startswith(("PYTEST_", "GIT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", f"{folder}:{folder / 'firmware'}")
    monkeypatch.setenv("MICROPYTHON", str(micropython))
    return folder


def follow(section: str, folder: Path) -> str:
    """Apply the blocks of a section in order; what its commands printed."""
    text = PAGE.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    printed = ""
    for block in BLOCK.finditer(text):
        if block["language"] == "sh":
            printed += run(["bash", "-c", shell(block["text"])], folder)
        elif block["language"] == "diff":
            run(["git", "apply", "-"], folder, block["text"])
        else:
            assert block["how"], f"what is to be done with {block['text'][:60]!r}?"
            path = folder / block["path"]
            assert path.exists() == (block["how"] == "Append to"), path
            path.parent.mkdir(exist_ok=True)
            with path.open("a") as file:
                file.write(block["text"])
    return printed


def shell(commands: str) -> str:
    """As in a terminal where the environment of the copy is active."""
    python = f'python() {{ {sys.executable} "$@"; }}'
    return f'set -e\n{python}\ngroundwatch() {{ python -m tools.cli "$@"; }}\n{commands}'


def run(command: list[str], folder: Path, given: str = "") -> str:
    ran = subprocess.run(
        command, cwd=folder, input=given, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_new_board_of_the_page_starts_and_reports_a_walker(copy: Path) -> None:
    printed = follow("A board", copy)
    assert re.search(r"\d+ passed", printed)
    assert "GPIO16" in (copy / "docs" / "boards" / "my_s3.md").read_text()
    lines = run([sys.executable, "-m", "tools.cli", "replay", "walk", "--json"], copy).splitlines()
    assert re.match(r'{"type": "detection", "node": "n01", .*"class": "person"', lines[0])
    assert any('"type": "alarm"' in line and '"class": "person"' in line for line in lines)


def test_new_sensor_of_the_page_yields_readings(copy: Path) -> None:
    printed = follow("A sensor", copy)
    assert re.search(r"4 passed", printed)  # two cases, on 64 and on 32 bits
    tenths = [int(one) for one in re.findall(r"^temperature c_x10=(\d+)$", printed, re.MULTILINE)]
    assert len(tenths) >= 3
    assert set(tenths) <= {149, 150, 151, 152}


def test_example_that_is_wrong_is_found(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = copy.parent / "page.md"
    wrong.write_text(PAGE.read_text().replace('    "cs": 9,', '    "cs": 26,'))
    monkeypatch.setattr(f"{__name__}.PAGE", wrong)
    with pytest.raises(AssertionError, match="test_pins_of_an_espressif_board"):
        follow("A board", copy)
