# SPDX-License-Identifier: MIT
"""The shims accept no name and no argument that the type stubs of their port do not have."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from sim_hardware.sandbox import SHIMS

Bench = Any

STUBS = Path(sys.prefix) / "stubs"
PORTS = {"pico_w": "rp2", "esp32": "esp32"}
MODULES = {
    "machine": ("Pin", "ADC", "Timer", "SPI", "WDT", "RTC"),
    "network": ("WLAN",),
}
# Names a shim module holds for itself.
LIST = (
    "import json, MODULE\n"
    "made = {name: dir(getattr(MODULE, name)) for name in CLASSES}\n"
    "print(json.dumps([dir(MODULE), made]))\n"
)


def stub(port: str, module: str) -> ast.Module:
    folder = STUBS / port
    assert folder.is_dir(), f"{folder} is missing; run make setup"
    return ast.parse((folder / f"{module}.pyi").read_text())


def names(body: list[ast.stmt]) -> set[str]:
    """Names that a module or class of the stubs defines."""
    found = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


def arguments(body: list[ast.stmt], function: str) -> set[str]:
    """Names that any overload of a function accepts by keyword."""
    found = set()
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            found |= {one.arg for one in [*node.args.args, *node.args.kwonlyargs]}
    return found


def class_of(tree: ast.Module, name: str) -> ast.ClassDef:
    (found,) = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name]
    return found


@pytest.mark.parametrize("board", PORTS)
@pytest.mark.parametrize("module", MODULES)
def test_names_of_a_shim_are_names_of_its_port(bench64: Bench, board: str, module: str) -> None:
    port = PORTS[board]
    bench64.settings["board"] = board
    main = LIST.replace("MODULE", module).replace("CLASSES", repr(MODULES[module]))
    code, lines = bench64.power_on(main)
    assert code == 0, lines
    module_names, classes = json.loads(lines[-1])
    tree = stub(port, module)
    helpers = {"time", "is_rp2"}
    own = {n for n in module_names if not n.startswith(("_", "sim")) and n not in helpers}
    unknown = {f"{module}.{n}" for n in own - names(tree.body)}
    for name, members in classes.items():
        public = {n for n in members if not n.startswith("_")}
        known = names(class_of(tree, name).body)
        unknown |= {f"{module}.{name}.{n}" for n in public - known}
    assert unknown == set()


# Each call has an argument its port does not know, or that 1.25 does not know yet.
REFUSED = [
    ("both", "machine.Timer(ID, freq=1, hard=True)", "TypeError"),
    ("both", "machine.Timer(ID, freq=1, priority=1)", "TypeError"),
    ("both", "machine.Timer(9, freq=1)", "ValueError"),
    ("both", "machine.Pin(14, machine.Pin.IN, 9)", "ValueError"),
    ("both", "machine.Pin(14, 99)", "ValueError"),
    ("both", "machine.Pin(99, machine.Pin.IN)", "ValueError"),
    ("both", "machine.Pin('GP14')", "ValueError"),
    ("both", "machine.Pin(14, machine.Pin.IN, strength=1)", "TypeError"),
    ("both", "machine.Pin(14).irq(print, priority=2)", "TypeError"),
    ("both", "machine.Pin(14).irq(print, trigger=0)", "ValueError"),
    ("both", "machine.ADC(5)", "ValueError"),
    ("both", "machine.WDT(id=1)", "ValueError"),
    ("both", "machine.WDT(0, 5000)", "TypeError"),
    ("both", "machine.WDT(timeout=0)", "ValueError"),
    ("both", "machine.freq(1)", "ValueError"),
    ("both", "machine.SPI(7)", "ValueError"),
    ("both", "machine.SPI(1, 1000, speed=3)", "TypeError"),
    ("both", "network.WLAN(network.STA_IF, True)", "TypeError"),
    ("both", "network.WLAN(network.STA_IF).config(colour=1)", "ValueError"),
    ("both", "network.WLAN(network.STA_IF).config('colour')", "ValueError"),
    ("both", "network.WLAN(network.STA_IF).connect('a', 'b', hidden=True)", "TypeError"),
    ("both", "network.WLAN(network.STA_IF).connect('a', 'short')", "OSError"),
    ("both", "network.WLAN(network.STA_IF).status('noise')", "ValueError"),
    ("both", "network.country('deutsch')", "ValueError"),
    ("pico_w", "machine.WDT(timeout=8389)", "ValueError"),
    ("pico_w", "machine.ADC(26, atten=3)", "TypeError"),
    ("pico_w", "machine.ADC(26).read_uv()", "AttributeError"),
    ("pico_w", "machine.ADC(15)", "ValueError"),
    ("pico_w", "machine.Pin(14).irq(print, wake=1)", "TypeError"),
    ("pico_w", "machine.HARD_RESET", "AttributeError"),
    ("pico_w", "machine.SPI(0)", "OSError"),
    ("esp32", "machine.Timer()", "TypeError"),
    ("esp32", "machine.ADC(34).CORE_TEMP", "AttributeError"),
    ("esp32", "machine.Pin(34, machine.Pin.OUT)", "ValueError"),
    ("esp32", "machine.Pin(6)", "ValueError"),
    ("esp32", "machine.Pin(14).high()", "AttributeError"),
    ("esp32", "machine.Pin(14).irq(print, hard=True)", "TypeError"),
    ("esp32", "network.WLAN(network.STA_IF).deinit()", "AttributeError"),
]


@pytest.mark.parametrize("board", PORTS)
def test_what_a_port_refuses_is_refused(bench64: Bench, board: str) -> None:
    bench64.settings["board"] = board
    cases = [case for case in REFUSED if case[0] in ("both", board)]
    main = "import machine, network\n"
    for _, call, _ in cases:
        call = call.replace("ID", "-1" if board == "pico_w" else "0")
        main += f"try:\n    {call}\n    print('accepted')\n"
        main += "except Exception as error:\n    print(type(error).__name__)\n"
    code, lines = bench64.power_on(main)
    assert code == 0, lines
    got = [(call, line) for (_, call, _), line in zip(cases, lines, strict=True)]
    assert got == [(call, error) for _, call, error in cases]


@pytest.mark.parametrize("port", PORTS.values())
def test_arguments_of_the_shims_are_arguments_of_the_stubs(port: str) -> None:
    for module, classes in MODULES.items():
        tree = stub(port, module)
        for path in (SHIMS / f"{module}.py", SHIMS / "simpins.py"):
            for node in ast.parse(path.read_text()).body:
                if not isinstance(node, ast.ClassDef) or node.name not in classes:
                    continue
                known = class_of(tree, node.name).body
                for function in node.body:
                    if not isinstance(function, ast.FunctionDef) or (
                        function.name.startswith("_") and function.name != "__init__"
                    ):
                        continue
                    args = function.args
                    taken = {one.arg for one in [*args.args, *args.kwonlyargs]} - {"self"}
                    allowed = arguments(known, function.name)
                    spare = taken - allowed
                    assert not spare, f"{path.name}: {node.name}.{function.name}: {spare}"
