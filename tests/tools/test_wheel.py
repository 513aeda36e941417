# SPDX-License-Identifier: MIT
"""Files of an installation: with the firmware, so that a wheel alone can flash a node."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.architecture.tree import files
from tests.trees import files_of
from tests.wheels import unpacked
from tools.compiled import mpy_for
from tools.image import make_image

NODE = f"""
[node]
site = "north"
id = "n07"
board = "pico_w"
key = "{"5a" * 32}"
x_m = 0.0
y_m = 0.0
[wifi]
ssid = "groundwatch"
passphrase = "correct horse"
[broker]
host = "192.168.4.1"
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A wheel of this checkout, unpacked like an installation."""
    return unpacked(tmp_path_factory.mktemp("wheel"))


def _groundwatch(site, cwd, *words):
    return subprocess.run(
        [sys.executable, "-P", "-m", "tools.cli", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_wheel_carries_every_file_of_its_packages(installed):
    packages = ("firmware/", "gateway/", "sim_hardware/", "tools/")
    missing = [
        path for path in files() if path.startswith(packages) and not (installed / path).is_file()
    ]
    assert not missing


def test_wheel_alone_writes_a_node_bundle_from_its_own_firmware(installed, tmp_path):
    (tmp_path / "node.toml").write_text(NODE)
    words = ("bundle", "--config", "node.toml", "--out", "n07", "--json")
    ran = _groundwatch(installed, tmp_path, *words)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "main.py" in json.loads(ran.stdout)["files"]
    packed = files_of(tmp_path / "n07" / "a.fw")
    image = make_image("pico_w", mpy_for("pico_w"), firmware=installed / "firmware")
    assert packed == image.files


def test_wheel_installs_the_command(installed):
    entry = next(installed.glob("groundwatch-*.dist-info")) / "entry_points.txt"
    assert "groundwatch = tools.cli:main" in entry.read_text()
