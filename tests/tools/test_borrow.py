# SPDX-License-Identifier: MIT
"""Public names of an image spelled like built-in ones: the same program, and fewer names."""

from __future__ import annotations

import ast

import pytest

from tools.borrow import borrowed, rename
from tools.builtin_names import borrowable_names, builtin_names
from tools.errors import UserError
from tools.image import FIRMWARE, boards, read_sources

LEVEL = b"""
LIMIT_MV = 7
KINDS = ("quality_ms", "other_kind")

class DeepError(ValueError):
    pass

class Base:
    quality_ms = 1

    def __init__(self, deepest, callback):
        self.deepest_mv = deepest
        self.append = callback
        self.known_beside = callback

    def grow_by(self, amount, in_order=False):
        return [amount + LIMIT_MV for amount in range(self.deepest_mv) if in_order]
"""
CHILD = b"""
from level import Base as Parent
import level

class Child(Parent):
    def grow_by(self, amount, in_order):
        # deepest_mv of the other file
        return self.deepest_mv + amount * level.LIMIT_MV

def make_child(deepest_mv):
    return Child(deepest_mv, "grow_by").grow_by(3, in_order=True)
"""
SOURCES = {"level.py": LEVEL, "child.py": CHILD}
BESIDE = (b"import level\nprint(level.Base(1, 2).known_beside)\n",)


def test_borrowed_names_are_built_in_and_occur_nowhere_else():
    names = borrowed(SOURCES, BESIDE)
    assert {"LIMIT_MV", "deepest_mv", "make_child", "Child"} <= names.keys()
    assert len({*names.values()}) == len(names)
    assert {*names.values()} <= {*borrowable_names()}
    text = (LEVEL + CHILD + BESIDE[0]).decode()
    assert not [word for word in names.values() if word in text.split()]


@pytest.mark.parametrize(
    "word",
    [
        "quality_ms",  # a text
        "grow_by",  # too
        "in_order",  # a keyword argument of a call
        "level",  # a module
        "DeepError",  # shown in the log
        "append",  # built in as it is
        "known_beside",  # mentioned by a file that is not renamed
        "Base",  # too
        "callback",  # a parameter is shortened by tools.shorten
    ],
)
def test_names_of_these_kinds_stay(word: str):
    assert word not in borrowed(SOURCES, BESIDE)


def test_program_does_the_same_on_the_same_lines(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    names = borrowed(SOURCES, BESIDE)
    renamed = rename(SOURCES, names)
    for name, source in renamed.items():
        (tmp_path / name).write_bytes(source)
        assert source.count(b"\n") == SOURCES[name].count(b"\n")
    space: dict[str, object] = {}
    exec(renamed["child.py"], space)
    assert space[names["make_child"]](5) == 5 + 3 * 7
    assert b"deepest_mv of the other file" in renamed["child.py"]


def test_another_name_changes_hardly_any_of_the_others():
    sources = {name: text for name, text in read_sources("pico_w").items() if name.endswith(".py")}
    before = borrowed(sources)
    more = b"def first_of_all(): pass\ndef something_new(): pass\nclass Zone:\n    new_size = 1\n"
    after = borrowed(sources | {"ugs/version.py": sources["ugs/version.py"] + more})
    assert {"first_of_all", "something_new", "Zone", "new_size"} <= after.keys()
    assert sum(before[word] != after[word] for word in before) <= 12


def test_name_inside_a_formatted_text_stays():
    source = b'class A:\n    far_away = 1\n    far_off = f"{far_away}"\n'
    names = borrowed({"a.py": source})
    assert "far_off" in names and "far_away" not in names


def test_file_that_is_no_python_is_an_error():
    with pytest.raises(UserError, match="a.py, line 1"):
        borrowed({"a.py": b"def\n"})


@pytest.mark.parametrize("board", boards())
def test_firmware_renames_no_attribute_of_other_modules(board: str):
    sources = {name: text for name, text in read_sources(board).items() if name.endswith(".py")}
    names = borrowed(sources, [path.read_bytes() for path in FIRMWARE.glob("*.py")])
    assert len(names) > 300
    asked = {word for text in sources.values() for word in _asked(ast.parse(text))}
    assert asked > {"ticks_ms", "sleep_ms"}
    assert not asked & names.keys()


def _asked(tree: ast.Module) -> set[str]:
    """Names that a file takes from modules which are not the firmware's."""
    words, modules = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module.split(".")[0] not in (
            "ugs",
            "boards",
        ):
            words |= {alias.name for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _root(node) in modules:
            words.add(node.attr)
    return words


def _root(node: ast.AST) -> str:
    """The name at the beginning of machine.ADC(26).read_u16."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return ""
    return node.id


def test_list_of_built_in_names_has_those_that_every_micropython_has():
    assert {"append", "ticks_ms", "ADC", "const", "asyncio"} <= {*builtin_names()}
    assert {*borrowable_names()} < {*builtin_names()}
    assert "create_task" not in borrowable_names()  # of a frozen module
