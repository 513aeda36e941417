# SPDX-License-Identifier: MIT
"""Which layer may import which. A change of the table needs an ADR."""

from __future__ import annotations

import sys

import pytest

from tests.architecture.tree import imports, module_name, python_files, under

HARDWARE = ("machine", "network", "esp32", "rp2")
INPUT_OUTPUT = (
    "aiohttp",
    "asyncio",
    "http",
    "io",
    "logging",
    "os",
    "paho",
    "pathlib",
    "random",
    "secrets",
    "select",
    "serial",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
)
# Pure on the node: arithmetic, bytes and ciphers, without waiting or state.
PURE_ON_NODE = ("array", "binascii", "cryptolib", "hashlib", "micropython", "struct")

# (who, must not import): prefixes of module names on both sides.
FORBIDDEN = (
    (("gateway",), ("ugs", "boards", "firmware", "sim_hardware", "tools", *HARDWARE)),
    (("sim_hardware",), ("gateway", "tools", "boards")),
    (("ugs",), ("boards", "gateway", "sim_hardware", "tools", *HARDWARE)),
    (("boards",), ("gateway", "sim_hardware", "tools")),
    (("gateway.model", "gateway.fusion", "gateway.alarms"), INPUT_OUTPUT),
)


@pytest.mark.parametrize(("importers", "barred"), FORBIDDEN)
def test_imports_of_a_layer_stay_within_the_table(importers, barred):
    broken = [
        f"{path} imports {name}"
        for path in python_files("firmware", "gateway", "sim_hardware")
        if under(module_name(path), *importers)
        for name in imports(path)
        if under(name, *barred)
    ]
    assert not broken


@pytest.mark.parametrize("room", ["dsp", "detect", "wire"])
def test_imports_of_a_pure_node_module_are_arithmetic_only(room):
    broken = [
        f"{path} imports {name}"
        for path in python_files(f"firmware/ugs/{room}")
        for name in imports(path)
        if not under(name, "ugs.dsp", "ugs.detect", "ugs.wire", *PURE_ON_NODE)
        and name not in ("ugs", "__future__")
    ]
    assert python_files(f"firmware/ugs/{room}")
    assert not broken


def test_hardware_modules_are_imported_by_boards_only():
    broken = [
        f"{path} imports {name}"
        for path in python_files("firmware")
        if not path.startswith("firmware/boards/")
        for name in imports(path)
        if under(name, *HARDWARE)
    ]
    assert not broken


def test_boards_are_imported_by_main_only():
    broken = [
        f"{path} imports {name}"
        for path in python_files("firmware", "gateway", "sim_hardware", "tools")
        if path not in ("firmware/main.py", "firmware/frozen/main.py")
        and not path.startswith("firmware/boards/")
        for name in imports(path)
        if under(name, "boards")
    ]
    assert not broken


def test_gateway_app_is_imported_by_command_lines_only():
    allowed = ("gateway/commands/gateway.py", "gateway/__main__.py")
    broken = [
        f"{path} imports {name}"
        for path in python_files("gateway", "sim_hardware")
        if path not in allowed
        for name in imports(path)
        if under(name, "gateway.app")
    ]
    assert not broken


def test_bootstrap_runs_on_a_bare_python():
    pending, seen = ["tools/bootstrap.py"], set()
    while pending:
        path = pending.pop()
        seen.add(path)
        for name in imports(path):
            ours = f"{name.replace('.', '/')}.py"
            if ours in python_files("tools") and ours not in seen:
                pending.append(ours)
            assert under(name, "tools", *sys.stdlib_module_names), f"{path} imports {name}"
    assert "tools/micropython.py" in seen
