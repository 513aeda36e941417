# SPDX-License-Identifier: MIT
"""Names in compiled firmware: private ones are short, and the program is the same."""

from __future__ import annotations

import ast

import pytest

from tools.image import boards, read_sources
from tools.shorten import shorten

BASE = b"""
from micropython import const
_LIMIT = const(7)
_known = []

class Base:
    def __init__(self, size, callback):
        self._size = size
        self.callback = callback

    def _grow(self, amount, in_order=False):
        global _known
        try:
            return [amount + _LIMIT for amount in range(self._size) if in_order]
        except ValueError as error:
            _known = [error]

def make(size):
    return Base(size, lambda step: step + size)._grow(size, in_order=True)
"""
CHILD = b"""
import sys
from base import Base

class Child(Base):
    def _grow(self, amount, in_order):
        self._other = sys.implementation._mpy
        return self._size + amount
"""
OTHER = b"""
class Other:
    def __init__(self, source):
        self._source = source
"""


def short() -> dict[str, str]:
    sources = {"base.py": BASE, "child.py": CHILD, "other.py": OTHER}
    return {name: text.decode() for name, text in shorten(sources).items()}


def test_shortened_source_does_the_same(monkeypatch):
    spaces = {}
    for text in (BASE.decode(), short()["base.py"]):
        space = spaces.setdefault(text, {})
        exec(text, space)
        assert space["make"](3) == [7, 8, 9]
        assert space["Base"](2, len).callback is len
    before, after = spaces.values()
    assert {name for name in after if not name.startswith("_")} == {
        name for name in before if not name.startswith("_")
    }


def test_shortened_source_keeps_its_lines():
    for text, source in zip(short().values(), (BASE, CHILD, OTHER), strict=True):
        assert text.count("\n") == source.decode().count("\n")


def test_private_names_are_short_and_those_of_others_stay():
    base, child, other = short().values()
    for word in ("_size", "_grow", "_LIMIT", "_known", "_other", "callback)", "callback,"):
        assert word not in base + child
    assert "self.callback" in base and "_mpy" in child and "__init__" in base
    # A class sees the names of the one that it inherits from; another file uses them again.
    grow = base.split("    def ")[2].split("(")[0]
    assert f"def {grow}(" in child
    assert "self._a" in other


def test_parameters_named_by_a_call_stay():
    base = short()["base.py"]
    assert "in_order=False" in base and "in_order=True" in base and "if in_order" in base


@pytest.mark.parametrize("board", boards())
def test_firmware_uses_private_names_where_they_are_made(board: str):
    """Otherwise a file would use a name that another file has renamed."""
    sources = {name: text for name, text in read_sources(board).items() if name.endswith(".py")}
    after = shorten(sources)
    made = {}
    for name, text in after.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
                made.setdefault(name, set()).add(node.attr)
    left = {word for words in made.values() for word in words if len(word) > 3}
    assert {word for word in left if not word.startswith("__")} <= {"_mpy", "_machine"}
