# SPDX-License-Identifier: MIT
"""Pins, scale and sample rate of a board, read from the firmware.

Only this module knows where they are defined. Board modules import `machine`, so they are read as
syntax and not run.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from tools.image import FIRMWARE


@dataclass(frozen=True)
class BoardSource:
    """`pins` by role; ground velocity of one count in nm/s; samples a second."""

    name: str
    pins: dict[str, int]
    nm_s_per_count: float
    fs_hz: int


def board_names(firmware: Path = FIRMWARE) -> tuple[str, ...]:
    """The boards that have firmware, in order of their names."""
    return tuple(sorted(path.parent.name for path in (firmware / "boards").glob("*/board.py")))


def read_board(name: str, firmware: Path = FIRMWARE) -> BoardSource:
    """Raises KeyError when the module lacks one of the names."""
    values = _constants(firmware, firmware / "boards" / name / "board.py")
    pins, scale, rate = values["PINS"], values["_NM_S_PER_COUNT_X256"], values["FS_HZ"]
    assert isinstance(pins, dict) and isinstance(scale, int) and isinstance(rate, int)
    return BoardSource(
        name, {str(role): int(gpio) for role, gpio in pins.items()}, scale / 256, rate
    )


def _constants(firmware: Path, path: Path) -> dict[str, object]:
    # Of a module, and before them of the code that it shares: `from boards import espressif`.
    values: dict[str, object] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module == "boards":
            for shared in node.names:
                values |= _constants(firmware, firmware / "boards" / f"{shared.name}.py")
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = _constant(node.value)
            if value is not None:
                values[node.targets[0].id] = value
    return values


def _constant(node: ast.expr) -> object:
    # A literal, or const() of one.
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "const":
        node = node.args[0]
    try:
        value: object = ast.literal_eval(node)
    except ValueError:
        return None
    return value
