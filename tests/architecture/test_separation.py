# SPDX-License-Identifier: MIT
"""Deployed code runs alone: the gateway without the simulator, the node without shims."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.architecture.tree import ROOT, module_name, python_files

IMPORT_ALL = """
import importlib, sys

class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("sim_hardware", "ugs", "boards", "tools"):
            raise ImportError(name + " is behind the wall")

sys.meta_path.insert(0, Wall())
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def test_gateway_without_simulator_and_firmware_still_imports():
    # gateway.__main__ would run.
    names = [
        name
        for path in [*python_files("gateway"), "gateway/wire/messages.py"]
        if not (name := module_name(path)).endswith("__main__")
    ]
    ran = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def test_node_package_without_shims_imports_on_real_micropython(micropython):
    names = [module_name(path) for path in python_files("firmware/ugs")]
    ran = subprocess.run(
        [micropython, "-c", "".join(f"import {name}\n" for name in names)],
        cwd=ROOT / "firmware",
        env={**os.environ, "MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
